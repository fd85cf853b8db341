/* Likelihoods and products of rows of which few entries are stored; `dglm.matrix.sparse_rows` calls them.

   Each stored entry picks a number from p of them and adds to others: where there are many columns, all of these are far
   from the core. A column's coefficient stands beside its sums, and rows are taken in panels so small that what the
   first touch of a column brought near is still there at the second. Within a panel one loop goes over the entries of all
   rows: where rows end is what a processor cannot foresee.

   ctypes loads the library, and the interpreter's lock is free while it runs. */

#include "../_module.h"
#include "../_widths.h"
#include "../_contributions.h"

MODULE(_sparse_rows)

/* Rows of a panel, and stored entries of all of them. */
#define PANEL 64
#define ENTRIES 512
/* Entries whose row is noted at once. */
#define RUN 32
/* Stored entries ahead of which memory is asked for more: by itself it stops at the end of a page. */
#define AHEAD 1024
/* Stored entries for each column, and in all, whose sums are made by themselves, so that rounding does not grow with the
   number of rows: so many that to move their sums costs next to nothing. */
#define SPAN 64
#define LEAST_SPAN (1 << 16)
#define ALIGNED __attribute__((aligned(64)))

/* What came from another process begins anywhere. */
typedef double loose_double __attribute__((aligned(1), may_alias));
typedef float loose_float __attribute__((aligned(1), may_alias));
typedef int32_t loose_int32 __attribute__((aligned(1), may_alias));
typedef int64_t loose_int64 __attribute__((aligned(1), may_alias));

/* What multiplies the rows: numbers r and weights w; or what a family makes of the linear predictor. */
struct rows {
    const double *w;           /* or none */
    const double *r;           /* or none */
    contributions *contribute; /* or none; then what follows is not looked at */
    const double *y;
    const double *offset;      /* or none */
    const double *weights;     /* or none */
};

/* Where sums are added to. Of each column there is its coefficient, sum_i r_i x_ij and, where they are curved,
   sum_i w_i x_ij and sum_i w_i x_ij^2. */
struct sums {
    ptrdiff_t curved;
    double *of_span;       /* (p, 2 or 4) */
    double *of_all;        /* as many; its coefficients are not looked at */
    double *totals;        /* (2, LANES_OF_SUMS), of r_i and w_i: row i of a panel in lane i modulo LANES_OF_SUMS */
    double *contributions; /* as a family's loop has them */
};

/* Stored entries of a panel: row i has those from begins[i] up to begins[i + 1]. */
struct panel {
    ptrdiff_t m;
    ptrdiff_t begins[PANEL + 1];
};

/* Where the last of LANES_OF_SUMS numbers are to be left out, this many from here on. */
static const long long KEPT[2 * LANES_OF_SUMS] = {-1, -1, -1, -1, -1, -1, -1, -1};

/* Add the sums of a span to those of all rows, and begin anew. */
static void move(const struct sums *sums, ptrdiff_t p)
{
    const ptrdiff_t fields = sums->curved ? 4 : 2;
    for (ptrdiff_t j = 0; j < p * fields; j += fields)
        for (ptrdiff_t k = 1; k < fields; k++) {
            sums->of_all[j + k] += sums->of_span[j + k];
            sums->of_span[j + k] = 0.0;
        }
}

#define NAME(x) JOIN(JOIN(x, TYPE), ISA)
#define LOOPS "matrix/_sparse_rows.h"

#define number loose_double
#define integer loose_int32
#define TYPE f64_i32
#include "../_each_width.h"
#undef integer
#undef TYPE

#define integer loose_int64
#define TYPE f64_i64
#include "../_each_width.h"
#undef number
#undef integer
#undef TYPE

#define number loose_float
#define integer loose_int32
#define TYPE f32_i32
#include "../_each_width.h"
#undef integer
#undef TYPE

#define integer loose_int64
#define TYPE f32_i64
#include "../_each_width.h"
#undef number
#undef integer
#undef TYPE

/* Add up n rows of p columns. Row i has the entries from pointers[i] up to pointers[i + 1] of all that are stored, and
   entry k is in column indices[k]. Registers are of `width` doubles, as `dglm_widest` says or fewer. Return whether an
   entry is in no column, or a row has entries that are not stored. */
#define SWEEP(number, integer, type)                                                                                   \
    int dglm_sweep_##type(int width, const number *x, const integer *indices, const integer *pointers, ptrdiff_t n,    \
                          ptrdiff_t p, ptrdiff_t stored, const struct rows *at, const struct sums *sums)               \
    {                                                                                                                  \
        return OF_WIDTH(JOIN(sweep, type), width)(width, x, indices, pointers, n, p, stored, at, sums);                \
    }

SWEEP(loose_double, loose_int32, f64_i32)
SWEEP(loose_double, loose_int64, f64_i64)
SWEEP(loose_float, loose_int32, f32_i32)
SWEEP(loose_float, loose_int64, f32_i64)
