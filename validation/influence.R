# Values of R's diagnostics and predictions for four data sets that its manuals use, to be compared with by
# tests/test_diagnostics.py. Made by: Rscript validation/influence.R > validation/influence.csv
control <- list(epsilon = 1e-15, maxit = 100)
clotting <- data.frame(u = c(5, 10, 15, 20, 30, 40, 60, 80, 100), lot1 = c(118, 58, 42, 35, 27, 25, 21, 19, 18))
counts <- data.frame(
  counts = c(18, 17, 15, 20, 10, 20, 25, 13, 12), outcome = gl(3, 1, 9), treatment = gl(3, 3)
)
budworm <- data.frame(
  ldose = rep(0:5, 2), dead = c(1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16), sex = factor(rep(c("M", "F"), c(6, 6)))
)
fits <- list(
  gamma = glm(lot1 ~ log(u), data = clotting, family = Gamma, control = control),
  poisson = glm(counts ~ outcome + treatment, data = counts, family = poisson(), control = control),
  probit = glm(cbind(dead, 20 - dead) ~ sex + ldose, data = budworm, family = binomial(probit), control = control),
  gaussian = glm(dist ~ speed, data = cars, weights = speed, family = gaussian, control = control)
)
cat("fit,row,quantity,value\n")
for (name in names(fits)) {
  fit <- fits[[name]]
  link <- predict(fit, type = "link", se.fit = TRUE)
  response <- predict(fit, type = "response", se.fit = TRUE)
  values <- list(
    hat = hatvalues(fit), cooks = cooks.distance(fit), std_deviance = rstandard(fit),
    std_pearson = rstandard(fit, type = "pearson"), linear_se = link$se.fit, mean_se = response$se.fit,
    mean = response$fit
  )
  for (quantity in names(values)) {
    cat(sprintf("%s,%d,%s,%.17g\n", name, seq_along(values[[quantity]]) - 1L, quantity, values[[quantity]]), sep = "")
  }
}
# intervals for a new observation of a linear model, with and without weights
plain <- predict(lm(dist ~ speed, cars), data.frame(speed = c(4, 15, 40)), interval = "prediction", level = 0.9)
cat(sprintf("lm,%d,%s,%.17g\n", rep(0:2, 2), rep(c("obs_lower", "obs_upper"), each = 3), c(plain[, "lwr"], plain[, "upr"])), sep = "")
