/* metadata.csv: any bytes are refused with a place that lies in them, or make a catalog that is written and read again as
 * the same. */
#include "catalog/catalog.h"

#include <stdint.h>
#include <stdlib.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct catalog_error wrong = {0};
    struct span text = span_of((const char *)data, size);
    size_t lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    struct catalog *c = catalog_read("f", text, &wrong);
    CHECK(!c == wrong.set && wrong.line <= lines && wrong.column <= size + 1);
    if (c && catalog_finish(c, &wrong) == 0) {
        struct buf once = {0}, twice = {0};
        catalog_write(c, CATALOG_CSV, true, &once);
        struct catalog *again = catalog_read("g", buf_view(&once), &(struct catalog_error){0});
        CHECK(again != NULL);
        catalog_write(again, CATALOG_CSV, true, &twice);
        CHECK(span_eq(buf_view(&once), buf_view(&twice)));
        catalog_free(again);
        buf_free(&once);
        buf_free(&twice);
    }
    catalog_free(c);
    return 0;
}
