/* The common form of both sides of a comparison. */
#ifndef CATALOG_INVENTORY_H
#define CATALOG_INVENTORY_H

#include "catalog/diff.h"

/* One fact: a name has a type; a key; a key with a value; a series. */
struct fact {
    struct span key, value;
};

struct facts {
    size_t n, cap;
    struct fact *list; /* sorted, without repeats, once inventory_finish ran */
};

struct metric_facts {
    struct span name;
    unsigned types;
    struct facts keys, values, series; /* series: in `key` its tags */
};

struct inventory {
    struct arena arena;
    size_t n, cap;
    struct metric_facts *metrics; /* in order of their names */
    bool has_values, has_series;
};

#endif
