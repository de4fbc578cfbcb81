/* statwit rejects --remarks: what the Agent ignores inside lines that it takes. Records of one spelling are told once. */
#include "command/commands.h"
#include "command/place.h"
#include "command/rows.h"
#include "command/table.h"
#include <stdio.h>
#include <stdlib.h>

struct remark_list {
    const char *family;
    json_t *groups; /* a record's family, name and line -> its row, with "records": how many are like it */
    bool failed;
};

static void on_record(void *arg, const json_t *row) {
    struct remark_list *l = arg;
    struct span name = row_text(row, "name"), title = row_text(row, "title");
    char *key = json_dumps(json_object_get(row, "remarks"), JSON_COMPACT);
    json_t *text = json_sprintf("%s %s %.*s %s", l->family, json_string_value(json_object_get(row, "session")),
                                SPAN_ARG(name.n ? name : title), key ? key : "");
    const char *group = json_string_value(text);
    json_t *known = group ? json_object_get(l->groups, group) : NULL;
    if (known) {
        json_t *n = json_object_get(known, "records");
        l->failed |= json_integer_set(n, json_integer_value(n) + 1) != 0;
    } else {
        json_t *copy = json_copy((json_t *)row);
        l->failed |= !group || json_object_set_new(copy, "records", json_integer(1)) != 0 ||
                     json_object_set_new(copy, "family", json_string(l->family)) != 0 ||
                     json_object_set(l->groups, group, copy) != 0;
        json_decref(copy);
    }
    json_decref(text);
    free(key);
}

/* {"session":…,"family":…,"name":…,"records":N,"remark":…,"detail":…,"text":…,"offset":N,"line":…} */
static json_t *one_remark(const json_t *row, const json_t *remark) {
    static const char *const of_row[][2] = {
        {"id", "id"},         {"session", "session"}, {"received_at", "received_at"},
        {"source", "source"}, {"family", "family"},   {"records", "records"},
        {"name", "name"},     {"title", "name"},      {"remarked_line", "line"},
    };
    json_t *out = json_object();
    for (size_t i = 0; i < sizeof of_row / sizeof of_row[0]; i++)
        if (json_object_get(row, of_row[i][0]))
            json_object_set(out, of_row[i][1], json_object_get(row, of_row[i][0]));
    json_object_update(out, (json_t *)remark);
    return out;
}

static int print_json(const struct remark_list *l) {
    json_t *list = json_array(), *remark;
    const char *group;
    json_t *row;
    size_t i;
    json_object_foreach(l->groups, group, row) {
        json_array_foreach(json_object_get(row, "remarks"), i, remark) {
            json_array_append_new(list, one_remark(row, remark));
        }
    }
    json_t *all = json_pack("{s:o}", "remarks", list);
    char *text = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    bool printed = text && puts(text) >= 0;
    free(text);
    return printed ? EXIT_PASS : EXIT_CANNOT;
}

static void print_text(const struct remark_list *l) {
    struct buf bytes = {.max = 8 << 20};
    const char *group;
    json_t *row, *remark;
    size_t i;
    json_object_foreach(l->groups, group, row) {
        json_array_foreach(json_object_get(row, "remarks"), i, remark) {
            char count[ROW_COUNT_SIZE];
            bool many = row_number(row, "records") > 1;
            place_head(row);
            printf(many ? "(%s) " : "", row_count(row, "records", "record", count));
            place_show(&(struct place){.word = row_text(remark, "remark"),
                                       .detail = row_text(remark, "detail"),
                                       .line = place_bytes(row, "remarked_line", &bytes),
                                       .offset = row_number(remark, "offset")});
        }
    }
    buf_free(&bytes);
}

int remarks_command(const struct options *o) {
    static const struct {
        enum rows_kind kind;
        const char *family;
    } kinds[] = {{ROWS_SAMPLES, "metric"}, {ROWS_EVENTS, "event"}, {ROWS_CHECKS, "service_check"}};
    struct remark_list l = {.groups = json_object()};
    int status = l.groups ? EXIT_PASS : EXIT_CANNOT;
    for (size_t i = 0; i < 3 && status == EXIT_PASS; i++) {
        l.family = kinds[i].family;
        status = rows_each(o, kinds[i].kind, on_record, &l, NULL);
    }
    if (l.failed)
        status = EXIT_CANNOT;
    if (status == EXIT_PASS && option_on(o, OPT_JSON))
        status = print_json(&l);
    else if (status == EXIT_PASS)
        print_text(&l);
    if (status == EXIT_PASS && json_object_size(l.groups) == 0 && !option_on(o, OPT_QUIET) &&
        !option_on(o, OPT_JSON))
        fprintf(stderr, "nothing was ignored inside the lines of session %s\n", rows_session(o));
    json_decref(l.groups);
    return status;
}
