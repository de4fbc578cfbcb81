#include "command/rows.h"

#include "command/table.h"
#include "control/lines.h"
#include "core/log.h"
#include "core/series.h"
#include "http/session.h"
#include "judge/evaluate/quantile.h"
#include "judge/judge.h"
#include "render/rows.h"
#include "store/open.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define PAGE    "10000"     /* rows asked for at a time */
#define ALL     "100000000" /* as many as the server gives */
#define ROW_MAX ((size_t)8 << 20)

static const char *const words[] = {
    [ROWS_SERIES] = "series",         [ROWS_SAMPLES] = "samples", [ROWS_EVENTS] = "events",
    [ROWS_CHECKS] = "service_checks", [ROWS_REJECTS] = "rejects", [ROWS_DATAGRAMS] = "datagrams"};

struct span row_text(const json_t *row, const char *field) {
    const json_t *value = json_object_get(row, field);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value)) : SPAN("");
}

double row_number(const json_t *row, const char *field) {
    const json_t *value = json_object_get(row, field);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

const char *row_count(const json_t *row, const char *field, const char *one, char text[ROW_COUNT_SIZE]) {
    double n = row_number(row, field);
    n = isfinite(n) ? n : 0;
    bool series = strcmp(one, "series") == 0;
    snprintf(text, ROW_COUNT_SIZE, "%.0f %s%s", n, one, n == 1 || series ? "" : "s");
    return text;
}

void row_tags(const json_t *row, struct buf *text) {
    size_t i;
    json_t *tag;
    json_array_foreach(json_object_get(row, "tags"), i, tag) {
        buf_str(text, i ? "," : "");
        buf_add(text, json_string_value(tag), json_string_length(tag));
    }
}

const char *rows_session(const struct options *o) {
    const char *session = option_text(o, OPT_SESSION);
    return session ? session : option_given(o, OPT_BY) ? EVERY_SESSION : "default";
}

bool rows_from_file(const struct options *o) {
    return option_given(o, OPT_DB) && o->value[OPT_DB].from >= o->value[OPT_URL].from;
}

bool rows_are_several(struct reader *reader) {
    char name[RECORDING_NAME_SIZE];
    struct err err = {0};
    return reader->ops->far && reader->ops->recording && reader->ops->recording(reader, name, &err) != 0;
}

/* What makes sense in one recording alone: its ids are no other's, and nothing more arrives in any. */
static int refuse_of_several(const struct options *o, struct reader *reader) {
    static const enum option_id marks[] = {OPT_SINCE, OPT_UNTIL}, waits[] = {OPT_WITHIN, OPT_SETTLE};
    if (!rows_are_several(reader))
        return EXIT_PASS;
    for (size_t i = 0; i < 2; i++) {
        const char *flag = i ? "until" : "since", *text = option_text(o, marks[i]);
        if (option_given(o, marks[i]) && text && strcmp(text, "0") != 0) {
            log_error(
                "--%s %.60s is a point in one recording, and several are meant: %s= in the URL selects recordings "
                "by when they started, recording= selects one",
                flag, text, flag);
            return EXIT_USAGE;
        }
        if (o->value[waits[i]].from == FROM_FLAG) {
            log_error("--%s waits for what arrives, and nothing does in recordings that were pushed",
                      i ? "settle" : "within");
            return EXIT_USAGE;
        }
    }
    return EXIT_PASS;
}

struct reader *rows_open_file(const struct options *o, int *status) {
    struct err err = {0};
    bool usage;
    const char *path = option_text(o, OPT_DB);
    struct reader *reader =
        reader_open(path, option_text(o, OPT_CA_FILE), option_number(o, OPT_ANSWER_TIMEOUT), &usage, &err);
    *status = reader ? EXIT_PASS : usage ? EXIT_USAGE : EXIT_CANNOT;
    if (!reader)
        log_error("%s", err.text);
    else if ((*status = refuse_of_several(o, reader)) != EXIT_PASS) {
        reader_close(reader);
        return NULL;
    } else if (reader->ops->note(reader))
        log_info("%s %s", path, reader->ops->note(reader));
    return reader;
}

/* --- a file ---------------------------------------------------------------------------------------------- */

#define PHASE(rows, name)                                                                                    \
    static void write_##name(struct buf *b, const void *row) {                                               \
        rows_##name##_json(b, (const struct name##_row *)row);                                               \
    }                                                                                                        \
    static const struct listing_phase name##_phase = {rows, "", "", write_##name};
PHASE(LISTING_SERIES, series)
PHASE(LISTING_SAMPLES, sample)
PHASE(LISTING_EVENTS, event)
PHASE(LISTING_CHECKS, check)
PHASE(LISTING_REJECTS, reject)
PHASE(LISTING_DATAGRAMS, datagram)
static const struct listing_phase *const phase_of[] = {
    [ROWS_SERIES] = &series_phase, [ROWS_SAMPLES] = &sample_phase, [ROWS_EVENTS] = &event_phase,
    [ROWS_CHECKS] = &check_phase,  [ROWS_REJECTS] = &reject_phase, [ROWS_DATAGRAMS] = &datagram_phase};

struct file_rows {
    const struct listing_phase *phase;
    void (*take)(void *arg, struct span text, uint64_t id);
    void *arg;
    struct buf row;
    struct reader *reader;
    struct lines *lines;
    bool p95;        /* of series */
    uint64_t budget; /* samples that may still be read for that */
    bool too_large;
    struct err err; /* of a percentile that could not be found out: then the list ends */
};

static int deliver_p95(struct file_rows *f, const struct series_row *row) {
    double p95;
    if (quantile_of(f->reader, row, 95, &f->budget, &p95, &f->err) != 0)
        return 1;
    rows_series_p95_json(&f->row, row, p95);
    f->too_large = f->row.failed;
    if (!f->too_large)
        f->take(f->arg, buf_view(&f->row), row->id);
    return f->too_large;
}

static int deliver(struct file_rows *f, uint64_t id, const void *row) {
    buf_clear(&f->row);
    buf_str(&f->row, f->phase->before);
    if (f->p95 && f->phase->rows == LISTING_SERIES)
        return deliver_p95(f, row);
    f->phase->write(&f->row, row);
    buf_str(&f->row, f->phase->after);
    f->too_large = f->row.failed;
    if (!f->too_large)
        f->take(f->arg, buf_view(&f->row), id);
    return f->too_large;
}

#define DELIVER(name)                                                                                        \
    static int on_##name(void *arg, const struct name##_row *row) {                                          \
        return deliver(arg, row->id, row);                                                                   \
    }
DELIVER(series)
DELIVER(datagram)
DELIVER(event)
DELIVER(check)
DELIVER(reject)

static int on_sample(void *arg, const struct sample_row *row) {
    struct file_rows *f = arg;
    struct sample_row with = *row;
    if (f->lines)
        with.line = lines_of(f->lines, f->reader, row);
    return deliver(f, row->id, &with);
}

static int read_phase(struct reader *r, const struct filter *filter, struct file_rows *f, struct err *err) {
    switch (f->phase->rows) {
    case LISTING_SERIES:
        return filter->since || filter->until ? series_since(r, filter, on_series, f, err)
                                              : r->ops->series(r, filter, on_series, f, err);
    case LISTING_SAMPLES:
        return r->ops->samples(r, filter, true, on_sample, f, err);
    case LISTING_EVENTS:
        return filter->has_type ? 0 : r->ops->events(r, filter, on_event, f, err);
    case LISTING_CHECKS:
        return filter->has_type ? 0 : r->ops->checks(r, filter, on_check, f, err);
    case LISTING_REJECTS:
        return filter->has_type ? 0 : r->ops->rejects(r, filter, on_reject, f, err);
    case LISTING_DATAGRAMS:
        return r->ops->datagrams(r, filter, on_datagram, f, err);
    case LISTING_REQUESTS:
        break;
    }
    return 0;
}

int rows_find_session(struct reader *r, const struct options *o, struct span name, struct err *err) {
    uint64_t id = 1;
    if (!span_eq(name, SPAN(EVERY_SESSION)) && r->ops->session_id(r, name, &id, err) != 0)
        return EXIT_CANNOT;
    if (id)
        return EXIT_PASS;
    err_set(err, 0, "no session is named '%.*s' in %s", SPAN_ARG(name), option_text(o, OPT_DB));
    return EXIT_USAGE;
}

int rows_name_session(struct options *o) {
    struct option_value *v = &o->value[OPT_SESSION];
    struct span token = span_str(v->text), name = token;
    if (v->text && strcmp(v->text, EVERY_SESSION) != 0 && rows_from_file(o))
        name = http_session_name(token, o->session);
    if (name.p == token.p) /* it is a name */
        return EXIT_PASS;
    int status;
    uint64_t id = 0;
    struct err err = {0};
    struct reader *r = rows_open_file(o, &status);
    if (r && r->ops->begin(r, &err) == 0) {
        if (r->ops->session_id(r, token, &id, &err) == 0 && id == 0)
            v->text = o->session;
        r->ops->end(r);
    }
    reader_close(r);
    if (!err.set)
        return status;
    log_error("%s", err.text);
    return EXIT_CANNOT;
}

int rows_find_mark(struct reader *r, const struct options *o, struct err *err) {
    uint64_t last_id;
    if (r->ops->last_id(r, &last_id, err) != 0)
        return EXIT_CANNOT;
    return judge_is_mark((uint64_t)option_number(o, OPT_SINCE), last_id, err) &&
                   judge_is_mark((uint64_t)option_number(o, OPT_UNTIL), last_id, err)
               ? EXIT_PASS
               : EXIT_USAGE;
}

int rows_filter(const struct options *o, struct span *tags, struct filter *f) {
    const char *session = rows_session(o), *source = option_text(o, OPT_SOURCE),
               *type = option_text(o, OPT_TYPE);
    *f = (struct filter){
        .session = strcmp(session, "*") == 0 ? (struct span){NULL, 0} : span_str(session),
        .name = span_str(o->n_args ? o->args[0] : NULL),
        .n_tags = o->list[OPT_TAG].n,
        .tags = tags,
        .has_source = source != NULL,
        .source = source ? (enum source)source_of(span_str(source)) : SOURCE_UDP,
        .since = (uint64_t)option_number(o, OPT_SINCE),
        .until = (uint64_t)option_number(o, OPT_UNTIL),
        .limit = (uint64_t)option_number(o, OPT_LIMIT),
        .newest = option_given(o, OPT_LIMIT),
        .remarked = option_on(o, OPT_REMARKS),
    };
    for (size_t i = 0; i < f->n_tags; i++)
        tags[i] = span_str(o->list[OPT_TAG].texts[i]);
    if (!type || strcmp(type, "any") == 0)
        return EXIT_PASS;
    int known = metric_type_of(span_str(type));
    f->has_type = true;
    f->type = (enum metric_type)known;
    if (known >= 0)
        return EXIT_PASS;
    log_error("--type must be " METRIC_WORDS ", not '%s'", type);
    return EXIT_USAGE;
}

/* ls shows one; of whole series only. */
static bool wants_p95(const struct options *o) {
    return option_groups_have(&o->command->groups, TAKES_LS) && !option_given(o, OPT_SINCE) &&
           !option_given(o, OPT_UNTIL) && !option_given(o, OPT_BY);
}

int rows_in_file(const struct options *o, size_t n_phases, const struct listing_phase *phases,
                 void (*take)(void *arg, struct span text, uint64_t id), void *arg, uint64_t *last_id) {
    struct span tags[OPTION_LIST_MAX];
    struct filter filter;
    int status = rows_filter(o, tags, &filter);
    struct reader *r = status == EXIT_PASS ? rows_open_file(o, &status) : NULL;
    if (!r)
        return status;
    struct err err = {0};
    struct file_rows f = {.take = take,
                          .arg = arg,
                          .row = {.max = ROW_MAX},
                          .reader = r,
                          .lines = lines_new(),
                          .p95 = wants_p95(o),
                          .budget = QUANTILE_LIST_MAX};
    status = r->ops->begin(r, &err) == 0 ? EXIT_PASS : EXIT_CANNOT;
    if (status == EXIT_PASS) {
        status = rows_find_session(r, o, span_str(rows_session(o)), &err);
        if (status == EXIT_PASS)
            status = rows_find_mark(r, o, &err);
        if (status == EXIT_PASS && last_id && r->ops->last_id(r, last_id, &err) != 0)
            status = EXIT_CANNOT;
        for (size_t i = 0; i < n_phases && status == EXIT_PASS; i++) {
            f.phase = &phases[i];
            if (read_phase(r, &filter, &f, &err) != 0 || f.too_large || f.err.set)
                status = EXIT_CANNOT;
        }
        r->ops->end(r);
    }
    reader_close(r);
    lines_free(f.lines);
    buf_free(&f.row);
    if (status != EXIT_PASS)
        log_error("%s", err.set ? err.text : f.err.set ? f.err.text : "a row is too large to be shown");
    return status;
}

/* --- a server -------------------------------------------------------------------------------------------- */

void rows_path(struct buf *path, const struct options *o, const char *list) {
    buf_printf(path, "/recorder/v1/%s", list);
    remote_arg(path, "session", option_given(o, OPT_BY) ? rows_session(o) : option_text(o, OPT_SESSION));
    remote_arg(path, "name", o->n_args ? o->args[0] : NULL);
    remote_arg(path, "type", option_text(o, OPT_TYPE));
    remote_arg(path, "source", option_text(o, OPT_SOURCE));
    for (size_t i = 0; i < o->list[OPT_TAG].n; i++)
        remote_arg(path, "tag", o->list[OPT_TAG].texts[i]);
}

static void make_path(struct buf *path, const struct options *o, enum rows_kind kind, const char *limit) {
    *path = (struct buf){.max = 1 << 20};
    rows_path(path, o, words[kind]);
    remote_arg(path, "since", option_text(o, OPT_SINCE));
    remote_arg(path, "until", option_text(o, OPT_UNTIL));
    remote_arg(path, "p95", wants_p95(o) ? "true" : NULL);
    remote_arg(path, "remarked", option_on(o, OPT_REMARKS) ? "true" : NULL);
    if (option_given(o, OPT_LIMIT))
        remote_arg(path, "newest", "true");
    remote_arg(path, "limit", option_given(o, OPT_LIMIT) ? option_text(o, OPT_LIMIT) : limit);
}

/* A page; *cursor becomes where the next one starts, 0 when there is none. */
static int each_on_page(struct remote *remote, const char *path, enum rows_kind kind,
                        void (*row)(void *, const json_t *), void *arg, uint64_t *cursor, uint64_t *last_id) {
    json_t *answer, *at;
    size_t i;
    int status = remote_call(remote, NULL, path, NULL, &answer);
    if (status != EXIT_PASS)
        return status;
    json_array_foreach(json_object_get(answer, words[kind]), i, at) {
        *last_id = (uint64_t)json_integer_value(json_object_get(at, "id"));
        row(arg, at);
    }
    *cursor = (uint64_t)json_integer_value(json_object_get(answer, "next"));
    json_decref(answer);
    return EXIT_PASS;
}

static int each_on_server(const struct options *o, enum rows_kind kind, void (*row)(void *, const json_t *),
                          void *arg, uint64_t *last_id) {
    struct remote remote;
    int status = remote_open(&remote, o);
    uint64_t cursor = 0;
    do {
        if (status != EXIT_PASS)
            break;
        struct buf path;
        char number[24];
        make_path(&path, o, kind, PAGE);
        snprintf(number, sizeof number, "%" PRIu64, cursor);
        remote_arg(&path, "cursor", cursor ? number : NULL);
        status = each_on_page(&remote, path.p, kind, row, arg, &cursor, last_id);
        buf_free(&path);
    } while (cursor && !option_given(o, OPT_LIMIT));
    remote_close(&remote);
    return status;
}

/* --- either ---------------------------------------------------------------------------------------------- */

struct parsed_row {
    void (*row)(void *arg, const json_t *row);
    void *arg;
    uint64_t last_id;
};

static void parse_row(void *arg, struct span text, uint64_t id) {
    struct parsed_row *p = arg;
    json_t *row = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);
    if (row)
        p->row(p->arg, row);
    json_decref(row);
    p->last_id = id;
}

int rows_each(const struct options *o, enum rows_kind kind, void (*row)(void *, const json_t *), void *arg,
              uint64_t *last_id) {
    uint64_t ignored = 0;
    last_id = last_id ? last_id : &ignored;
    *last_id = 0;
    if (!rows_from_file(o))
        return each_on_server(o, kind, row, arg, last_id);
    struct parsed_row parsed = {.row = row, .arg = arg};
    int status = rows_in_file(o, 1, phase_of[kind], parse_row, &parsed, NULL);
    *last_id = parsed.last_id;
    return status;
}

struct printed {
    enum rows_kind kind;
    size_t n;
};

static void print_row(void *arg, struct span text, uint64_t id) {
    struct printed *p = arg;
    (void)id;
    if (p->n++ == 0)
        printf("{\"%s\":[", words[p->kind]);
    else
        fputs(",\n", stdout);
    text_write(stdout, text);
}

static bool print_chunk(void *context, const char *bytes, size_t size) {
    (void)context;
    return text_write(stdout, span_of(bytes, size));
}

int rows_print_json(const struct options *o, enum rows_kind kind) {
    if (rows_from_file(o)) {
        struct printed printed = {.kind = kind};
        uint64_t last_id;
        int status = rows_in_file(o, 1, phase_of[kind], print_row, &printed, &last_id);
        if (status == EXIT_PASS && printed.n == 0)
            printf("{\"%s\":[", words[kind]);
        if (status == EXIT_PASS)
            printf("],\"next\":null,\"last_id\":%" PRIu64 "}\n", last_id);
        return status;
    }
    struct remote remote;
    struct buf path;
    make_path(&path, o, kind, ALL);
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_stream(&remote, path.p, print_chunk, NULL);
    remote_close(&remote);
    buf_free(&path);
    return status;
}
