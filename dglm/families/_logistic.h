/* The loop of _logistic.c, which includes this once for each set of instructions: TARGET, NAME(x) and WIDTH as there. */

typedef double NAME(lanes) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef long long NAME(bits) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));

#define LANES(pointer) (*(NAME(lanes) *)(pointer))
#define CHOSEN(mask, a, b) ((NAME(lanes))(((NAME(bits))(a) & (mask)) | ((NAME(bits))(b) & ~(mask))))

/* e^x for x <= 0: x = k log 2 + r, a polynomial of r, and 2^k in two factors, so that what is below the smallest normal
   number is rounded once. */
TARGET static inline __attribute__((always_inline)) NAME(lanes) NAME(exponential)(NAME(lanes) x)
{
    const NAME(lanes) zero = {0}, least = zero - 746.0;
    x = CHOSEN(x < least, least, x);
    const NAME(lanes) shifted = x * LOG2_E + SHIFT;
    const NAME(lanes) k = shifted - SHIFT;
    const NAME(lanes) r = (x - k * LOG_2_HIGH) - k * LOG_2_LOW;
    NAME(lanes) power = r * INVERSE_FACTORIALS[0] + INVERSE_FACTORIALS[1];
#pragma GCC unroll 16
    for (int i = 2; i < DEGREE; i++)
        power = power * r + INVERSE_FACTORIALS[i];
    power = power * r + 1.0;
    const NAME(bits) whole = ((NAME(bits))shifted << 32) >> 32, half = whole >> 1;
    const NAME(bits) one = (half + 1023) << 52, other = (whole - half + 1023) << 52;
    return power * (NAME(lanes))one * (NAME(lanes))other;
}

/* log(1 + t) for 0 <= t <= 1: 2 artanh(s), s = t / (2 + t), by its series, as s is at most 1/3. */
TARGET static inline __attribute__((always_inline)) NAME(lanes) NAME(logarithm)(NAME(lanes) t)
{
    const NAME(lanes) s = t / (t + 2.0), u = s * s;
    NAME(lanes) series = u * (1.0 / (2 * TERMS + 3)) + 1.0 / (2 * TERMS + 1);
#pragma GCC unroll 32
    for (int i = TERMS - 1; i > 0; i--)
        series = series * u + 1.0 / (2 * i + 1);
    const NAME(lanes) twice = s + s;
    return twice + twice * (u * series);
}

TARGET static inline __attribute__((always_inline)) void NAME(rows)(const double *y, const double *eta, double *deviance,
                                                                    double *score, double *information)
{
    const NAME(lanes) at = LANES(eta), success = LANES(y), zero = {0};
    const NAME(bits) positive = at >= zero;
    const NAME(lanes) t = NAME(exponential)((NAME(lanes))((NAME(bits))at | SIGN));
    const NAME(lanes) larger = 1.0 / (t + 1.0), smaller = t * larger;
    const NAME(lanes) mu = CHOSEN(positive, larger, smaller), nu = CHOSEN(positive, smaller, larger);
    const NAME(lanes) above = CHOSEN(positive, at, zero);
    /* what cancels where the response is as expected is subtracted first */
    const NAME(lanes) expected = above - success * at;
    LANES(deviance) = 2.0 * (expected + NAME(logarithm)(t));
    /* of which neither term cancels where the response is certain */
    LANES(score) = success * nu - (1.0 - success) * mu;
    LANES(information) = mu * nu;
}

TARGET static void NAME(logistic)(ptrdiff_t n, const double *y, const double *eta, double *deviance, double *score,
                                  double *information)
{
    ptrdiff_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        NAME(rows)(y + i, eta + i, deviance + i, score + i, information + i);
    if (i < n) {
        double given[2][WIDTH] = {{0}}, found[3][WIDTH];
        const size_t size = sizeof(double) * (n - i);
        memcpy(given[0], y + i, size);
        memcpy(given[1], eta + i, size);
        NAME(rows)(given[0], given[1], found[0], found[1], found[2]);
        memcpy(deviance + i, found[0], size);
        memcpy(score + i, found[1], size);
        memcpy(information + i, found[2], size);
    }
}

#undef LANES
#undef CHOSEN
