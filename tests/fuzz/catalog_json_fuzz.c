/* JSON catalogs, their patterns and families: any bytes are refused with a place that lies in them, or make a catalog whose
 * canonical text is its own; names and values are looked up in it. */
#include "catalog/catalog.h"
#include "core/pattern.h"

#include <stdint.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

static void look_up(const struct catalog *c) {
    CHECK(!catalog_find(c, SPAN("a.b.c")) || c->n_entries);
    for (size_t i = 0; i < c->n_entries; i++) {
        const struct catalog_entry *e = &c->entries[i];
        CHECK(catalog_find(c, e->name) == e);
        for (size_t k = 0; k < e->n_tags; k++)
            if (e->tags[k].pattern)
                pattern_match(e->tags[k].pattern, SPAN("aaaaaaaaaaaaaaaaaaaaaaaaaaaab-1.x"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct catalog_error wrong = {0};
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    struct catalog *c = catalog_read("f", span_of((const char *)data, size), &wrong);
    CHECK(!c == wrong.set && wrong.line <= lines);
    if (c && catalog_finish(c, &wrong) == 0) {
        struct buf once = {0}, twice = {0};
        struct catalog_error again_wrong = {0};
        look_up(c);
        catalog_write(c, CATALOG_JSON, true, &once);
        struct catalog *again = catalog_read("g", buf_view(&once), &again_wrong);
        CHECK(again && catalog_finish(again, &again_wrong) == 0);
        catalog_write(again, CATALOG_JSON, true, &twice);
        CHECK(span_eq(buf_view(&once), buf_view(&twice)));
        catalog_free(again);
        buf_free(&once);
        buf_free(&twice);
    }
    catalog_free(c);
    return 0;
}
