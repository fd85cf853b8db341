/* Contributions of rows under canonical links, from one exponential and few logarithms; `dglm.families.loops` has them.

   In numpy they are twenty sweeps over vectors, between which threads wait for the interpreter's lock.
   Source of the reductions: Muller (2016), "Elementary Functions", 3rd edition, sections 11.1 and 6.3. */

#include "../_module.h"
#include "../_widths.h"
#include "../_contributions.h"

MODULE(_contributions)

/* Added to a double, this leaves the nearest integer in its last bits. */
#define SHIFT 0x1.8p52
#define LOG2_E 0x1.71547652b82fep0
/* log 2 in two parts, the first with zeros at its end, so that its products with k are exact. */
#define LOG_2_HIGH 0x1.62e42feep-1
#define LOG_2_LOW 0x1.a39ef35793c76p-33
#define ROOT_2 0x1.6a09e667f3bcdp0
#define SIGN ((long long)1 << 63)
#define FRACTION (((long long)1 << 52) - 1)
#define DEGREE 13
/* Terms of the series of artanh(s) for s up to 1/3, and up to (root of 2 - 1) / (root of 2 + 1). */
#define TERMS_OF_THIRD 17
#define TERMS_OF_ROOT 10

/* 1 / 13!, ..., 1 / 1!: what follows is below a quarter of an ulp for |r| <= log(2) / 2. */
static const double INVERSE_FACTORIALS[DEGREE] = {
    1.0 / 6227020800.0, 1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
    1.0 / 720.0,        1.0 / 120.0,       1.0 / 24.0,       1.0 / 6.0,       0.5,            1.0,
};

#define NAME(x) JOIN(x, ISA)

#define LOOPS "families/_contributions.h"
#include "../_each_width.h"

#define CONTRIBUTIONS(family)                                                                                          \
    void dglm_##family(int width, ptrdiff_t n, const double *y, const double *eta, const double *w, double *score,     \
                       double *information, double *deviance, double *sums)                                            \
    {                                                                                                                  \
        OF_WIDTH(family, width)(n, y, eta, w, score, information, deviance, sums);                                     \
    }

CONTRIBUTIONS(logistic)
CONTRIBUTIONS(poisson)
CONTRIBUTIONS(gaussian)
