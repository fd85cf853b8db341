# Reference values of R's sandwich package: validation/sandwich/values.csv, from validation/sandwich/rows.csv.
# Run in this directory: Rscript sandwich.R. The values that are committed are of R 4.2.2 and sandwich 3.0-2.
library(sandwich)

rows <- read.csv("rows.csv", stringsAsFactors = TRUE)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
models <- list(
  poisson_log = glm(count ~ x + z, family = poisson(), data = rows, offset = log(time), control = tight),
  poisson_sqrt = glm(count ~ x + z, family = poisson("sqrt"), data = rows, control = tight),
  binomial_probit = glm(share ~ x + level, family = binomial("probit"), data = rows, weights = trials, control = tight),
  gamma_log = glm(size ~ x + level, family = Gamma("log"), data = rows, weights = precision, control = tight),
  gaussian_identity = glm(size ~ x * z, data = rows, weights = precision)
)
out <- data.frame()
for (name in names(models)) {
  m <- models[[name]]
  covariances <- list(nonrobust = vcov(m))
  for (type in c("HC0", "HC1", "HC2", "HC3")) covariances[[type]] <- vcovHC(m, type = type)
  # with type = "HC1" the factor (n - 1) / (n - k) comes on top of G / (G - 1)
  covariances$firm <- vcovCL(m, cluster = ~ firm, type = "HC1")
  covariances$firm_uncorrected <- vcovCL(m, cluster = ~ firm, type = "HC0", cadjust = FALSE)
  covariances$firm_year <- vcovCL(m, cluster = ~ firm + year, type = "HC1")
  for (kind in names(covariances)) {
    V <- covariances[[kind]]
    for (i in seq_len(nrow(V))) for (j in seq_len(i)) {
      out <- rbind(out, data.frame(model = name, kind = kind, row = i - 1, column = j - 1,
                                   value = sprintf("%.17g", V[i, j])))
    }
  }
}
write.csv(out, "values.csv", row.names = FALSE, quote = FALSE)
