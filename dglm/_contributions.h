/* What a family's loop over rows is to the loop that multiplies them: `_short_rows.c` is given one by its address. */

/* Sums that a loop keeps: this many lanes for each, added up in an order that does not depend on the registers. */
#define LANES_OF_SUMS 8

/* Write w_i dl_i / deta_i and the information w_i (dmu_i / deta_i)^2 / V(mu_i) of n rows, zero where w_i is; w is ones
   where there is none. Write unit deviances where there is room for them. Add w_i d(y_i, mu_i) to the first lanes of
   sums and w_i (y_i - mu_i)^2 / V(mu_i) to those after them, where there are sums: row i of a call to lane i modulo
   LANES_OF_SUMS. Registers are of `width` doubles, as `dglm_widest` says or fewer. */
typedef void contributions(int width, ptrdiff_t n, const double *y, const double *eta, const double *w, double *score,
                           double *information, double *deviance, double *sums);
