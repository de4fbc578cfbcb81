/* A place in values that are not sorted is the same as when they are; and the work for a quantile stays far from that for sorting. */
#include "judge/evaluate/bag.h"

#include "unit.h"
#include <math.h>
#include <stdlib.h>

#define MANY  200000
#define BLOCK 1000

static unsigned seed = 3;

enum shape { FEW_VALUES, ALL_DIFFERENT, SKEWED, NEGATIVE, ONE_VALUE, ENDLESS, FRACTIONS, SHAPES };

static double value_of(enum shape shape) {
    double any = rand_r(&seed) / (double)RAND_MAX;
    switch (shape) {
    case FEW_VALUES:
        return floor(any * 50);
    case SKEWED:
        return any < 0.001 ? any * 1e12 : any;
    case NEGATIVE:
        return any < 0.2 ? -0.0 : any * 2000 - 1000;
    case ONE_VALUE:
        return 7;
    case ENDLESS:
        return any < 0.01 ? INFINITY : any;
    default:
        return any;
    }
}

static void fill(enum shape shape, struct bag *one, struct bag *other) {
    static struct bag_hints hints;
    double values[BLOCK], weight = 1;
    hints = (struct bag_hints){0};
    for (int i = 0; i < MANY / BLOCK; i++) {
        weight = shape == FRACTIONS ? 1 / 0.3 : shape == SKEWED && i % 3 == 0 ? 2 : 1;
        for (int k = 0; k < BLOCK; k++) {
            values[k] = value_of(shape);
            CU_ASSERT(bag_add(one, values[k], weight) == 0);
        }
        CU_ASSERT(bag_add_many(other, BLOCK, values, weight, &hints) == 0);
    }
}

static void compare(struct bag *sorted, struct bag *other) {
    static const double percentiles[] = {0, 0.001, 1, 25, 50, 75, 95, 99, 99.9, 99.9999, 100};
    CU_ASSERT(bag_settle_for_percentile(other) == 0);
    for (size_t i = 0; i < sizeof percentiles / sizeof percentiles[0]; i++) {
        double want = bag_percentile(sorted, percentiles[i]), got = bag_percentile(other, percentiles[i]);
        CU_ASSERT(memcmp(&want, &got, sizeof want) == 0);
    }
}

static void unsorted_as_sorted(void) {
    for (enum shape shape = 0; shape < SHAPES; shape++) {
        struct bag one = {0}, other = {0}, both = {0};
        fill(shape, &one, &other);
        CU_ASSERT(bag_settle(&one) == 0);
        bool sorts = shape == ENDLESS || shape == FRACTIONS || shape == FEW_VALUES || shape == ONE_VALUE;
        for (int asked = 0; asked < 10; asked++) { /* asked often, it sorts them after all */
            compare(&one, &other);
            EQ_INT(other.n_sorted == other.n + other.n_plain, sorts || asked >= 8);
        }
        CU_ASSERT(bag_add_all(&both, &one) == 0 && bag_add_all(&both, &other) == 0);
        CU_ASSERT(both.n + both.n_plain == one.n + other.n + other.n_plain);
        CU_ASSERT(bag_add(&one, 3, 2) == 0 && bag_add(&other, 3, 2) == 0 && bag_settle(&one) == 0);
        compare(&one, &other);
        bag_free(&one);
        bag_free(&other);
        bag_free(&both);
    }
}

/* Memory goes by different values, also where they come in blocks. */
static void few_values_few_places(void) {
    struct bag one = {0}, other = {0};
    fill(FEW_VALUES, &one, &other);
    CU_ASSERT(other.cap < 4096 && other.n_plain == 0);
    bag_free(&one);
    bag_free(&other);
}

UNIT_MAIN("judge/bag", {"a place without sorting", unsorted_as_sorted},
          {"few values take little memory", few_values_few_places})
