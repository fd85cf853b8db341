/* The loops of _sparse_rows.c, which includes this once for each type of entries and indices and set of instructions.

   number, integer: types of the stored entries and of their columns; WIDTH: doubles in a register; TARGET: attribute that
   allows such registers; NAME(x): x with a suffix of all.

   All sums are made in an order that does not depend on WIDTH, and every product is rounded: all sets of instructions
   bring the same bits. */

typedef double NAME(lanes) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAME(bits) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef double NAME(column) __attribute__((vector_size(32), aligned(8), may_alias));

#define LANES(pointer) (*(NAME(lanes) *)(pointer))
#define BITS(pointer) (*(const NAME(bits) *)(pointer))
#define COLUMN(pointer) (*(NAME(column) *)(pointer))
#define INLINE TARGET static inline __attribute__((always_inline))

/* Return whether an entry is in no column. */
INLINE int NAME(outside)(const integer *indices, ptrdiff_t stored, ptrdiff_t p)
{
    int found = 0;
    for (ptrdiff_t k = 0; k < stored; k++)
        found |= (indices[k] < 0) | (indices[k] >= p);
    return found;
}

/* Write x_i'beta of the rows of a panel. */
INLINE void NAME(predict)(const number *x, const integer *indices, const struct panel *panel, const double *columns,
                          const ptrdiff_t fields, double *eta)
{
    /* there is something to read after the last row, though nothing is made of it */
    double products[2 * ENTRIES + LANES_OF_SUMS] ALIGNED, lanes[LANES_OF_SUMS * LANES_OF_SUMS] ALIGNED;
    const ptrdiff_t *begins = panel->begins, stored = begins[panel->m];
    ptrdiff_t done = 0;
    for (; done + 16 <= stored; done += 16) {
        __builtin_prefetch(x + done + AHEAD);
        __builtin_prefetch((const char *)(x + done + AHEAD) + 64);
        __builtin_prefetch(indices + done + AHEAD);
#pragma GCC unroll 16
        for (ptrdiff_t k = done; k < done + 16; k++)
            products[k] = x[k] * columns[indices[k] * fields];
    }
    for (; done < stored; done++)
        products[done] = x[done] * columns[indices[done] * fields];
    for (ptrdiff_t start = 0; start < panel->m; start += LANES_OF_SUMS) {
        const ptrdiff_t some = panel->m - start < LANES_OF_SUMS ? panel->m - start : LANES_OF_SUMS;
        ptrdiff_t longest = 0;
        for (ptrdiff_t i = start; i < start + some; i++)
            longest = begins[i + 1] - begins[i] > longest ? begins[i + 1] - begins[i] : longest;
        for (ptrdiff_t i = 0; i < some; i++) {
            const double *row = products + begins[start + i];
            const ptrdiff_t length = begins[start + i + 1] - begins[start + i];
            NAME(lanes) sums[LANES_OF_SUMS / WIDTH] = {{0.0}};
            /* as many steps for each of some rows */
            for (ptrdiff_t k = 0; k < longest; k += LANES_OF_SUMS) {
                ptrdiff_t over = k + LANES_OF_SUMS - length;
                over = over < 0 ? 0 : over;
                over = over > LANES_OF_SUMS ? LANES_OF_SUMS : over;
#pragma GCC unroll 8
                for (ptrdiff_t j = 0; j < LANES_OF_SUMS; j += WIDTH)
                    sums[j / WIDTH] += (NAME(lanes))(BITS(row + k + j) & BITS(KEPT + over + j));
            }
#pragma GCC unroll 8
            for (ptrdiff_t j = 0; j < LANES_OF_SUMS; j += WIDTH)
                LANES(lanes + i * LANES_OF_SUMS + j) = sums[j / WIDTH];
        }
        for (ptrdiff_t i = 0; i < some; i++) {
            const double *s = lanes + i * LANES_OF_SUMS;
            eta[start + i] = ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
        }
    }
}

/* Add the rows of a panel, multiplied by r and w, to the sums of their columns. */
INLINE void NAME(add)(const number *x, const integer *indices, const struct panel *panel, const double *r,
                      const double *w, double *columns, const ptrdiff_t fields)
{
    unsigned char row[ENTRIES + RUN];
    const ptrdiff_t *begins = panel->begins, stored = begins[panel->m];
    for (ptrdiff_t i = 0; i < panel->m; i++)
        for (ptrdiff_t k = begins[i]; k < begins[i + 1]; k += RUN)
            memset(row + k, (int)i, RUN);
    if (fields == 2) {
#pragma GCC unroll 4
        for (ptrdiff_t k = 0; k < stored; k++)
            columns[indices[k] * 2 + 1] += r[row[k]] * x[k];
        return;
    }
    double by[4 * PANEL] ALIGNED;
    for (ptrdiff_t i = 0; i < panel->m; i++)
        COLUMN(by + 4 * i) = (NAME(column)){0.0, r[i], w[i], w[i]};
#pragma GCC unroll 4
    for (ptrdiff_t k = 0; k < stored; k++) {
        const double v = x[k];
        const NAME(column) again = {1.0, 1.0, 1.0, v};
        COLUMN(columns + indices[k] * 4) += COLUMN(by + 4 * row[k]) * v * again;
    }
}

/* Do both with a row of more entries than a panel has room for, some at a time. */
INLINE void NAME(predict_long)(const number *x, const integer *indices, ptrdiff_t stored, const double *columns,
                               const ptrdiff_t fields, double *eta)
{
    *eta = 0.0;
    for (ptrdiff_t k = 0; k < stored; k += ENTRIES) {
        const struct panel some = {1, {0, stored - k < ENTRIES ? stored - k : ENTRIES}};
        double sum;
        NAME(predict)(x + k, indices + k, &some, columns, fields, &sum);
        *eta += sum;
    }
}

INLINE void NAME(add_long)(const number *x, const integer *indices, ptrdiff_t stored, const double *r, const double *w,
                           double *columns, const ptrdiff_t fields)
{
    for (ptrdiff_t k = 0; k < stored; k += ENTRIES) {
        const struct panel some = {1, {0, stored - k < ENTRIES ? stored - k : ENTRIES}};
        NAME(add)(x + k, indices + k, &some, r, w, columns, fields);
    }
}

/* Take rows for a panel, as many as there is room for, and one at least; by LANES_OF_SUMS where more follow. Return
   whether one has entries that are not stored. */
INLINE int NAME(take)(const integer *pointers, ptrdiff_t n, ptrdiff_t stored, struct panel *panel)
{
    const ptrdiff_t begin = pointers[0];
    ptrdiff_t m = 0;
    panel->begins[0] = 0;
    while (m < PANEL && m < n) {
        const ptrdiff_t end = pointers[m + 1];
        if (end < pointers[m] || end > stored)
            return 1;
        if (m > 0 && end - begin > ENTRIES)
            break;
        panel->begins[++m] = end - begin;
    }
    panel->m = m < n && m > LANES_OF_SUMS ? m - m % LANES_OF_SUMS : m;
    return 0;
}

INLINE int NAME(panels)(int width, const number *x, const integer *indices, const integer *pointers, ptrdiff_t n,
                        ptrdiff_t p, ptrdiff_t stored, const struct rows *at, const struct sums *sums,
                        const ptrdiff_t fields)
{
    double eta[PANEL] ALIGNED, r[PANEL] ALIGNED = {0.0}, w[PANEL] ALIGNED = {0.0};
    const ptrdiff_t most = SPAN * p > LEAST_SPAN ? SPAN * p : LEAST_SPAN;
    struct panel panel;

    if (pointers[0] < 0)
        return 1;
    for (ptrdiff_t start = 0, of_span = 0; start < n; start += panel.m) {
        const number *xs = x + pointers[start];
        const integer *js = indices + pointers[start];
        if (NAME(take)(pointers + start, n - start, stored, &panel))
            return 1;
        const ptrdiff_t m = panel.m, entries = panel.begins[m];
        if (NAME(outside)(js, entries, p))
            return 1;
        if (m % LANES_OF_SUMS) {
            memset(r, 0, sizeof r);
            memset(w, 0, sizeof w);
        }
        if (at->contribute) {
            if (entries > ENTRIES)
                NAME(predict_long)(xs, js, entries, sums->of_span, fields, eta);
            else
                NAME(predict)(xs, js, &panel, sums->of_span, fields, eta);
            for (ptrdiff_t i = 0; at->offset && i < m; i++)
                eta[i] += at->offset[start + i];
            at->contribute(width, m, at->y + start, eta, at->weights ? at->weights + start : 0, r, w, 0,
                           sums->contributions);
        } else {
            if (at->r)
                memcpy(r, at->r + start, sizeof(double) * m);
            if (at->w)
                memcpy(w, at->w + start, sizeof(double) * m);
        }
        for (ptrdiff_t i = 0; i < m; i += LANES_OF_SUMS)
            for (ptrdiff_t j = 0; j < LANES_OF_SUMS; j += WIDTH) {
                LANES(sums->totals + j) += LANES(r + i + j);
                LANES(sums->totals + LANES_OF_SUMS + j) += LANES(w + i + j);
            }
        if (entries > ENTRIES)
            NAME(add_long)(xs, js, entries, r, w, sums->of_span, fields);
        else
            NAME(add)(xs, js, &panel, r, w, sums->of_span, fields);
        of_span += entries;
        if (of_span >= most || start + m >= n) {
            move(sums, p);
            of_span = 0;
        }
    }
    return 0;
}

TARGET static int NAME(sweep)(int width, const number *x, const integer *indices, const integer *pointers, ptrdiff_t n,
                              ptrdiff_t p, ptrdiff_t stored, const struct rows *at, const struct sums *sums)
{
    return sums->curved ? NAME(panels)(width, x, indices, pointers, n, p, stored, at, sums, 4)
                        : NAME(panels)(width, x, indices, pointers, n, p, stored, at, sums, 2);
}

#undef LANES
#undef BITS
#undef COLUMN
#undef INLINE
