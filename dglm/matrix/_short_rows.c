/* X beta, X'r and X'WX of rows of a few numbers, read once, centred on the way; `dglm.matrix.short_rows` calls them.
   Where r and W follow from X beta by a family's loop, its sums are made on the way, too, and no vector is written.

   BLAS and numpy do this in four sweeps, each mostly overhead where a row is short. Rows are taken in panels that stay
   in the first cache; a panel's products fill registers, a group of eight columns against as many as fit into one.
   Source: Goto & van de Geijn (2008), "Anatomy of high-performance matrix multiplication", sections 4 to 6.

   ctypes loads the library, and the interpreter's lock is free while it runs. */

#include "../_module.h"
#include "../_widths.h"
#include "../_contributions.h"

MODULE(_short_rows)

#define PANEL 32
#define GROUP 8
#define MOST_PADDED 256
/* Memory that is asked for beforehand, as processors themselves look ahead within a page, and along few columns only: so
   many bytes of rows, and panels of columns. */
#define LINE 64
#define AHEAD 8192
#define PANELS_AHEAD 2
#define ALIGNED __attribute__((aligned(64)))

/* Rows that came from another process begin anywhere. */
typedef double loose_double __attribute__((aligned(1), may_alias));
typedef float loose_float __attribute__((aligned(1), may_alias));
typedef int16_t loose_int16 __attribute__((aligned(1), may_alias));
typedef int32_t loose_int32 __attribute__((aligned(1), may_alias));
typedef int64_t loose_int64 __attribute__((aligned(1), may_alias));

/* The next multiple of GROUP. */
static ptrdiff_t padded(ptrdiff_t k) { return (k + GROUP - 1) / GROUP * GROUP; }

/* Copy p numbers, with zeros after them. */
static void pad(const double *from, ptrdiff_t p, double *to)
{
    memset(to, 0, sizeof(double) * MOST_PADDED);
    memcpy(to, from, sizeof(double) * p);
}

/* Set the bits of the first k numbers of a group. */
static void keep(ptrdiff_t k, long long *kept)
{
    for (ptrdiff_t j = 0; j < GROUP; j++)
        kept[j] = j < k ? -1 : 0;
}

/* Factors beside the numbers of the rows, k of them, and sums within their levels. */
struct levels {
    ptrdiff_t k;
    const void *const *codes;     /* (k,) of (n,) integers */
    const ptrdiff_t *widths;      /* (k,), bytes of each integer */
    const void *const *numbers;   /* (k,) of (n,) doubles, what multiplies indicators, each or none */
    const ptrdiff_t *n_levels;    /* (k,) */
    const ptrdiff_t *starts;      /* (k,) of the levels of each factor among those of all */
    const ptrdiff_t *offsets;     /* (k, k) of tables of two factors, the later one first, -1 where there is none */
    int32_t *codes_here;          /* (k, PANEL), room for those of a panel */
    double *sums;                 /* (levels of all, q), of w_i z_i */
    double *totals;               /* (levels of all,), of r_i */
    double *tables;               /* of w_i */
};

/* What multiplies the rows: numbers r and weights w, or none; or what a family makes of the linear predictor. */
struct rows {
    const double *w;
    const double *r;
    contributions *contribute; /* or none; then what follows is not looked at */
    const double *y;
    const double *offset;      /* or none */
    const double *weights;     /* or none */
    const double *beta;        /* (p,) */
    const double *effects;     /* (levels of all,), where there are factors */
    double constant;
};

/* Where sums are added to. Those of a span of rows are made by themselves first where there is room for them, so that
   rounding does not grow with the number of rows. */
struct sums {
    double *second;        /* (q, q), or none */
    double *cross;         /* (q,) */
    double *contributions; /* as a family's loop has them */
    const struct sums *span;
};

#define SPAN (512 * PANEL)

/* Add the sums of a span to those of all rows, and begin anew. */
static void move_each(double *restrict to, double *restrict from, ptrdiff_t k)
{
    for (ptrdiff_t i = 0; i < k; i++) {
        to[i] += from[i];
        from[i] = 0.0;
    }
}

static void move(const struct sums *total, ptrdiff_t q)
{
    if (total->second)
        move_each(total->second, total->span->second, q * q);
    move_each(total->cross, total->span->cross, q);
    move_each(total->contributions, total->span->contributions, 2 * LANES_OF_SUMS);
}

#define GATHERED(integer)                                                                                              \
    for (ptrdiff_t i = 0; i < m; i++) {                                                                                \
        const integer code = ((const integer *)by->codes[a])[start + i];                                               \
        beyond |= code < 0 || code >= by->n_levels[a];                                                                 \
        here[i] = (int32_t)code;                                                                                       \
    }

/* Bring the levels of m rows from `start` on together. Return whether a code is of no level. */
static int gather(const struct levels *by, ptrdiff_t start, ptrdiff_t m)
{
    int beyond = 0;
    for (ptrdiff_t a = 0; a < by->k; a++) {
        int32_t *restrict here = by->codes_here + a * PANEL;
        if (by->widths[a] == 1)
            GATHERED(int8_t)
        else if (by->widths[a] == 2)
            GATHERED(loose_int16)
        else if (by->widths[a] == 4)
            GATHERED(loose_int32)
        else
            GATHERED(loose_int64)
    }
    return beyond;
}

/* The numbers that multiply the indicators of a factor, from row `start` on; none for ones. */
static const loose_double *numbers_of(const struct levels *by, ptrdiff_t a, ptrdiff_t start)
{
    return by->numbers[a] ? (const loose_double *)by->numbers[a] + start : 0;
}

/* Add to eta_i of m rows from `start` on, which were gathered, the effects of their levels, times their numbers. */
static void add_effects(const struct levels *by, ptrdiff_t start, ptrdiff_t m, const double *effects, double *eta)
{
    double sums[PANEL] = {0};
    for (ptrdiff_t a = 0; a < by->k; a++) {
        const int32_t *codes = by->codes_here + a * PANEL;
        const double *of_levels = effects + by->starts[a];
        const loose_double *numbers = numbers_of(by, a, start);
        if (numbers)
            for (ptrdiff_t i = 0; i < m; i++)
                sums[i] += of_levels[codes[i]] * numbers[i];
        else
            for (ptrdiff_t i = 0; i < m; i++)
                sums[i] += of_levels[codes[i]];
    }
    for (ptrdiff_t i = 0; i < m; i++)
        eta[i] += sums[i];
}

#define NAME(x) JOIN(JOIN(x, TYPE), ISA)

/* Registers of columns that are multiplied with a group at once: as many as the sums leave room for. */
#define REGISTERS (WIDTH == 8 ? 2 : 1)
#define LOOPS "matrix/_short_rows.h"

#define number loose_double
#define TYPE f64
#include "../_each_width.h"
#undef number
#undef TYPE

#define number loose_float
#define TYPE f32
#include "../_each_width.h"
#undef number
#undef TYPE

/* Add sum_i w_i z_i z_i', z_i = (x_i - centre, 1), to the second sums, (q, q) with q = p + 1 padded, and sum_i r_i z_i to
   the cross sums, as far as there are w and r; and where there are factors, the sums within their levels. Rows of p
   numbers begin every `across` numbers, columns every `along`, and one of them is 1; registers are of `width` doubles, as
   `dglm_widest` says or fewer. Return whether a code is of no level. */
#define PRODUCTS(number, type)                                                                                         \
    int dglm_products_##type(int width, const number *x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t across,                   \
                             ptrdiff_t along, const double *centre, const struct rows *at, const struct sums *total,   \
                             const struct levels *by)                                                                  \
    {                                                                                                                  \
        const ptrdiff_t q = padded(p + 1);                                                                             \
        if (OF_WIDTH(JOIN(products, type), width)(width, x, n, p, across, along, centre, at, total, by))               \
            return 1;                                                                                                  \
        for (ptrdiff_t i = 0; total->second && i < q; i++)                                                             \
            for (ptrdiff_t j = 0; j < i; j++)                                                                          \
                total->second[i * q + j] = total->second[j * q + i];                                                   \
        return 0;                                                                                                      \
    }

/* Write eta_i = (x_i - centre)'beta + constant. Return 0. */
#define LINEAR(number, type)                                                                                           \
    int dglm_linear_##type(int width, const number *x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t across,                     \
                           ptrdiff_t along, const double *centre, const double *beta, double constant, double *eta)    \
    {                                                                                                                  \
        OF_WIDTH(JOIN(linear, type), width)(x, n, p, across, along, centre, beta, constant, eta);                      \
        return 0;                                                                                                      \
    }

/* Return whether any number of m rows or columns, `apart` from one another, is none. */
#define HAS_NAN(number, type)                                                                                          \
    int dglm_has_nan_##type(int width, const number *x, ptrdiff_t m, ptrdiff_t count, ptrdiff_t apart)                 \
    {                                                                                                                  \
        int any = 0;                                                                                                   \
        for (ptrdiff_t i = 0; i < m && !any; i++)                                                                      \
            any = OF_WIDTH(JOIN(has_nan, type), width)(x + i * apart, count);                                          \
        return any;                                                                                                    \
    }

PRODUCTS(loose_double, f64)
PRODUCTS(loose_float, f32)
LINEAR(loose_double, f64)
LINEAR(loose_float, f32)
HAS_NAN(loose_double, f64)
HAS_NAN(loose_float, f32)

/* Add to eta_i the effects of the levels of a row. Return whether a code is of no level. */
int dglm_effects(ptrdiff_t n, const struct levels *by, const double *effects, double *eta)
{
    for (ptrdiff_t start = 0; start < n; start += PANEL) {
        const ptrdiff_t m = n - start < PANEL ? n - start : PANEL;
        if (gather(by, start, m))
            return 1;
        add_effects(by, start, m, effects, eta + start);
    }
    return 0;
}
