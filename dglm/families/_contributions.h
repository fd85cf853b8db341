/* The loops of _contributions.c, which includes this once for each set of instructions: TARGET, NAME(x) and WIDTH as
   there. */

typedef double NAME(lanes) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAME(bits) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));

/* What rows of unit weight contribute. */
struct NAME(rows) {
    NAME(lanes) score, information, deviance;
};

#define LANES(pointer) (*(NAME(lanes) *)(pointer))
#define CHOSEN(mask, a, b) ((NAME(lanes))(((NAME(bits))(a) & (mask)) | ((NAME(bits))(b) & ~(mask))))
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE int NAME(any)(NAME(bits) mask)
{
    long long all = 0;
#pragma GCC unroll 8
    for (int i = 0; i < WIDTH; i++)
        all |= mask[i];
    return all != 0;
}

/* e^x: x = k log 2 + r, a polynomial of r, and 2^k in two factors, so that what is below the smallest normal number is
   rounded once. */
INLINE NAME(lanes) NAME(exponential)(NAME(lanes) x)
{
    const NAME(lanes) zero = {0}, least = zero - 746.0, most = zero + 710.0, shift = zero + SHIFT;
    x = CHOSEN(x < least, least, x);
    x = CHOSEN(x > most, most, x);
    const NAME(lanes) shifted = FUSED(x, zero + LOG2_E, shift);
    const NAME(lanes) k = shifted - shift;
    const NAME(lanes) r = FUSED(k, zero - LOG_2_LOW, FUSED(k, zero - LOG_2_HIGH, x));
    NAME(lanes) power = zero + INVERSE_FACTORIALS[0];
#pragma GCC unroll 16
    for (int i = 1; i < DEGREE; i++)
        power = FUSED(power, r, zero + INVERSE_FACTORIALS[i]);
    power = FUSED(power, r, zero + 1.0);
    const NAME(bits) whole = ((NAME(bits))shifted << 32) >> 32, half = whole >> 1;
    const NAME(bits) one = (half + 1023) << 52, other = (whole - half + 1023) << 52;
    return power * (NAME(lanes))one * (NAME(lanes))other;
}

/* log((1 + s) / (1 - s)) = 2 artanh(s) by so many terms of its series. */
INLINE NAME(lanes) NAME(twice_artanh)(NAME(lanes) s, const int terms)
{
    const NAME(lanes) zero = {0}, u = s * s;
    NAME(lanes) series = zero + 1.0 / (2 * terms + 3);
#pragma GCC unroll 32
    for (int i = terms; i > 0; i--)
        series = FUSED(series, u, zero + 1.0 / (2 * i + 1));
    const NAME(lanes) twice = s + s;
    return FUSED(twice, u * series, twice);
}

/* log x: x = 2^k m, m between the root of a half and that of two. Below the smallest normal number it is too small. */
INLINE NAME(lanes) NAME(logarithm)(NAME(lanes) x)
{
    const NAME(lanes) zero = {0}, infinity = zero + __builtin_inf(), shift = zero + SHIFT;
    const NAME(bits) one = (NAME(bits))(zero + 1.0), of_x = (NAME(bits))x;
    NAME(lanes) m = (NAME(lanes))((of_x & FRACTION) | one);
    /* an integer as the last bits of a double */
    NAME(lanes) k = (NAME(lanes))((((of_x >> 52) & 2047) - 1023) + (NAME(bits))shift) - SHIFT;
    const NAME(bits) large = m > ROOT_2;
    m = CHOSEN(large, 0.5 * m, m);
    k = CHOSEN(large, k + 1.0, k);
    const NAME(lanes) of_m = NAME(twice_artanh)((m - 1.0) / (m + 1.0), TERMS_OF_ROOT);
    const NAME(lanes) found = FUSED(k, zero + LOG_2_HIGH, FUSED(k, zero + LOG_2_LOW, of_m));
    /* what has no logarithm is not a number, and what is not a number has none */
    const NAME(lanes) beyond = CHOSEN(x == zero, -infinity, CHOSEN(x == infinity, infinity, zero * (infinity - infinity)));
    return CHOSEN((x > zero) & (x < infinity), found, beyond);
}

/* x log x, zero at zero. */
INLINE NAME(lanes) NAME(entropy)(NAME(lanes) x)
{
    const NAME(lanes) zero = {0};
    return CHOSEN(x == zero, zero, x * NAME(logarithm)(x));
}

/* Proportions of successes, log odds. */
INLINE struct NAME(rows) NAME(logistic_rows)(NAME(lanes) y, NAME(lanes) eta)
{
    const NAME(lanes) zero = {0};
    const NAME(bits) positive = eta >= zero;
    const NAME(lanes) t = NAME(exponential)((NAME(lanes))((NAME(bits))eta | SIGN));
    const NAME(lanes) larger = 1.0 / (t + 1.0), smaller = t * larger;
    const NAME(lanes) mu = CHOSEN(positive, larger, smaller), nu = CHOSEN(positive, smaller, larger);
    const NAME(lanes) above = CHOSEN(positive, eta, zero);
    /* what cancels where the response is as expected is subtracted first */
    const NAME(lanes) expected = FUSED(-y, eta, above);
    NAME(lanes) half = expected + NAME(twice_artanh)(t / (t + 2.0), TERMS_OF_THIRD);
    /* what there is of y alone is nothing for zeros and ones */
    if (NAME(any)(y * y != y))
        half += NAME(entropy)(y) + NAME(entropy)(1.0 - y);
    /* neither term of the score cancels where the response is certain */
    return (struct NAME(rows)){y * nu - (1.0 - y) * mu, mu * nu, 2.0 * half};
}

/* Counts, logarithms of their means. */
INLINE struct NAME(rows) NAME(poisson_rows)(NAME(lanes) y, NAME(lanes) eta)
{
    const NAME(lanes) zero = {0}, mu = NAME(exponential)(eta), residual = y - mu;
    NAME(lanes) half = -residual;
    /* the ratio inside the logarithm: y log y - y log mu cancels for large counts */
    if (NAME(any)(y != zero))
        half += CHOSEN(y == zero, zero, y * NAME(logarithm)(y / mu));
    return (struct NAME(rows)){residual, mu, 2.0 * half};
}

/* Numbers, their means. */
INLINE struct NAME(rows) NAME(gaussian_rows)(NAME(lanes) y, NAME(lanes) eta)
{
    const NAME(lanes) zero = {0}, residual = y - eta;
    return (struct NAME(rows)){residual, zero + 1.0, residual * residual};
}

/* What a row contributes counts w times, and not at all where w is zero, even if it is infinite. */
INLINE NAME(lanes) NAME(weighted)(NAME(lanes) w, NAME(lanes) values)
{
    const NAME(lanes) zero = {0};
    return CHOSEN(w > zero, w * values, zero);
}

INLINE void NAME(write)(struct NAME(rows) found, const double *w, double *score, double *information, double *deviance,
                        double *sums)
{
    const NAME(lanes) zero = {0};
    if (deviance)
        LANES(deviance) = found.deviance;
    if (sums) {
        /* (y - mu)^2 / V = score^2 / information, nothing for a row fitted so well that both underflow */
        const NAME(bits) fitted = (found.score == zero) & (found.information == zero);
        NAME(lanes) pearson = CHOSEN(fitted, zero, found.score / found.information * found.score);
        if (w) {
            pearson = NAME(weighted)(LANES(w), pearson);
            found.deviance = NAME(weighted)(LANES(w), found.deviance);
        }
        LANES(sums) += found.deviance;
        LANES(sums + LANES_OF_SUMS) += pearson;
    }
    LANES(score) = w ? NAME(weighted)(LANES(w), found.score) : found.score;
    LANES(information) = w ? NAME(weighted)(LANES(w), found.information) : found.information;
}

/* Rows by as many as there are lanes of sums; the last ones in rooms of their own, with rows of no weight after them. */
#define LOOP(family)                                                                                                   \
    TARGET static void NAME(family)(ptrdiff_t n, const double *y, const double *eta, const double *w, double *score,   \
                                    double *information, double *deviance, double *sums)                               \
    {                                                                                                                  \
        ptrdiff_t i = 0;                                                                                               \
        for (; i + LANES_OF_SUMS <= n; i += LANES_OF_SUMS)                                                             \
            for (ptrdiff_t j = 0; j < LANES_OF_SUMS; j += WIDTH)                                                       \
                NAME(write)(NAME(family##_rows)(LANES(y + i + j), LANES(eta + i + j)), w ? w + i + j : 0,              \
                            score + i + j, information + i + j, deviance ? deviance + i + j : 0, sums ? sums + j : 0); \
        if (i < n) {                                                                                                   \
            double given[3][LANES_OF_SUMS] = {{0}}, found[3][LANES_OF_SUMS];                                           \
            const size_t size = sizeof(double) * (n - i);                                                              \
            memcpy(given[0], y + i, size);                                                                             \
            memcpy(given[1], eta + i, size);                                                                           \
            for (ptrdiff_t j = 0; j < n - i; j++)                                                                      \
                given[2][j] = w ? w[i + j] : 1.0;                                                                      \
            for (ptrdiff_t j = 0; j < LANES_OF_SUMS; j += WIDTH)                                                       \
                NAME(write)(NAME(family##_rows)(LANES(given[0] + j), LANES(given[1] + j)), given[2] + j, found[0] + j, \
                            found[1] + j, found[2] + j, sums ? sums + j : 0);                                          \
            memcpy(score + i, found[0], size);                                                                         \
            memcpy(information + i, found[1], size);                                                                   \
            if (deviance)                                                                                              \
                memcpy(deviance + i, found[2], size);                                                                  \
        }                                                                                                              \
    }

LOOP(logistic)
LOOP(poisson)
LOOP(gaussian)

#undef LANES
#undef CHOSEN
#undef INLINE
#undef LOOP
