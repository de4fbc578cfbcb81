#include "command/moments.h"

#include "command/rows.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/moment.h"
#include "judge/judge.h"
#include <inttypes.h>
#include <stdio.h>

static int find_in(struct reader *r, const struct moment *moment, uint64_t *mark, bool *later) {
    struct err err = {0};
    uint64_t last_id = 0;
    int failed = r->ops->begin(r, &err);
    if (!failed) {
        failed = r->ops->last_id(r, &last_id, &err) != 0 ||
                 moment_mark(moment, r, 0, clock_wall_ns(), last_id, mark, later, &err) != 0;
        r->ops->end(r);
    }
    int status = failed ? EXIT_CANNOT : judge_is_mark(*mark, last_id, &err) ? EXIT_PASS : EXIT_USAGE;
    if (status != EXIT_PASS)
        log_error("%s", err.text);
    return status;
}

static int find_in_file(const struct options *o, const struct moment *moment, uint64_t *mark, bool *later) {
    int status;
    struct reader *r = rows_open_file(o, &status);
    if (r && rows_are_several(r)) {
        log_error("a mark is a point in one recording, and several are meant: recording= selects one");
        status = EXIT_USAGE;
    } else if (r)
        status = find_in(r, moment, mark, later);
    reader_close(r);
    return status;
}

static int ask_server(const struct options *o, const char *text, uint64_t *mark) {
    struct remote remote;
    struct buf path = {.max = 4096};
    json_t *question = json_pack("{s:s}", "at", text), *answer = NULL;
    buf_str(&path, "/recorder/v1/marks");
    remote_arg(&path, "session", option_text(o, OPT_SESSION));
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_call(&remote, "POST", path.p, question, &answer);
    if (status == EXIT_PASS)
        *mark = (uint64_t)json_integer_value(json_object_get(answer, "mark"));
    remote_close(&remote);
    json_decref(question);
    json_decref(answer);
    buf_free(&path);
    return status;
}

int moments_mark(const struct options *o, const char *text, uint64_t *mark, bool *later) {
    struct moment moment;
    text = text ? text : "now";
    *later = false;
    if (!moment_parse(span_str(text), &moment)) {
        log_error("'%.100s' is not " MOMENT_WANTED, text);
        return EXIT_USAGE;
    }
    return rows_from_file(o) ? find_in_file(o, &moment, mark, later) : ask_server(o, text, mark);
}

/* `at`: which of o->marks holds the text. */
static int resolve(struct options *o, enum option_id id, size_t at) {
    struct option_value *v = &o->value[id];
    uint64_t mark;
    bool later;
    if (!v->text || v->number >= 0)
        return EXIT_PASS;
    int status = moments_mark(o, v->text, &mark, &later);
    if (status != EXIT_PASS)
        return status;
    if (id == OPT_UNTIL && (later || mark == 0)) {
        bool nothing = !later;
        if (nothing)
            log_error("--until %.100s: nothing was recorded before", v->text);
        *v = (struct option_value){0};
        return nothing ? EXIT_USAGE : EXIT_PASS;
    }
    snprintf(o->marks[at], sizeof o->marks[at], "%" PRIu64, mark);
    v->text = o->marks[at];
    v->number = (int64_t)mark;
    return EXIT_PASS;
}

int moments_resolve(struct options *o) {
    int status = resolve(o, OPT_SINCE, 0);
    if (status == EXIT_PASS)
        status = resolve(o, OPT_UNTIL, 1);
    if (status == EXIT_PASS && option_given(o, OPT_UNTIL) &&
        option_number(o, OPT_UNTIL) < option_number(o, OPT_SINCE)) {
        log_error("--until lies before --since");
        status = EXIT_USAGE;
    }
    return status;
}
