# The reference of tests/test_shape.py: MASS::glm.nb on its quine data, with tolerances at which only rounding is left.
# Run from the repository's root: Rscript validation/negative_binomial.R
# It writes validation/quine.csv (the data) and validation/negative_binomial.csv (the estimates).
library(MASS)
options(digits = 17)

write.csv(quine, "validation/quine.csv", row.names = FALSE)

formulas <- c(
  "Days ~ 1",
  "Days ~ Eth + Sex + Age + Lrn",
  "Days ~ Sex + Age + Eth * Lrn",
  "Days ~ Eth * Sex * Age * Lrn"
)
rows <- list()
add <- function(formula, weights, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(formula, weights, name, value = sprintf("%.17g", value))
}
for (formula in formulas) {
  for (weights in c("none", "counts")) {
    data <- transform(quine, w = if (weights == "none") 1 else rep(c(1, 2, 3), length.out = nrow(quine)))
    control <- glm.control(epsilon = 1e-14, maxit = 200)
    fit <- suppressWarnings(glm.nb(as.formula(formula), data = data, weights = w, control = control))
    # theta and the coefficients take turns until the likelihood settles, which leaves both at half of its digits; so
    # polish them, with iterations that no criterion stops
    endless <- glm.control(epsilon = 1e-300, maxit = 60)
    for (i in 1:30) {
      theta <- suppressWarnings(theta.ml(data$Days, fitted(fit), weights = data$w, limit = 100, eps = 1e-15))
      fit <- suppressWarnings(
        glm(as.formula(formula), family = negative.binomial(theta), data = data, weights = w, control = endless)
      )
    }
    summarised <- summary(fit, dispersion = 1)
    coefficients <- summarised$coefficients
    for (term in rownames(coefficients)) {
      add(formula, weights, paste0("coef:", term), coefficients[term, 1])
      add(formula, weights, paste0("se:", term), coefficients[term, 2])
    }
    density <- dnbinom(data$Days, size = theta, mu = fitted(fit), log = TRUE)
    add(formula, weights, "theta", as.numeric(theta))
    add(formula, weights, "se_theta", attr(theta, "SE"))
    add(formula, weights, "twologlik", 2 * sum(data$w * density))
    add(formula, weights, "deviance", deviance(fit))
    add(formula, weights, "null_deviance", fit$null.deviance)
  }
}
write.csv(do.call(rbind, rows), "validation/negative_binomial.csv", row.names = FALSE, quote = FALSE)
