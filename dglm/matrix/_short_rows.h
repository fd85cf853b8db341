/* The loops of _short_rows.c, which includes this once for each type of number and set of instructions.

   number: type of the stored rows; WIDTH: doubles in a register; TARGET: attribute that allows such registers;
   NAME(x): x with a suffix of both.

   All sums are made in an order that does not depend on WIDTH, so that every set of instructions that multiplies and
   adds in one step brings the same bits. */

typedef double NAME(lanes) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAME(bits) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef number NAME(raw) __attribute__((vector_size(WIDTH * sizeof(number)), aligned(sizeof(number)), may_alias));

#define LANES(pointer) (*(NAME(lanes) *)(pointer))
#define BITS(pointer) (*(NAME(bits) *)(pointer))
#define DEVIATIONS(row, centre, j) (__builtin_convertvector(*(const NAME(raw) *)((row) + (j)), NAME(lanes)) - LANES((centre) + (j)))

/* Add the products of 8 columns of a with WIDTH columns of b over the rows of a panel. */
TARGET static inline __attribute__((always_inline)) void NAME(block)(const double *restrict a, const double *restrict b,
                                                                     ptrdiff_t q, double *restrict out)
{
    NAME(lanes) s[GROUP] = {{0}};
    for (int i = 0; i < PANEL; i++, a += q, b += q) {
        const NAME(lanes) y = LANES(b);
#pragma GCC unroll 8
        for (int j = 0; j < GROUP; j++)
            s[j] += a[j] * y;
    }
#pragma GCC unroll 8
    for (int j = 0; j < GROUP; j++)
        LANES(out + j * q) += s[j];
}

TARGET static void NAME(products)(const number *restrict x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t stride,
                                  const double *restrict centre, const double *restrict w, const double *restrict r,
                                  double *restrict second, double *restrict cross)
{
    const ptrdiff_t q = padded(p + 1), whole = p / GROUP * GROUP, end = (n - 1) * stride + p;
    double deviations[PANEL * MOST_PADDED] ALIGNED, weighted[PANEL * MOST_PADDED] ALIGNED, middle[MOST_PADDED] ALIGNED;
    double one[GROUP] ALIGNED;
    long long kept[GROUP] ALIGNED;
    number tail[MOST_PADDED] = {0};

    pad(centre, p, middle);
    keep(p - whole, kept);
    for (int j = 0; j < GROUP; j++)
        one[j] = j == p - whole;
    for (ptrdiff_t start = 0; start < n; start += PANEL) {
        const ptrdiff_t m = n - start < PANEL ? n - start : PANEL;
        if (m < PANEL) {
            memset(deviations, 0, sizeof(double) * PANEL * q);
            memset(weighted, 0, sizeof(double) * PANEL * q);
        }
        for (ptrdiff_t i = 0; i < m; i++) {
            const number *row = x + (start + i) * stride;
            double *restrict d = deviations + i * q, *restrict e = weighted + i * q;
            const double each = w ? w[start + i] : 0.0;
            if ((start + i) * stride + whole + GROUP > end)
                row = memcpy(tail, row, p * sizeof(number));
            for (ptrdiff_t j = 0; j < whole; j += WIDTH) {
                const NAME(lanes) v = DEVIATIONS(row, middle, j);
                LANES(d + j) = v;
                LANES(e + j) = each * v;
            }
#pragma GCC unroll 8
            for (ptrdiff_t j = 0; j < GROUP; j += WIDTH) {
                /* what follows the row in memory may be anything, nan too */
                const NAME(bits) v = (NAME(bits))DEVIATIONS(row, middle, whole + j) & BITS(kept + j);
                const NAME(lanes) last = (NAME(lanes))v + LANES(one + j);
                LANES(d + whole + j) = last;
                LANES(e + whole + j) = each * last;
            }
        }
        for (ptrdiff_t i = 0; w && i < q; i += GROUP)
            for (ptrdiff_t j = i; j < q; j += WIDTH)
                NAME(block)(deviations + i, weighted + j, q, second + i * q + j);
        if (r)
            for (ptrdiff_t j = 0; j < q; j += WIDTH) {
                NAME(lanes) even = {0}, odd = {0};
                ptrdiff_t i = 0;
                for (; i + 1 < m; i += 2) {
                    even += r[start + i] * LANES(deviations + i * q + j);
                    odd += r[start + i + 1] * LANES(deviations + (i + 1) * q + j);
                }
                if (i < m)
                    even += r[start + i] * LANES(deviations + i * q + j);
                LANES(cross + j) += even + odd;
            }
    }
}

TARGET static void NAME(linear)(const number *restrict x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t stride,
                                const double *restrict centre, const double *restrict beta, double constant,
                                double *restrict eta)
{
    const ptrdiff_t whole = p / GROUP * GROUP, end = (n - 1) * stride + p;
    double middle[MOST_PADDED] ALIGNED, slope[MOST_PADDED] ALIGNED;
    long long kept[GROUP] ALIGNED;
    number tail[MOST_PADDED] = {0};

    pad(centre, p, middle);
    pad(beta, p, slope);
    keep(p - whole, kept);
    for (ptrdiff_t i = 0; i < n; i++) {
        const number *row = x + i * stride;
        double s[GROUP] ALIGNED;
        if (i * stride + whole + GROUP > end)
            row = memcpy(tail, row, p * sizeof(number));
#pragma GCC unroll 8
        for (ptrdiff_t k = 0; k < GROUP; k += WIDTH) {
            const NAME(bits) v = (NAME(bits))DEVIATIONS(row, middle, whole + k) & BITS(kept + k);
            NAME(lanes) sum = (NAME(lanes))v * LANES(slope + whole + k);
            for (ptrdiff_t j = 0; j < whole; j += GROUP)
                sum += DEVIATIONS(row, middle, j + k) * LANES(slope + j + k);
            LANES(s + k) = sum;
        }
        eta[i] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) + constant;
    }
}

#undef LANES
#undef BITS
#undef DEVIATIONS
