"""Options: the command line, what each part of it means, and the help that teaches it.

An option that was not given is not in the parsed arguments at all, so that what has a default has it in one place.
"""

from __future__ import annotations

import argparse
from typing import NoReturn

from dglm._version import __version__
from dglm.command import fit, predict, summary
from dglm.command.catalogue import CATALOGUE, typed
from dglm.command.texts import DESCRIPTION, EXAMPLES, FIT, PREDICT, SUMMARY
from dglm.command.values import (
    choice,
    count_or_column,
    data_type,
    dispersion,
    estimate_or_number,
    level,
    positive,
    weight,
)
from dglm.inference.choice import COV_TYPES, INFORMATION
from dglm.solvers import SOLVERS


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}; see {self.prog} --help\n")


def command_parser() -> argparse.ArgumentParser:
    """Return what reads the command line.

    Returns
    -------
    ArgumentParser
        Whose arguments know how to `run`.
    """
    parser = Parser(
        prog="dglm",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dglm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, usage: str, what: str, epilog: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            usage=f"dglm {name} {usage} [options]",
            help=what,
            description=what,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        added.set_defaults(parser=added)
        return added

    fitting = command("fit", "FORMULA DATA [DATA ...]", "fit a model, and print its summary", FIT)
    fitting.set_defaults(run=fit.run)
    fitting.add_argument("formula", metavar="FORMULA", help="in quotes, such as 'late ~ distance + C(carrier)'")
    for add in (_data, _model, _penalty, _inference, _fitting, _fit_output, _where, _talk):
        add(fitting)
    predicting = command("predict", "FIT DATA [DATA ...] --out PATH", "predict new rows with a saved fit", PREDICT)
    predicting.set_defaults(run=predict.run)
    predicting.add_argument("fit", metavar="FIT", help="what 'dglm fit --save' or results.save() wrote")
    for add in (_data, _prediction, _where, _talk):
        add(predicting)
    showing = command("summary", "FIT", "print the summary of a saved fit", SUMMARY)
    showing.set_defaults(run=summary.run)
    showing.add_argument("fit", metavar="FIT", help="what 'dglm fit --save' or results.save() wrote")
    showing.add_argument(
        "--format", choices=summary.FORMATS, default="text", help="what to print it as; text unless given"
    )
    showing.add_argument("--exponentiate", action="store_true", default=False, help="show exp(coefficient)")
    _talk(showing)
    return parser


def _data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    group.add_argument(
        "data",
        metavar="DATA",
        nargs="+",
        help="files of parquet or csv, directories of parquet, patterns, or URLs that fsspec knows (s3://...)",
    )
    group.add_argument("--format", choices=("parquet", "csv"), help="of the files; by their names unless given")
    group.add_argument("--separator", metavar="TEXT", help="between the columns of csv; a comma unless given")
    group.add_argument(
        "--dtype",
        metavar="COLUMN=TYPE",
        type=data_type,
        action="append",
        help="type of a column of csv, such as month=float64 or zip=str; may be repeated",
    )


def _model(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    families, links = CATALOGUE["family"], CATALOGUE["link"]
    group.add_argument(
        "--family", metavar="NAME", type=typed, choices=families, help=f"{', '.join(families)}; gaussian unless given"
    )
    group.add_argument(
        "--link", metavar="NAME", type=typed, choices=links, help=f"{', '.join(links)}; the family's own unless given"
    )
    group.add_argument(
        "--power",
        metavar="P",
        type=estimate_or_number,
        help="of tweedie, V(mu) = mu^P; 'estimate' for maximum likelihood; 1.5 unless given",
    )
    group.add_argument(
        "--family-alpha",
        metavar="A",
        type=estimate_or_number,
        help="of negative_binomial, V(mu) = mu + A mu^2; 'estimate' for maximum likelihood; 1 unless given",
    )
    group.add_argument("--link-power", metavar="P", type=float, help="of the power link, eta = mu^P")
    group.add_argument("--link-alpha", metavar="A", type=float, help="of the negative_binomial link")
    rows = "a column, or an expression of columns"
    group.add_argument("--offset", metavar="EXPR", help=f"added to the linear predictor: {rows}")
    group.add_argument("--exposure", metavar="EXPR", help=f"whose logarithm is added, for the log link: {rows}")
    group.add_argument("--freq-weights", metavar="EXPR", help=f"how many times each row counts: {rows}")
    group.add_argument(
        "--var-weights", metavar="EXPR", help=f"inverse relative variances, trials of proportions: {rows}"
    )
    group.add_argument("--missing", choices=("drop", "raise"), help="what becomes of rows that lack something")
    group.add_argument(
        "--engine", choices=("formulaic", "patsy"), help="that reads the formula; formulaic unless given"
    )
    group.add_argument(
        "--exact-knots", action="store_true", help="knots of splines at exact quantiles, in one more pass"
    )
    group.add_argument(
        "--python", action="store_true", default=False, help="evaluate the formula as Python; not one of a stranger's"
    )


def _penalty(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("penalty")
    penalties = CATALOGUE["penalty"]
    group.add_argument(
        "--penalty",
        metavar="NAME",
        type=typed,
        choices=penalties,
        help=f"{', '.join(penalties)}; none, which is maximum likelihood, unless given",
    )
    group.add_argument("--alpha", metavar="A", type=float, help="strength of the penalty")
    group.add_argument("--l1-ratio", metavar="R", type=float, help="share of absolute values in elastic_net, group_l1")
    group.add_argument("--concavity", metavar="G", type=float, help="gamma of mcp, a of scad")
    group.add_argument(
        "--penalty-weight",
        metavar="NAME=W",
        type=weight,
        action="append",
        help="relative strength for a coefficient or a term, 0 for none; may be repeated",
    )
    group.add_argument("--standardize", action="store_true", help="penalise coefficients per standard deviation")
    group.add_argument("--penalize-intercept", action="store_true", help="penalise the intercept like the others")
    group.add_argument(
        "--cv",
        metavar="FOLDS",
        type=count_or_column,
        help="choose the strength by cross-validation: a number of folds, or the column that has them",
    )
    group.add_argument("--alphas", metavar="N", type=int, help="how many strengths --cv tries; 100 unless given")
    group.add_argument("--alpha-ratio", metavar="R", type=float, help="the smallest of them over the largest")
    group.add_argument(
        "--scoring", choices=("deviance", "mse", "auc"), help="that --cv judges by; deviance unless given"
    )
    group.add_argument("--select", choices=("min", "1se"), help="the best strength, or the strongest within its error")
    group.add_argument("--seed", metavar="N", type=int, help="of the folds that are drawn")


def _inference(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("inference")
    group.add_argument("--cov-type", choices=COV_TYPES, help="of fits without a penalty; nonrobust unless given")
    group.add_argument(
        "--cluster",
        metavar="EXPR",
        action="append",
        help="column of the groups that standard errors are to be robust to; twice for two ways",
    )
    group.add_argument("--information", choices=INFORMATION, help="that the covariance inverts")
    group.add_argument("--use-t", action="store_true", help="compare with t and F instead of normal and chi2")
    group.add_argument("--scale", metavar="X", type=dispersion, help="dispersion: X2, dev or a number")
    group.add_argument("--collinear", choices=("drop", "pinv", "raise"), help="what becomes of combinations of columns")


def _fitting(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("fitting")
    group.add_argument(
        "--solver", metavar="NAME", type=typed, choices=SOLVERS, help=f"{', '.join(SOLVERS)}; chosen unless given"
    )
    group.add_argument("--tol", metavar="X", type=float, help="what the certificate must be below")
    group.add_argument("--max-iter", metavar="N", type=int, help="most iterations")
    group.add_argument("--max-passes", metavar="N", type=int, help="passes after which no iteration is begun")
    group.add_argument("--max-seconds", metavar="S", type=float, help="the same in seconds")
    group.add_argument(
        "--persist", metavar="auto|yes|no", type=choice, help="whether rows are kept in memory between passes"
    )
    group.add_argument(
        "--compress", metavar="auto|yes|no", type=choice, help="whether equal rows are counted and fitted as groups"
    )
    group.add_argument(
        "--checkpoint", metavar="DIR", help="keep what every pass returned: the same command goes on from there"
    )


def _fit_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--save", metavar="FILE", help="write the fit, for 'dglm predict' and dglm.load()")
    group.add_argument("--report", metavar="FILE", help="write a page about the fit, of html that needs no network")
    group.add_argument(
        "--effects",
        metavar="N",
        type=int,
        help="variables whose effects the page draws, a pass for each; 6 unless given",
    )
    group.add_argument("--tidy", metavar="FILE", help="write the coefficients, a row of csv for each")
    group.add_argument("--exponentiate", action="store_true", default=False, help="show exp(coefficient)")


def _prediction(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("prediction")
    group.add_argument(
        "--out", metavar="PATH", required=True, help="a file that ends in .csv, or else a directory for parquet"
    )
    group.add_argument("--which", choices=("mean", "linear"), default="mean", help="means, or linear predictors")
    group.add_argument(
        "--interval", metavar="LEVEL", type=level, help="standard errors and intervals of that level, such as 0.95, too"
    )
    group.add_argument("--offset", metavar="EXPR", help="of the new rows, where they do not have the model's own")
    group.add_argument("--exposure", metavar="EXPR", help="the same for exposure")
    group.add_argument(
        "--unseen",
        choices=("raise", "reference", "nan"),
        default="raise",
        help="what becomes of a level that the fit has not seen: an error, the reference level, or no prediction",
    )
    group.add_argument(
        "--keep", metavar="COLUMN", action="append", help="write this column, too; may be repeated; all unless given"
    )
    group.add_argument("--name", metavar="NAME", default="prediction", help="of the column; 'prediction' unless given")
    group.add_argument("--overwrite", action="store_true", default=False, help="replace what is at --out")
    group.add_argument(
        "--python", action="store_true", default=False, help="accept a fit whose formula is Python; not a stranger's"
    )


def _where(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("computing").add_mutually_exclusive_group()
    group.add_argument("--workers", metavar="N", type=positive, help="processes to start; threads of one unless given")
    group.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster, or the json file in which it is")


def _talk(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("talk")
    group.add_argument("--quiet", action="store_true", default=False, help="warnings and errors alone")
    group.add_argument("--traceback", action="store_true", default=False, help="show where an error was raised")
