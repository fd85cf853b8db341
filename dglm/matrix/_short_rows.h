/* The loops of _short_rows.c, which includes this once for each type of number and set of instructions.

   number: type of the stored rows; WIDTH: doubles in a register; TARGET: attribute that allows such registers;
   NAME(x): x with a suffix of both.

   All sums are made in an order that does not depend on WIDTH, so that every set of instructions that rounds FUSED once
   brings the same bits. */

typedef double NAME(lanes) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAME(bits) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef number NAME(raw) __attribute__((vector_size(WIDTH * sizeof(number)), aligned(1), may_alias));

#define LANES(pointer) (*(NAME(lanes) *)(pointer))
#define BITS(pointer) (*(NAME(bits) *)(pointer))
#define NUMBERS(row, j) __builtin_convertvector(*(const NAME(raw) *)((row) + (j)), NAME(lanes))
#define EACH(number) ((number) - (NAME(lanes)){0})
#define DEVIATIONS(row, centre, j) (NUMBERS(row, j) - LANES((centre) + (j)))
#define INLINE TARGET static inline __attribute__((always_inline))
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLED(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLED(a, b, ...) __builtin_shuffle(a, b, (NAME(bits)){__VA_ARGS__})
#endif

/* Make columns of rows. */
INLINE void NAME(transpose)(NAME(lanes) *t)
{
#if WIDTH == 8
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += 2) {
        const NAME(lanes) a = t[i], b = t[i + 1];
        t[i] = SHUFFLED(a, b, 0, 8, 2, 10, 4, 12, 6, 14);
        t[i + 1] = SHUFFLED(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i += i % 4 == 1 ? 3 : 1) {
        const NAME(lanes) a = t[i], b = t[i + 2];
        t[i] = SHUFFLED(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
        t[i + 2] = SHUFFLED(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
        const NAME(lanes) a = t[i], b = t[i + 4];
        t[i] = SHUFFLED(a, b, 0, 1, 2, 3, 8, 9, 10, 11);
        t[i + 4] = SHUFFLED(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
    }
#elif WIDTH == 4
#pragma GCC unroll 4
    for (int i = 0; i < 4; i += 2) {
        const NAME(lanes) a = t[i], b = t[i + 1];
        t[i] = SHUFFLED(a, b, 0, 4, 2, 6);
        t[i + 1] = SHUFFLED(a, b, 1, 5, 3, 7);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 2; i++) {
        const NAME(lanes) a = t[i], b = t[i + 2];
        t[i] = SHUFFLED(a, b, 0, 1, 4, 5);
        t[i + 2] = SHUFFLED(a, b, 2, 3, 6, 7);
    }
#else
    const NAME(lanes) a = t[0], b = t[1];
    t[0] = SHUFFLED(a, b, 0, 2);
    t[1] = SHUFFLED(a, b, 1, 3);
#endif
}

/* Add the products of a group of columns of a with one or two registers of columns of b over the rows of a panel. */
INLINE void NAME(block)(const double *restrict a, const double *restrict b,
                                                                     ptrdiff_t q, double *restrict out, const int registers)
{
    NAME(lanes) s[2][GROUP] = {{{0}}};
    for (int i = 0; i < PANEL; i++, a += q, b += q)
#pragma GCC unroll 8
        for (int j = 0; j < GROUP; j++)
#pragma GCC unroll 2
            for (int k = 0; k < registers; k++)
                s[k][j] = FUSED(EACH(a[j]), LANES(b + k * WIDTH), s[k][j]);
#pragma GCC unroll 8
    for (int j = 0; j < GROUP; j++)
#pragma GCC unroll 2
        for (int k = 0; k < registers; k++)
            LANES(out + j * q + k * WIDTH) += s[k][j];
}

/* Add the weighted rows of a panel, which were gathered, to the sums within their levels, and their weights to the tables
   of two factors; factor by factor, so that what a row adds to need not wait for what it added to before. */
INLINE void NAME(within)(const struct levels *by, ptrdiff_t start, ptrdiff_t m, ptrdiff_t q,
                                const double *restrict weighted, const double *w, const double *r)
{
    double each[PANEL];
    for (ptrdiff_t a = 0; a < by->k; a++) {
        const int32_t *codes = by->codes_here + a * PANEL;
        const loose_double *numbers = numbers_of(by, a, start);
        for (ptrdiff_t i = 0; r && i < m; i++)
            by->totals[by->starts[a] + codes[i]] += numbers ? numbers[i] * r[i] : r[i];
        if (!w)
            continue;
        for (ptrdiff_t i = 0; i < m; i++) {
            double *restrict sums = by->sums + (by->starts[a] + codes[i]) * q;
            if (numbers)
                for (ptrdiff_t j = 0; j < q; j += WIDTH)
                    LANES(sums + j) = FUSED(EACH(numbers[i]), LANES(weighted + i * q + j), LANES(sums + j));
            else
                for (ptrdiff_t j = 0; j < q; j += WIDTH)
                    LANES(sums + j) += LANES(weighted + i * q + j);
            each[i] = numbers ? numbers[i] * w[i] : w[i];
        }
        for (ptrdiff_t b = 0; b < a; b++) {
            const ptrdiff_t offset = by->offsets[a * by->k + b], n_levels = by->n_levels[b];
            const int32_t *others = by->codes_here + b * PANEL;
            const loose_double *times = numbers_of(by, b, start);
            for (ptrdiff_t i = 0; offset >= 0 && i < m; i++)
                by->tables[offset + codes[i] * n_levels + others[i]] += times ? each[i] * times[i] : each[i];
        }
    }
}

/* Write rows less the centre to a panel, from columns that are stored one after the other. */
INLINE void NAME(from_columns)(const number *restrict x, ptrdiff_t m, ptrdiff_t p, ptrdiff_t along, ptrdiff_t q,
                               const double *restrict centre, double *restrict deviations)
{
    const NAME(lanes) zero = {0};
    if (m < PANEL) {
        for (ptrdiff_t i = 0; i < m; i++)
            for (ptrdiff_t j = 0; j < q; j++)
                deviations[i * q + j] = j < p ? (double)x[j * along + i] - centre[j] : j == p;
        return;
    }
    /* whole registers of a few columns at a time: a number by itself would be written to a line of the cache for each */
    for (ptrdiff_t j = 0; j < q; j += WIDTH)
        for (ptrdiff_t i = 0; i < PANEL; i += WIDTH) {
            NAME(lanes) columns[WIDTH];
#pragma GCC unroll 8
            for (ptrdiff_t k = 0; k < WIDTH; k++)
                columns[k] = j + k < p ? NUMBERS(x + (j + k) * along, i) - centre[j + k] : zero + (double)(j + k == p);
            for (ptrdiff_t k = 0; k < WIDTH && j + k < p && i * sizeof(number) % LINE == 0; k++)
                __builtin_prefetch(x + (j + k) * along + i + PANELS_AHEAD * PANEL);
            NAME(transpose)(columns);
#pragma GCC unroll 8
            for (ptrdiff_t k = 0; k < WIDTH; k++)
                LANES(deviations + (i + k) * q + j) = columns[k];
        }
}

/* Write the linear predictors of the rows of a panel, in the order of additions of `linear`. */
INLINE void NAME(predict)(const struct rows *at, ptrdiff_t start, ptrdiff_t m, ptrdiff_t q, const double *restrict slope,
                                const double *restrict deviations, const struct levels *by, double *restrict eta)
{
    /* those after the last row, too: they are zeros */
    for (ptrdiff_t i = 0; i < PANEL; i += WIDTH) {
        NAME(lanes) s[GROUP];
#pragma GCC unroll 8
        for (ptrdiff_t k = 0; k < GROUP; k += WIDTH) {
#pragma GCC unroll 8
            for (ptrdiff_t row = 0; row < WIDTH; row++) {
                const double *d = deviations + (i + row) * q + k;
                NAME(lanes) sum = LANES(d + q - GROUP) * LANES(slope + q - GROUP + k);
                for (ptrdiff_t j = 0; j < q - GROUP; j += GROUP)
                    sum = FUSED(LANES(d + j), LANES(slope + j + k), sum);
                s[k + row] = sum;
            }
            NAME(transpose)(s + k);
        }
        LANES(eta + i) = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) + at->constant;
    }
    if (by)
        add_effects(by, start, m, at->effects, eta);
    for (ptrdiff_t i = 0; at->offset && i < m; i++)
        eta[i] += at->offset[start + i];
}

INLINE int NAME(products_padded)(
    int width, const number *restrict x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t across, ptrdiff_t along,
    const double *restrict centre, const struct rows *at, const struct sums *total, const struct levels *by, const ptrdiff_t q)
{
    const ptrdiff_t whole = q - GROUP, end = (n - 1) * across + p;
    double deviations[PANEL * MOST_PADDED] ALIGNED, weighted[PANEL * MOST_PADDED] ALIGNED, middle[MOST_PADDED] ALIGNED;
    double slope[MOST_PADDED] ALIGNED, eta[PANEL] ALIGNED, score[PANEL] ALIGNED, information[PANEL] ALIGNED;
    double one[GROUP] ALIGNED;
    long long kept[GROUP] ALIGNED;
    number tail[MOST_PADDED] = {0};
    const struct sums *sums = total->span ? total->span : total;

    pad(centre, p, middle);
    if (at->contribute)
        pad(at->beta, p, slope);
    keep(p - whole, kept);
    for (int j = 0; j < GROUP; j++)
        one[j] = j == p - whole;
    for (ptrdiff_t start = 0; start < n; start += PANEL) {
        const ptrdiff_t m = n - start < PANEL ? n - start : PANEL;
        const double *w = at->w ? at->w + start : 0, *r = at->r ? at->r + start : 0;
        if (m < PANEL) {
            memset(deviations, 0, sizeof(double) * PANEL * q);
            memset(weighted, 0, sizeof(double) * PANEL * q);
        }
        if (along != 1)
            NAME(from_columns)(x + start, m, p, along, q, middle, deviations);
        for (ptrdiff_t i = 0; along == 1 && i < m; i++) {
            const number *row = x + (start + i) * across;
            double *restrict d = deviations + i * q;
            for (ptrdiff_t j = 0; j < p; j += LINE / sizeof(number))
                __builtin_prefetch(row + AHEAD / sizeof(number) + j);
            if ((start + i) * across + whole + GROUP > end)
                row = memcpy(tail, row, p * sizeof(number));
            for (ptrdiff_t j = 0; j < whole; j += WIDTH)
                LANES(d + j) = DEVIATIONS(row, middle, j);
#pragma GCC unroll 8
            for (ptrdiff_t j = 0; j < GROUP; j += WIDTH) {
                /* what follows the row in memory may be anything, nan too */
                const NAME(bits) v = (NAME(bits))DEVIATIONS(row, middle, whole + j) & BITS(kept + j);
                LANES(d + whole + j) = (NAME(lanes))v + LANES(one + j);
            }
        }
        if (by && gather(by, start, m))
            return 1;
        if (at->contribute) {
            NAME(predict)(at, start, m, q, slope, deviations, by, eta);
            at->contribute(width, m, at->y + start, eta, at->weights ? at->weights + start : 0, score, information, 0,
                           sums->contributions);
            r = score;
            w = sums->second ? information : 0;
        }
        if (w) {
            for (ptrdiff_t i = 0; i < m; i++)
                for (ptrdiff_t j = 0; j < q; j += WIDTH)
                    LANES(weighted + i * q + j) = w[i] * LANES(deviations + i * q + j);
            for (ptrdiff_t i = 0; i < q; i += GROUP)
                for (ptrdiff_t j = i; j < q; j += REGISTERS * WIDTH)
                    if (REGISTERS == 2 && j + WIDTH < q)
                        NAME(block)(deviations + i, weighted + j, q, sums->second + i * q + j, 2);
                    else
                        NAME(block)(deviations + i, weighted + j, q, sums->second + i * q + j, 1);
        }
        if (by)
            NAME(within)(by, start, m, q, weighted, w, r);
        if (r)
            for (ptrdiff_t j = 0; j < q; j += WIDTH) {
                NAME(lanes) even = {0}, odd = {0};
                ptrdiff_t i = 0;
                for (; i + 1 < m; i += 2) {
                    even = FUSED(EACH(r[i]), LANES(deviations + i * q + j), even);
                    odd = FUSED(EACH(r[i + 1]), LANES(deviations + (i + 1) * q + j), odd);
                }
                if (i < m)
                    even = FUSED(EACH(r[i]), LANES(deviations + i * q + j), even);
                LANES(sums->cross + j) += even + odd;
            }
        if (total->span && (start % SPAN == SPAN - PANEL || start + PANEL >= n))
            move(total, q);
    }
    return 0;
}

/* The same of q known to the compiler, where a row is so short that counting to q would be most of what is done. */
TARGET static int NAME(products)(int width, const number *restrict x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t across,
                                 ptrdiff_t along, const double *restrict centre, const struct rows *at,
                                 const struct sums *total, const struct levels *by)
{
    switch (padded(p + 1)) {
    case 8:
        return NAME(products_padded)(width, x, n, p, across, along, centre, at, total, by, 8);
    case 16:
        return NAME(products_padded)(width, x, n, p, across, along, centre, at, total, by, 16);
    case 24:
        return NAME(products_padded)(width, x, n, p, across, along, centre, at, total, by, 24);
    case 32:
        return NAME(products_padded)(width, x, n, p, across, along, centre, at, total, by, 32);
    default:
        return NAME(products_padded)(width, x, n, p, across, along, centre, at, total, by, padded(p + 1));
    }
}

/* Return whether any of so many numbers, one after the other, is none. */
TARGET static int NAME(has_nan)(const number *restrict x, ptrdiff_t count)
{
    NAME(bits) found = {0};
    ptrdiff_t i = 0;
    for (; i + 4 * WIDTH <= count; i += 4 * WIDTH)
#pragma GCC unroll 4
        for (ptrdiff_t k = 0; k < 4; k++) {
            const NAME(lanes) values = NUMBERS(x, i + k * WIDTH);
            found |= values != values;
        }
    long long any = 0;
    for (int k = 0; k < WIDTH; k++)
        any |= found[k];
    for (; i < count; i++)
        any |= x[i] != x[i];
    return any != 0;
}

TARGET static void NAME(linear)(const number *restrict x, ptrdiff_t n, ptrdiff_t p, ptrdiff_t across, ptrdiff_t along,
                                const double *restrict centre, const double *restrict beta, double constant,
                                double *restrict eta)
{
    const ptrdiff_t whole = p / GROUP * GROUP, end = (n - 1) * across + p;
    double middle[MOST_PADDED] ALIGNED, slope[MOST_PADDED] ALIGNED;
    long long kept[GROUP] ALIGNED;
    number tail[MOST_PADDED] = {0};

    pad(centre, p, middle);
    pad(beta, p, slope);
    keep(p - whole, kept);
    if (along != 1) {
        /* several rows at once: as many sums as an addition takes steps */
        ptrdiff_t i = 0;
        for (; i + 4 * WIDTH <= n; i += 4 * WIDTH) {
            NAME(lanes) sums[4] = {{0}};
            for (ptrdiff_t j = 0; j < p; j++)
#pragma GCC unroll 4
                for (ptrdiff_t k = 0; k < 4; k++)
                    sums[k] = FUSED(NUMBERS(x + i + k * WIDTH, j * along) - middle[j], EACH(slope[j]), sums[k]);
            for (ptrdiff_t k = 0; k < 4; k++)
                LANES(eta + i + k * WIDTH) = sums[k] + constant;
        }
        for (; i < n; i++) {
            NAME(lanes) sum = {0};
            for (ptrdiff_t j = 0; j < p; j++)
                sum = FUSED(EACH((double)x[i + j * along] - middle[j]), EACH(slope[j]), sum);
            eta[i] = sum[0] + constant;
        }
        return;
    }
    for (ptrdiff_t i = 0; i < n; i++) {
        const number *row = x + i * across;
        double s[GROUP] ALIGNED;
        if (i * across + whole + GROUP > end)
            row = memcpy(tail, row, p * sizeof(number));
#pragma GCC unroll 8
        for (ptrdiff_t k = 0; k < GROUP; k += WIDTH) {
            const NAME(bits) v = (NAME(bits))DEVIATIONS(row, middle, whole + k) & BITS(kept + k);
            NAME(lanes) sum = (NAME(lanes))v * LANES(slope + whole + k);
            for (ptrdiff_t j = 0; j < whole; j += GROUP)
                sum = FUSED(DEVIATIONS(row, middle, j + k), LANES(slope + j + k), sum);
            LANES(s + k) = sum;
        }
        eta[i] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7])) + constant;
    }
}

#undef LANES
#undef BITS
#undef NUMBERS
#undef DEVIATIONS
#undef EACH
#undef INLINE
#undef SHUFFLED
