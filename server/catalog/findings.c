#include "catalog/findings.h"

#include "catalog/numbering.h"
#include "core/glob.h"
#include "core/json.h"
#include "core/utf8.h"
#include "judge/evaluate/match.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

struct span scope_session(const struct scope *scope) {
    if (scope->session.p && span_eq(scope->session, SPAN(EVERY_SESSION)))
        return (struct span){NULL, 0};
    return scope->session.p ? scope->session : SPAN("default");
}

bool scope_holds(const struct scope *scope, const struct series_row *row) {
    struct span session = scope_session(scope);
    return (!session.p || span_eq(row->session, session)) && row->last_id > scope->since && row->samples > 0;
}

bool scope_tells(const struct scope *scope, struct span name) {
    return !scope->name.p || (name.p && glob_match(scope->name, name));
}

int scope_first(const struct scope *scope, struct table *seen, const struct series_row *row) {
    if (scope_session(scope).p)
        return 1;
    uint64_t hash = XXH3_64bits_withSeed(row->name.p, row->name.n, row->type);
    for (size_t i = 0; i < row->n_tags; i++)
        hash = XXH3_64bits_withSeed(row->tags[i].p, row->tags[i].n, hash);
    hash = XXH3_64bits_withSeed(row->host.n ? row->host.p : "", row->host.n, hash);
    hash = XXH3_64bits_withSeed(row->device.n ? row->device.p : "", row->device.n, hash);
    bool added;
    return table_put(seen, hash, 0, &added) ? added : -1;
}

/* Always valid UTF-8, which jansson insists on. */
static json_t *text(struct span s) {
    if (utf8_valid(s))
        return json_stringn_nocheck(s.p ? s.p : "", s.n);
    struct buf quoted = {0};
    json_put_string(&quoted, s);
    json_t *string =
        quoted.failed ? NULL : json_loadb(quoted.p, quoted.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    buf_free(&quoted);
    return string;
}

/* Takes the value over, also when it cannot be stored. */
static void put_field(struct findings *f, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value))
        f->failed = true;
}

static void add_loss(struct findings *f, const char *what, uint64_t n, const char *sentence,
                     struct span detail) {
    uint64_t key = XXH3_64bits_withSeed(detail.n ? detail.p : "", detail.n, XXH3_64bits(what, strlen(what)));
    bool added = false;
    uint32_t *place = table_put(f->by_loss, key, (uint32_t)json_array_size(f->losses), &added);
    f->failed |= !place;
    if (place && !added) {
        json_t *old = json_array_get(f->losses, *place);
        put_field(f, old, "n", json_integer(json_integer_value(json_object_get(old, "n")) + (json_int_t)n));
        return;
    }
    json_t *loss = json_object();
    put_field(f, loss, "loss", json_string(what));
    put_field(f, loss, "n", json_integer((json_int_t)n));
    put_field(f, loss, "text", json_string(sentence));
    put_field(f, loss, "detail", text(detail));
    if (json_array_append_new(f->losses, loss))
        f->failed = true;
}

static int take_loss(void *arg, const struct loss_row *row) {
    struct findings *f = arg;
    unsigned kinds = loss_kinds(row->loss);
    f->in_doubt |= (kinds & LOST_IN_DOUBT) != 0;
    f->lost += kinds & LOST_SAMPLES ? row->n : 0;
    if (kinds & (LOST_SAMPLES | LOST_IN_DOUBT))
        add_loss(arg, loss_word(row->loss), row->n, loss_sentence(row->loss), row->detail);
    return 0;
}

static int take_telemetry(void *arg, const struct sample_row *row) {
    double n = row->value.number;
    if (!match_tells_drops(row->spelling->name, row->spelling->type) || !(n > 0))
        return 0;
    uint64_t dropped = n < 0x1p53 ? (uint64_t)ceil(n) : 1ull << 53;
    ((struct findings *)arg)->lost += dropped;
    add_loss(arg, "client", dropped, DROPPED_BY_CLIENT, row->spelling->name);
    return 0;
}

int findings_start(struct findings *f, const struct scope *scope, struct reader *reader, struct err *err) {
    *f = (struct findings){
        .scope = *scope, .passed = json_array(), .others = json_array(), .losses = json_array()};
    f->by_loss = calloc(1, sizeof *f->by_loss);
    f->failed = !f->passed || !f->others || !f->losses || !f->by_loss;
    struct filter of_scope = {.session = scope_session(scope), .since = scope->since};
    struct filter telemetry = {
        .session = of_scope.session, .since = scope->since, .name = SPAN(TELEMETRY_NAMES "*dropped*")};
    struct loss_row unsaved = {
        .loss = LOSS_DISK_FULL, .n = scope->unsaved, .detail = SPAN("not written down yet")};
    if (scope->unsaved && !f->failed)
        take_loss(f, &unsaved);
    if (f->failed)
        return err_set(err, 0, "out of memory");
    return reader->ops->losses(reader, &of_scope, take_loss, f, err) == 0
               ? reader->ops->samples(reader, &telemetry, false, take_telemetry, f, err)
               : -1;
}

enum verdict findings_absence(const struct findings *f, enum verdict when_complete) {
    bool doubted = f->in_doubt && when_complete == VERDICT_FAIL;
    return f->lost || doubted ? VERDICT_INCONCLUSIVE : when_complete;
}

/* What an Agent makes of samples may be something else with those that were lost. */
static enum verdict verdict_of(const struct findings *f, const struct catalog_finding *x) {
    bool unsure = f->scope.as_datadog && f->lost && x->verdict == VERDICT_FAIL;
    return unsure ? VERDICT_INCONCLUSIVE : x->verdict;
}

void findings_add(struct findings *f, const struct catalog_finding *x) {
    if (!scope_tells(&f->scope, x->name))
        return;
    enum verdict verdict = verdict_of(f, x);
    bool warns = verdict == VERDICT_PASS && x->severity != SEVERITY_ERROR;
    bool plain = verdict == VERDICT_PASS && !warns;
    f->counts[verdict]++;
    if (!plain)
        f->severities[x->severity]++;
    json_t *list = plain ? f->passed : f->others;
    if (json_array_size(list) >= FINDINGS_MAX) {
        f->omitted++;
        return;
    }
    json_t *result = json_object();
    put_field(f, result, "expectation", text(x->expectation));
    put_field(f, result, "verdict", json_string(verdict_word(verdict)));
    put_field(f, result, "observed", text(x->observed));
    put_field(f, result, "why", text(x->why));
    json_t *closest = json_array();
    if (x->closest.p) {
        json_t *near = json_object();
        put_field(f, near, "text", text(x->closest));
        f->failed |= json_array_append_new(closest, near) != 0;
    }
    put_field(f, result, "closest", closest);
    if (x->file && x->file[0])
        put_field(f, result, "file", text(span_str(x->file)));
    if (x->line)
        put_field(f, result, "line", json_integer((json_int_t)x->line));
    if (x->rule)
        put_field(f, result, "rule", json_string(x->rule));
    if (!plain)
        put_field(f, result, "severity", json_string(severity_word(x->severity)));
    if (x->name.p)
        put_field(f, result, "name", text(x->name));
    if (json_array_append_new(list, result))
        f->failed = true;
}

static enum verdict overall(const struct findings *f) {
    return f->counts[VERDICT_FAIL]           ? VERDICT_FAIL
           : f->counts[VERDICT_INCONCLUSIVE] ? VERDICT_INCONCLUSIVE
                                             : findings_absence(f, VERDICT_PASS);
}

static void put_plural(struct buf *b, const char *between, uint64_t n, const char *one, const char *more) {
    buf_printf(b, "%s%llu %s", between, (unsigned long long)n, n == 1 ? one : more);
}

/* "10 series, 21 rules: 3 errors, 4 warnings" */
static json_t *summary(const struct findings *f) {
    struct buf b = {.max = 1024};
    size_t unsure = f->counts[VERDICT_INCONCLUSIVE], errors = f->severities[SEVERITY_ERROR];
    put_plural(&b, "", f->series, "series", "series");
    if (f->held)
        put_plural(&b, ", ", f->n_held, f->one_held, f->held);
    put_plural(&b, ": ", errors > unsure ? errors - unsure : 0, "error", "errors");
    put_plural(&b, ", ", f->severities[SEVERITY_WARNING], "warning", "warnings");
    if (f->severities[SEVERITY_NOTE])
        put_plural(&b, ", ", f->severities[SEVERITY_NOTE], "note", "notes");
    if (unsure)
        put_plural(&b, ", ", unsure, "inconclusive", "inconclusive");
    json_t *string = text(buf_view(&b));
    buf_free(&b);
    return string;
}

json_t *findings_report(struct findings *f, struct err *err) {
    size_t room = FINDINGS_MAX - json_array_size(f->others);
    size_t n_passed = json_array_size(f->passed);
    while (n_passed > room) {
        json_array_remove(f->passed, --n_passed);
        f->omitted++;
    }
    if (json_array_extend(f->others, f->passed))
        f->failed = true;
    json_t *report = json_object(), *counts = json_object();
    put_field(f, report, "verdict", json_string(verdict_word(overall(f))));
    put_field(f, report, "results", json_incref(f->others));
    put_field(f, report, "losses", json_incref(f->losses));
    if (f->scope.earlier)
        put_field(f, report, "earlier", json_integer((json_int_t)f->scope.earlier));
    put_field(f, report, "omitted", json_integer((json_int_t)f->omitted));
    for (int v = 0; v < 3; v++)
        put_field(f, counts, verdict_word((enum verdict)v), json_integer((json_int_t)f->counts[v]));
    for (int s = 0; s < 3; s++)
        put_field(f, counts, severity_word((enum severity)s), json_integer((json_int_t)f->severities[s]));
    put_field(f, report, "counts", counts);
    put_field(f, report, "summary", summary(f));
    if (f->failed) {
        json_decref(report);
        err_set(err, 0, "out of memory");
        return NULL;
    }
    return report;
}

void findings_free(struct findings *f) {
    json_decref(f->passed);
    json_decref(f->others);
    json_decref(f->losses);
    if (f->by_loss)
        table_free(f->by_loss);
    free(f->by_loss);
}
