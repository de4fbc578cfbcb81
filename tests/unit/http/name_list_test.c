/* Lists of names as the page asks for them, beside the same summed up from all series. */
#include "control/name_list.h"

#include "asking.h"
#include <math.h>
#include <stdio.h>
#include <unistd.h>

static uint32_t dice_state = 4711;
static uint32_t dice(uint32_t sides) {
    dice_state = dice_state * 1664525u + 1013904223u;
    return (dice_state >> 8) % sides;
}

static bool same_number(double a, double b) {
    return isnan(a) ? isnan(b) : fabs(a - b) <= 1e-9 * fmax(fabs(a), 1);
}

static void same_row(const struct name_row *a, const struct name_row *b) {
    EQ_SPAN(a->name, b->name);
    EQ_INT(a->type, b->type);
    EQ_INT(a->series, b->series);
    EQ_INT(a->samples, b->samples);
    EQ_INT(a->first_at, b->first_at);
    EQ_INT(a->last_at, b->last_at);
    CU_ASSERT(same_number(a->count, b->count) && same_number(a->sum, b->sum) && same_number(a->min, b->min));
    CU_ASSERT(same_number(a->max, b->max) && same_number(a->last, b->last));
    EQ_INT(a->n_keys, b->n_keys);
    for (size_t k = 0; k < a->n_keys && k < b->n_keys; k++)
        EQ_SPAN(a->keys[k], b->keys[k]);
}

static void compare(struct reader *r, const struct name_list_question *q) {
    struct name_list kept, slow;
    struct err err = {0};
    const struct reader_ops *ops = r->ops;
    struct reader_ops without = *ops;
    without.name_rows = NULL;
    CU_ASSERT(name_list_page(&kept, r, q, &err) == 0);
    r->ops = &without;
    CU_ASSERT(name_list_page(&slow, r, q, &err) == 0);
    r->ops = ops;
    EQ_INT(kept.total, slow.total);
    EQ_INT(kept.n, slow.n);
    for (size_t i = 0; i < kept.n && i < slow.n; i++)
        same_row(&kept.list[i], &slow.list[i]);
    name_list_free(&kept);
    name_list_free(&slow);
}

static void compare_all(void) {
    static const struct span words[] = {{"n1", 2}, {"M", 1}, {"m?y*", 4}, {"*.n2*", 5}, {"zzz", 3}, {".", 1}};
    static const struct span names[] = {{NULL, 0}, {NULL, 0}, {"many.n1", 7}, {"f*", 2}, {"none", 4}};
    struct err err = {0};
    struct reader *r = store_reader_take(server.rig.store, &err);
    CU_ASSERT_FATAL(r && r->ops->begin(r, &err) == 0);
    for (int sort = 0; sort < NAME_LIST_N_SORTS; sort++)
        for (int i = 0; i < 24; i++) {
            struct name_list_question q = {.sort = (enum name_list_sort)sort,
                                           .descending = i % 2,
                                           .offset = i % 3 ? dice(30) : 0,
                                           .limit = 1 + dice(i % 4 ? 20 : 1000),
                                           .n_words = dice(3) ? 0 : 1 + dice(2),
                                           .filter = {.session = SPAN("default"), .name = names[dice(5)]}};
            q.words[0] = words[dice(6)];
            q.words[1] = words[dice(6)];
            q.filter.has_type = dice(4) == 0;
            q.filter.type = (enum metric_type)dice(METRIC_N_TYPES);
            compare(r, &q);
            compare(r, &q); /* what was counted is remembered */
        }
    r->ops->end(r);
    store_reader_give(server.rig.store, r);
}

static void random_lists(void) {
    uint64_t last_id;
    struct err err = {0};
    start();
    int fd = rig_connect(&server.rig.at.at, SOURCE_UNIXGRAM);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 100; i++) {
            struct buf text = {0};
            for (int k = 0; k < 20; k++) {
                static const char *const types[] = {"c", "g", "d", "ms", "s"};
                uint32_t series = dice(300);
                if (dice(3))
                    buf_printf(&text, "many.n%u:%u|%s|#a%u:x,id:%u\n", dice(4), dice(1000), types[dice(2)],
                               series % 11, series);
                else
                    buf_printf(&text, "Few.n%u:%u|%s|#id:%u\n", dice(60), dice(1000), types[dice(5)],
                               dice(3));
            }
            rig_send(fd, SOURCE_UNIXGRAM, text.p, text.n);
            buf_free(&text);
        }
        CU_ASSERT(ingest_barrier(server.rig.ingest, INGEST_ALL, &last_id, &err) == 0);
        compare_all();
    }
    close(fd);
    stop();
}

/* --- as it is answered ----------------------------------------------------------------------------------- */

static void sparks(void) {
    start();
    for (int i = 0; i < 3; i++)
        send_line("a.b:1|c|#x:1\na.c:2|g");
    EQ_INT(ask("GET /recorder/v1/metrics?spark=4"), 200);
    SAYS("\"total\":2");
    SAYS("\"partial\":false");
    SAYS("\"tag_keys\":[\"x\"],\"spark\":[0,0,0,3]}");
    SAYS("\"tag_keys\":[],\"spark\":[0,0,0,3]}");
    EQ_INT(ask("GET /recorder/v1/metrics?spark=2&session=*"), 200);
    EQ_INT(ask("GET /recorder/v1/metrics?spark=0"), 400);
    EQ_INT(ask("GET /recorder/v1/metrics?spark=61"), 400);
    EQ_INT(ask("GET /recorder/v1/metrics?sort=size"), 400);
    SAYS("sort must be name, type, series, samples or last_at");
    stop();
}

UNIT_MAIN("http/name_list", {"random lists are what the series come to", random_lists},
          {"sparks count the samples of the last minute", sparks})
