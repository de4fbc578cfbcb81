/* Lists of what was recorded: pages of JSON, whose strings the rows point into. */
#include "emit/error.h"
#include "emit/text.h"
#include "report/recorder.h"
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000000

/* One kind of list. */
struct kind {
    const char *path, *member;
    size_t row_size;
    int (*read)(void *row, const json_t *object);
};

/* ---- rows ---- */

/* NULL terminated; NULL: memory is out. */
static const char **read_tags(const json_t *object, size_t *n_tags) {
    const json_t *tags = json_object_get(object, "tags");
    *n_tags = json_array_size(tags);
    const char **list = calloc(*n_tags + 1, sizeof *list);
    for (size_t i = 0; list && i < *n_tags; i++) {
        const char *tag = json_string_value(json_array_get(tags, i));
        list[i] = tag ? tag : "";
    }
    return list;
}

static int read_series(void *row, const json_t *object) {
    struct statwit_series *series = row;
    *series = (struct statwit_series){.name = answer_string(object, "name", ""),
                                      .type = answer_string(object, "type", ""),
                                      .host = answer_string(object, "host", NULL),
                                      .samples = answer_count(object, "samples"),
                                      .count = answer_number(object, "count"),
                                      .sum = answer_number(object, "sum"),
                                      .min = answer_number(object, "min"),
                                      .max = answer_number(object, "max"),
                                      .last = answer_number(object, "last"),
                                      .first_at = answer_string(object, "first_at", ""),
                                      .last_at = answer_string(object, "last_at", "")};
    series->tags = read_tags(object, &series->n_tags);
    return series->tags ? 0 : -1;
}

static int read_sample(void *row, const json_t *object) {
    struct statwit_sample *sample = row;
    *sample =
        (struct statwit_sample){.id = answer_count(object, "id"),
                                .name = answer_string(object, "name", ""),
                                .type = answer_string(object, "type", ""),
                                .host = answer_string(object, "host", NULL),
                                .source = answer_string(object, "source", ""),
                                .received_at = answer_string(object, "received_at", ""),
                                .value = answer_number(object, "value"),
                                .text = answer_string(object, "text", NULL),
                                .sample_rate = answer_number(object, "sample_rate"),
                                .timestamp_s = json_integer_value(json_object_get(object, "timestamp"))};
    sample->tags = read_tags(object, &sample->n_tags);
    return sample->tags ? 0 : -1;
}

static int read_reject(void *row, const json_t *object) {
    *(struct statwit_reject *)row = (struct statwit_reject){.id = answer_count(object, "id"),
                                                            .reason = answer_string(object, "reason", ""),
                                                            .detail = answer_string(object, "detail", ""),
                                                            .text = answer_string(object, "text", ""),
                                                            .offset = answer_count(object, "offset")};
    return 0;
}

static const struct kind of_series = {"series", "series", sizeof(struct statwit_series), read_series};
static const struct kind of_samples = {"samples", "samples", sizeof(struct statwit_sample), read_sample};
static const struct kind of_rejects = {"rejects", "rejects", sizeof(struct statwit_reject), read_reject};

/* ---- pages ---- */

static void put_parameter(struct text *path, const char *name, const char *value, size_t size) {
    text_printf(path, "%s%s=", strchr(path->bytes, '?') ? "&" : "?", name);
    for (size_t i = 0; i < size; i++)
        text_printf(path, "%%%02X", (unsigned char)value[i]);
}

static void put_string(struct text *path, const char *name, const char *value) {
    if (value && !path->failed)
        put_parameter(path, name, value, strlen(value));
}

static void put_filter(struct text *path, const struct statwit_filter *filter) {
    put_string(path, "name", filter->name);
    put_string(path, "type", filter->type);
    put_string(path, "source", filter->source);
    for (const struct statwit_tag *tag = filter->tags; tag && tag->key && !path->failed; tag++) {
        struct text text = {.max = path->max};
        text_puts(&text, tag->key);
        text_puts(&text, tag->key[0] && tag->value ? ":" : "");
        text_puts(&text, tag->value ? tag->value : "");
        path->failed |= text.failed;
        put_string(path, "tag", text.failed ? NULL : text.bytes);
        text_free(&text);
    }
    if (filter->since)
        text_printf(path, "&since=%lld", (long long)filter->since);
}

static json_t *get_page(struct statwit_session *session, const struct kind *kind,
                        const struct statwit_filter *filter, json_int_t cursor, size_t left,
                        struct statwit_error *error) {
    struct text path = {.max = 65536};
    json_t *page = NULL;
    text_printf(&path, "/recorder/v1/%s", kind->path);
    put_string(&path, "session", statwit_session_name(session));
    put_filter(&path, filter);
    text_printf(&path, "&limit=%zu", left);
    if (cursor)
        text_printf(&path, "&cursor=%lld", (long long)cursor);
    if (path.failed)
        error_set(error, STATWIT_INVALID, "a filter is larger than 64 KiB, or memory is out");
    else
        page = answer_get(session_recorder(session), "GET", path.bytes, NULL, 0, error);
    text_free(&path);
    return page;
}

/* Every page is kept, for the rows point into it. */
static int read_page(const struct kind *kind, json_t *pages, json_t *page, char **rows, size_t *n,
                     struct statwit_error *error) {
    const json_t *list = json_object_get(page, kind->member);
    size_t n_more = json_array_size(list);
    if (json_array_append_new(pages, page) != 0)
        return error_memory(error);
    char *larger = realloc(*rows, (*n + n_more + 1) * kind->row_size);
    if (!larger)
        return error_memory(error);
    *rows = larger;
    for (size_t i = 0; i < n_more; i++, (*n)++)
        if (kind->read(*rows + *n * kind->row_size, json_array_get(list, i)) != 0)
            return error_memory(error);
    return 0;
}

static int read_all(struct statwit_session *session, const struct kind *kind,
                    const struct statwit_filter *filter, json_t *pages, char **rows, size_t *n,
                    struct statwit_error *error) {
    static const struct statwit_filter none;
    filter = filter ? filter : &none;
    size_t limit = filter->limit > 0 && filter->limit < ROWS_MAX ? (size_t)filter->limit : ROWS_MAX;
    json_int_t cursor = 0;
    do {
        json_t *page = get_page(session, kind, filter, cursor, limit - *n, error);
        if (!page)
            return -1;
        cursor = json_integer_value(json_object_get(page, "next"));
        if (read_page(kind, pages, page, rows, n, error))
            return -1;
    } while (cursor && *n < limit);
    if (cursor && limit == ROWS_MAX)
        return error_set(error, STATWIT_INVALID, "there are more than %d rows: filter, or set a limit",
                         ROWS_MAX);
    return 0;
}

static int list(struct statwit_session *session, const struct kind *kind, const struct statwit_filter *filter,
                struct statwit_list *list, struct statwit_error *error) {
    char *rows = NULL;
    *list = (struct statwit_list){.pages = json_array()};
    int result = list->pages ? read_all(session, kind, filter, list->pages, &rows, &list->n, error)
                             : error_memory(error);
    list->series = kind == &of_series ? (void *)rows : NULL;
    list->samples = kind == &of_samples ? (void *)rows : NULL;
    list->rejects = kind == &of_rejects ? (void *)rows : NULL;
    if (result)
        statwit_list_free(list);
    return result;
}

int statwit_list_series(struct statwit_session *session, const struct statwit_filter *filter,
                        struct statwit_list *into, struct statwit_error *error) {
    return list(session, &of_series, filter, into, error);
}

int statwit_list_samples(struct statwit_session *session, const struct statwit_filter *filter,
                         struct statwit_list *into, struct statwit_error *error) {
    return list(session, &of_samples, filter, into, error);
}

int statwit_list_rejects(struct statwit_session *session, const struct statwit_filter *filter,
                         struct statwit_list *into, struct statwit_error *error) {
    return list(session, &of_rejects, filter, into, error);
}

void statwit_list_free(struct statwit_list *list) {
    for (size_t i = 0; i < list->n && list->series; i++)
        free(list->series[i].tags);
    for (size_t i = 0; i < list->n && list->samples; i++)
        free(list->samples[i].tags);
    free(list->series);
    free(list->samples);
    free(list->rejects);
    json_decref(list->pages);
    *list = (struct statwit_list){0};
}

int statwit_recorder_losses(struct statwit_recorder *recorder, struct statwit_losses *losses,
                            struct statwit_error *error) {
    *losses = (struct statwit_losses){0};
    json_t *status = answer_get(recorder, "GET", "/recorder/v1/status", NULL, 0, error);
    const json_t *object = json_object_get(status, "losses");
    if (status && !json_is_object(object))
        error_set(error, STATWIT_PROTOCOL, "%.200s answered without its losses", recorder->url);
    int result = json_is_object(object) ? 0 : -1;
    *losses = (struct statwit_losses){.kernel_drop = answer_count(object, "kernel_drop"),
                                      .truncated = answer_count(object, "truncated"),
                                      .queue_full = answer_count(object, "queue_full"),
                                      .disk_full = answer_count(object, "disk_full"),
                                      .evicted = answer_count(object, "evicted"),
                                      .series_limit = answer_count(object, "series_limit")};
    json_decref(status);
    return result;
}
