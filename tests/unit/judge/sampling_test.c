#include "judge/evaluate/sampling.h"

#include "unit.h"

#include <math.h>
#include <stdint.h>

static struct interval of(int n, double value, double rate) {
    struct sampling s = {0};
    for (int i = 0; i < n; i++)
        sampling_add(&s, value, 1 / rate, rate);
    return sampling_interval(&s);
}

/* P(X <= k) of Binomial(n, p), added up. */
static double binomial_at_most(int k, int n, double p) {
    double sum = 0;
    for (int i = 0; i <= k; i++)
        sum +=
            exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) + i * log(p) + (n - i) * log1p(-p));
    return sum;
}

/* Inside the interval the received number is plausible, just outside it is not: by adding up the distribution
 * itself. */
static void test_exact(void) {
    static const struct {
        int n;
        double rate;
    } cases[] = {{1, 0.5}, {1, 0.01}, {3, 0.1}, {10, 0.25}, {100, 0.1}, {1000, 0.5}, {500, 0.9}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int n = cases[i].n;
        double r = cases[i].rate;
        struct interval in = of(n, 1, r);
        int low = (int)ceil(in.low - 1e-6), high = (int)floor(in.high + 1e-6);
        CU_ASSERT(low >= n);
        CU_ASSERT(binomial_at_most(n, high, r) >= 0.00005 * 0.999);
        CU_ASSERT(binomial_at_most(n, high + 1, r) <= 0.00005 * 1.001);
        if (low > n)
            CU_ASSERT(1 - binomial_at_most(n - 1, low - 1, r) <= 0.00005 * 1.001);
        CU_ASSERT(1 - binomial_at_most(n - 1, low, r) >= 0.00005 * 0.999);
    }
}

/* Where there is nothing to reckon with, the sum is all that is known. */
static void test_extremes(void) {
    static const struct {
        double value, rate;
    } cases[] = {{1, 1e-17}, {1, 1e-300}, {1e300, 1e-9}, {0, 0.5}, {1e-200, 0.5}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct interval in = of(3, cases[i].value, cases[i].rate);
        double sum = 3 * (cases[i].value / cases[i].rate);
        CU_ASSERT(in.low == in.high && (in.low == sum || fabs(in.low - sum) <= 1e-12 * sum));
    }
    struct interval nearly = of(3, 1, 1 - 0x1p-53);
    CU_ASSERT(nearly.low <= 3.000001 && nearly.high >= 2.999999 && nearly.high < 4.01);
}

static void test_scales_with_the_value(void) {
    struct interval ones = of(50, 1, 0.1), sevens = of(50, 7, 0.1), below = of(50, -7, 0.1);
    CU_ASSERT_DOUBLE_EQUAL(sevens.low, 7 * ones.low, 1e-6 * sevens.low);
    CU_ASSERT_DOUBLE_EQUAL(sevens.high, 7 * ones.high, 1e-6 * sevens.high);
    CU_ASSERT_DOUBLE_EQUAL(below.low, -sevens.high, 1e-6 * sevens.high);
    CU_ASSERT_DOUBLE_EQUAL(below.high, -sevens.low, 1e-6 * sevens.high);
}

static void test_unsampled_is_exact(void) {
    struct sampling s = {0};
    sampling_add(&s, 5, 1, 1);
    sampling_add(&s, 5, 1, 0.1); /* a gauge: its rate plays no part */
    sampling_add(&s, 3, 0.5, 2); /* no rate of random sampling */
    struct interval in = sampling_interval(&s);
    CU_ASSERT_DOUBLE_EQUAL(in.low, 11.5, 0);
    CU_ASSERT_DOUBLE_EQUAL(in.high, 11.5, 0);
    CU_ASSERT(!sampling_is_random(NAN) && !sampling_is_random(0) && !sampling_is_random(1) &&
              sampling_is_random(0.5));
}

static void test_many(void) {
    /* past the exact reach, and continuous with it */
    struct sampling s = {
        .positive = {.sum = 2e10, .squares = 4e10, .lost = 2e10}}; /* 1e10 of weight 2 at 0.5 */
    struct interval in = sampling_interval(&s);
    CU_ASSERT_DOUBLE_EQUAL(in.low, 2e10 - 3.8906 * sqrt(1e10 * 0.5) / 0.5, 1e3);
    CU_ASSERT_DOUBLE_EQUAL(in.high, 2e10 + 3.8906 * sqrt(1e10 * 0.5) / 0.5, 1e3);
    struct interval million = of(1000000, 1, 0.5);
    CU_ASSERT_DOUBLE_EQUAL(million.low, 2e6 - 3.8906 * sqrt(1e6 * 0.5) / 0.5, 50);
}

/* The promise itself: random sampling of a known total leaves the interval about once in 10,000 times. Values
 * and rates are mixed, which the interval handles by moments only. */
static void test_coverage(void) {
    uint64_t state = 42;
    int outside = 0;
    for (int round = 0; round < 2000; round++) {
        struct sampling s = {0};
        double total = 0;
        for (int i = 0; i < 200; i++) {
            double value = 1 + i % 3, rate = i % 2 ? 0.2 : 0.5;
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            total += value;
            if ((double)(state >> 11) * 0x1p-53 < rate)
                sampling_add(&s, value, 1 / rate, rate);
        }
        struct interval in = sampling_interval(&s);
        outside += total < in.low || total > in.high;
    }
    CU_ASSERT(outside <= 4);
}

UNIT_MAIN("judge/sampling", {"the interval is the binomial distribution's", test_exact},
          {"rates and values too small or too large", test_extremes},
          {"values scale it", test_scales_with_the_value},
          {"what is not sampled is exact", test_unsampled_is_exact}, {"large numbers", test_many},
          {"the promised coverage", test_coverage})
