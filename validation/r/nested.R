# Reference values for tests/validation/test_nested_r.py: R's anova, drop1, add1 and logLik on small published data.
# Run in this directory, "Rscript nested.R"; it writes nested.csv (case, table, row, column, value) and the data.
# Needs r-base-core and r-cran-mass (Insurance); made with R 4.2.2.
library(MASS)
options(contrasts = c("contr.treatment", "contr.treatment"), warn = -1)
control <- glm.control(epsilon = 1e-14, maxit = 200)

# Dobson (1990), page 93: randomised controlled trial
dobson <- data.frame(counts = c(18, 17, 15, 20, 10, 20, 25, 13, 12), outcome = rep(c("a", "b", "c"), 3),
                     treatment = rep(c("r", "s", "t"), each = 3))
# Venables & Ripley (2002), page 190: tobacco budworms
budworm <- data.frame(dead = c(1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16), ldose = rep(0:5, 2), sex = rep(c("M", "F"), each = 6))
budworm$alive <- 20 - budworm$dead
# McCullagh & Nelder (1989), pages 300-302: clotting of blood
clotting <- data.frame(u = rep(c(5, 10, 15, 20, 30, 40, 60, 80, 100), 2), lot = rep(c("one", "two"), each = 9),
                       time = c(118, 58, 42, 35, 27, 25, 21, 19, 18, 69, 35, 26, 21, 18, 16, 13, 12, 12))
clotting$precision <- rep(c(1, 2, 0.5), 6)
# Tippett (1950), by way of R's datasets
warps <- transform(warpbreaks, wool = as.character(wool), tension = as.character(tension))
warps$precision <- rep(c(1, 2, 3), 18)
warps$again <- as.numeric(warps$wool == "B")
# Baxter, Coutts & Ross (1980), by way of MASS
insurance <- data.frame(lapply(Insurance, function(x) if (is.factor(x)) as.character(x) else x))

fits <- list(
  dobson = glm(counts ~ outcome + treatment, poisson, dobson, control = control),
  budworm = glm(cbind(dead, alive) ~ sex * ldose, binomial, budworm, control = control),
  budworm_probit = glm(cbind(dead, alive) ~ sex * ldose, binomial("probit"), budworm, control = control),
  clotting = glm(time ~ lot * log(u), Gamma, clotting, control = control),
  clotting_log = glm(time ~ lot * log(u), Gamma("log"), clotting, weights = precision, control = control),
  warps = glm(breaks ~ wool * tension, poisson, warps, control = control),
  warps_quasi = glm(breaks ~ wool * tension, quasipoisson, warps, control = control),
  warps_gaussian = glm(log(breaks) ~ wool * tension, gaussian, warps, weights = precision, control = control),
  # glm finds a column aliased at min(1e-7, epsilon / 1000): the tight control would keep this one
  warps_aliased = glm(breaks ~ wool + again + tension, poisson, warps),
  warps_no_intercept = glm(breaks ~ 0 + wool + tension, poisson, warps, control = control),
  insurance = glm(Claims ~ District + Group + Age + offset(log(Holders)), poisson, insurance, control = control)
)
scopes <- list(dobson = ~ outcome * treatment, budworm = ~ . + I(ldose^2), budworm_probit = ~ . + I(ldose^2),
               clotting = ~ . + I(log(u)^2), clotting_log = ~ . + I(log(u)^2))

rows <- list()
keep <- function(case, table, frame) {
  for (j in colnames(frame)) for (i in rownames(frame))
    rows[[length(rows) + 1]] <<- data.frame(case, table, row = trimws(i), column = j,
                                            value = sprintf("%.17g", as.numeric(frame[i, j])))
}
for (case in names(fits)) {
  m <- fits[[case]]
  for (test in c("LRT", "F", "Rao")) {
    keep(case, paste("anova", test), as.data.frame(anova(m, test = test)))
    keep(case, paste("drop1", test), as.data.frame(drop1(m, test = test)))
  }
  if (!is.null(scopes[[case]])) keep(case, "add1 Rao", as.data.frame(add1(m, scopes[[case]], test = "Rao")))
  keep(case, "fit", data.frame(logLik = as.numeric(logLik(m)), AIC = AIC(m), BIC = BIC(m), null = m$null.deviance,
                               deviance = deviance(m), dispersion = summary(m)$dispersion, row.names = "fit"))
}
# add1's Rao score is 0 where there is an offset (R 4.2.2): it fits the working residuals with the offset, too
for (term in c("District:Group", "District:Age"))
  keep("insurance", paste("compare Rao", term),
       as.data.frame(anova(fits$insurance, update(fits$insurance, paste("~ . +", term)), test = "Rao")))
small <- glm(time ~ log(u), Gamma, clotting, control = control)
for (test in c("LRT", "F")) keep("clotting", paste("compare", test), as.data.frame(anova(small, fits$clotting, test = test)))
write.csv(do.call(rbind, rows), "nested.csv", row.names = FALSE, quote = FALSE)
for (name in c("dobson", "budworm", "clotting", "warps", "insurance"))
  write.csv(get(name), paste0(name, ".csv"), row.names = FALSE, quote = FALSE)
