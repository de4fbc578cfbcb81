#include "core/table.h"
#include "unit.h"

static void table_keeps_what_was_put(void) {
    struct table t = {0};
    bool added;
    CU_ASSERT_PTR_NULL(table_get(&t, 0));
    for (uint64_t i = 0; i < 10000; i++) {
        uint32_t *at = table_put(&t, i << 32, (uint32_t)i, &added);
        CU_ASSERT(at && *at == i && added);
    }
    for (uint64_t i = 0; i < 10000; i++) {
        const uint32_t *at = table_get(&t, i << 32);
        CU_ASSERT(at && *at == i);
    }
    CU_ASSERT_PTR_NULL(table_get(&t, 1));
    EQ_INT(t.n, 10000);
    table_free(&t);
    EQ_INT(t.n, 0);
}

static void put_keeps_and_set_replaces(void) {
    struct table t = {0};
    bool added;
    EQ_INT(table_set(&t, 7, 1), 0);
    const uint32_t *at = table_put(&t, 7, 2, &added);
    CU_ASSERT(at && *at == 1 && !added);
    EQ_INT(table_set(&t, 7, 3), 0);
    at = table_get(&t, 7);
    CU_ASSERT(at && *at == 3);
    EQ_INT(t.n, 1);
    table_free(&t);
}

UNIT_MAIN("core/table", {"keys keep their numbers, 0 too", table_keeps_what_was_put},
          {"put keeps, set replaces", put_keeps_and_set_replaces})
