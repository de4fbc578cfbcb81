#include "judge/evaluate/sampling.h"

#include <math.h>

#define TAIL ((1 - SAMPLING_CONFIDENCE) / 2)

bool sampling_is_random(double rate) {
    return rate > 0 && rate < 1;
}

void sampling_add(struct sampling *s, double value, double factor, double rate) {
    if (factor == 1 || !sampling_is_random(rate)) {
        s->exact += value * factor;
        return;
    }
    double weight = fabs(value) / rate;
    struct moments *m = value < 0 ? &s->negative : &s->positive;
    m->sum += weight;
    m->squares += weight * weight;
    m->lost += weight * weight * (1 - rate);
}

static void add_moments(struct moments *m, const struct moments *from) {
    m->sum += from->sum;
    m->squares += from->squares;
    m->lost += from->lost;
}

void sampling_add_all(struct sampling *s, const struct sampling *from) {
    s->exact += from->exact;
    add_moments(&s->positive, &from->positive);
    add_moments(&s->negative, &from->negative);
}

/* The continued fraction of the incomplete beta function, by Lentz's method. */
static double beta_fraction(double a, double b, double x) {
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double h = d;
    for (int m = 1; m <= 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step = 1;
        for (int half = 0; half < 2; half++) {
            double numerator = half ? odd : even;
            d = 1 + numerator * d;
            c = 1 + numerator / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            step = d * c;
            h *= step;
        }
        if (fabs(step - 1) < 1e-12)
            break;
    }
    return h;
}

/* lgamma_r: lgamma writes a global. */
static double log_gamma(double x) {
    int sign;
    return lgamma_r(x, &sign);
}

/* The regularised incomplete beta function I_x(a, b), a and b above 0, x between 0 and 1. */
static double beta_cdf(double a, double b, double x) {
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) + b * log1p(-x));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* P(X >= n), X ~ Binomial(N, r), N above n; neither need be whole. */
static double at_least(double n, double total, double r) {
    return beta_cdf(n, total - n + 1, r);
}

/* P(X <= n) */
static double at_most(double n, double total, double r) {
    return 1 - beta_cdf(n + 1, total - n, r);
}

/* Where the probability crosses TAIL between N = low (where below(low) holds or the end is returned) and
 * high. */
static double cross(double n, double r, double low, double high,
                    double (*probability)(double, double, double)) {
    bool rising = probability == at_least;
    for (int i = 0; i < 100 && high - low > 1e-9 * high; i++) {
        double middle = low + (high - low) / 2;
        bool above = probability(n, middle, r) > TAIL;
        if (above == rising)
            high = middle;
        else
            low = middle;
    }
    return rising ? low : high;
}

/* Bounds for the total of events of one sign. */
static struct interval bound(const struct moments *m) {
    double r = 1 - m->lost / m->squares;
    /* Nothing, or weights too large for what follows: rates of 1e-17 and less make r 0. */
    if (!(r > 0) || !isfinite(m->squares))
        return (struct interval){m->sum, m->sum};
    double n = m->sum * m->sum / m->squares, weight = m->sum / n;
    double estimate = n / r, reach = 20 * sqrt(n + 20) / r + 40 / r;
    double low, high;
    if (n > 1e9) { /* far into where the normal distribution is exact enough, and faster */
        double deviation = SAMPLING_Z * sqrt(n * (1 - r)) / r;
        low = estimate - deviation;
        high = estimate + deviation;
    } else {
        low = cross(n, r, n, estimate, at_least);
        high = cross(n, r, estimate, estimate + reach, at_most);
    }
    return (struct interval){low * weight * r, high * weight * r};
}

struct interval sampling_interval(const struct sampling *s) {
    struct interval up = bound(&s->positive), down = bound(&s->negative);
    return (struct interval){s->exact + up.low - down.high, s->exact + up.high - down.low};
}
