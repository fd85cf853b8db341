"""Texts: what ``--help`` says around the options, with examples that can be typed."""

DESCRIPTION = "Generalized linear models of data that need not fit in memory."

CODES = """\
exit codes:
  0    all is well
  1    an error, in one line (--traceback shows where)
  2    the command line cannot be understood
  3    the fit was written, but has not converged
  130  interrupted
"""

EXAMPLES = f"""\
examples:
  dglm fit "late ~ distance + C(carrier)" flights/*.parquet --family binomial --save late.dglm
  dglm summary late.dglm
  dglm predict late.dglm new.parquet --out scored/

{CODES}
'dglm fit --help' and 'dglm predict --help' explain the rest."""

FIT = f"""\
examples:
  a logistic regression, with standard errors that are robust to dependence within days:
    dglm fit "late ~ distance + C(carrier)" flights/*.parquet --family binomial --cluster day --save late.dglm

  a lasso, and a page about it that opens in any browser:
    dglm fit "late ~ distance + C(carrier)" flights/ --family binomial --penalty l1 --alpha 0.01 --report late.html

  the strength of an elastic net chosen by cross-validation:
    dglm fit "late ~ distance + C(carrier)" flights/ --family binomial --penalty elastic_net --l1-ratio 0.5 --cv 5

  rates of claims, with the power of the variance estimated, on four processes, going on where it was interrupted:
    dglm fit "claims ~ bs(age, df=5) + region" policies.csv --family tweedie --power estimate \\
        --exposure years --workers 4 --checkpoint claims.checkpoint --save claims.dglm

formulas:
  They are restricted to columns, numbers, arithmetic, numpy's elementwise functions (np.log(x)), and transforms such as
  C(g), bs(x, df=5), scale(x) and poly(x, 2). With --python they are evaluated as Python, where np and pd are known.

{CODES}"""

PREDICT = f"""\
examples:
  dglm predict late.dglm new/*.parquet --out scored/ --keep flight
  dglm predict late.dglm new.csv --out scored.csv --interval 0.95

  A row with something missing gets no prediction. A directory becomes a file of parquet for each part of the data.

{CODES}"""

SUMMARY = f"""\
examples:
  dglm summary late.dglm
  dglm summary late.dglm --exponentiate --format latex > late.tex

{CODES}"""
