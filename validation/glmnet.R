# Estimates of glmnet on quine.csv, for the conversion of its penalties: Rscript validation/glmnet.R > validation/glmnet.csv
suppressMessages(library(glmnet))
quine <- read.csv("validation/quine.csv", stringsAsFactors = TRUE)
x <- model.matrix(~ Eth + Sex + Age + Lrn, quine)[, -1]
# another unit for one column, so that standardising matters
x[, "SexM"] <- 10 * x[, "SexM"]
w <- rep(1:3, length.out = nrow(x))
factors <- seq(0.5, by = 0.25, length.out = ncol(x))
y <- list(gaussian = quine$Days, binomial = as.numeric(quine$Days > 10), poisson = quine$Days)
lambda <- c(gaussian = 1.5, binomial = 0.04, poisson = 0.8)
options(digits = 17)
cat("family,alpha,standardize,factors,lambda,name,value\n")
for (family in names(y)) for (alpha in c(0, 0.5, 1)) for (standardize in c(TRUE, FALSE)) for (weighted in c(FALSE, TRUE)) {
  fit <- glmnet(x, y[[family]], family = family, weights = w, alpha = alpha, lambda = lambda[[family]],
                standardize = standardize, penalty.factor = if (weighted) factors else rep(1, ncol(x)),
                thresh = 1e-18, maxit = 1e7)
  b <- as.matrix(coef(fit))[, 1]
  cat(sprintf("%s,%g,%s,%s,%g,%s,%.15g\n", family, alpha, standardize, weighted, lambda[[family]], names(b), b), sep = "")
}
