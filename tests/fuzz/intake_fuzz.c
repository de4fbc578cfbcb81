/* The intake's decoders: whatever the bytes, each record keeps what record.h promises.
 *
 * The first byte chooses the format, the second the options, the rest is one body.
 */
#include "decode/intake/intake.h"
#include "series_memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            abort();                                                                                         \
    } while (0)

/* Reads every byte of a span, so that the address sanitizer sees it. */
static unsigned char sum;
static void touch(struct span s) {
    for (size_t i = 0; i < s.n; i++)
        sum ^= (unsigned char)s.p[i];
}

static void check_metric(const struct metric *m) {
    CHECK(m->type < METRIC_N_TYPES && m->n_values > 0 && m->n_values <= INTAKE_VALUES);
    CHECK(m->name.n > 0 && m->name.n <= INTAKE_NAME_BYTES && m->n_tags <= INTAKE_TAGS_MAX);
    touch(m->name);
    touch(m->origin.host);
    touch(m->device);
    touch(m->unit);
    touch(m->source_type);
    touch(m->resources);
    for (size_t i = 0; i < m->n_tags; i++) {
        CHECK(m->tags[i].n <= INTAKE_TAG_BYTES);
        touch(m->tags[i]);
    }
    for (size_t i = 0; i < m->n_values; i++) {
        const struct sketch *sketch = m->values[i].sketch;
        CHECK(isfinite(m->values[i].number));
        touch(m->values[i].text);
        for (size_t k = 0; sketch && k < sketch->n_bins; k++)
            sum ^= (unsigned char)sketch->keys[k] ^ (unsigned char)sketch->counts[k];
    }
}

static void check(void *arg, const struct record *record) {
    ++*(size_t *)arg;
    switch (record->kind) {
    case RECORD_METRIC:
        check_metric(&record->metric);
        break;
    case RECORD_EVENT:
        touch(record->event.title);
        touch(record->event.text);
        for (size_t i = 0; i < record->event.n_tags; i++)
            touch(record->event.tags[i]);
        break;
    case RECORD_SERVICE_CHECK:
        CHECK(record->check.status >= 0 && record->check.status <= 3);
        touch(record->check.name);
        touch(record->check.message);
        for (size_t i = 0; i < record->check.n_tags; i++)
            touch(record->check.tags[i]);
        break;
    case RECORD_REJECT:
        CHECK(record->reject.reason < REASON_N);
        touch(record->reject.name);
        touch(record->reject.text);
        touch(record->reject.detail);
    }
}

/* --- a memory of series ------------------------------------------------------------------------------------ */

static uint64_t mix(uint64_t hash, struct span s) {
    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001B3;
    return (hash ^ s.n) * 0x100000001B3;
}

/* A hash of all metrics and their values, and of the reasons of rejects. */
static void hash_record(void *arg, const struct record *record) {
    uint64_t *hash = arg;
    if (record->kind == RECORD_REJECT)
        *hash = mix(*hash + record->reject.reason, record->reject.text);
    if (record->kind != RECORD_METRIC)
        return;
    const struct metric *m = record->metric.known ? record->metric.known : &record->metric;
    CHECK(span_eq(m->name, record->metric.name) && m->type == record->metric.type);
    const struct span spans[] = {m->name, m->origin.host, m->device, m->unit, m->source_type, m->resources};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        *hash = mix(*hash, spans[i]);
    for (size_t i = 0; i < m->n_tags; i++)
        *hash = mix(*hash, m->tags[i]);
    *hash += (uint64_t)m->interval + (uint64_t)m->type;
    for (size_t i = 0; i < record->metric.n_values; i++) {
        const struct value *v = &record->metric.values[i];
        *hash = mix(mix(*hash + (uint64_t)v->timestamp, v->text),
                    span_of((const char *)&v->number, sizeof v->number));
    }
}

/* What a memory of other bodies may not change. */
static void check_with(enum intake_format format, struct span body, struct intake_options options,
                       bool guesses) {
    struct intake_error error, error_known;
    uint64_t want = 0, got = 0;
    enum intake_status status = intake_decode(format, body, &options, hash_record, &want, &error);
    options.next = guesses ? next : NULL;
    options.known = known;
    options.learn = learn;
    CHECK(intake_decode(format, body, &options, hash_record, &got, &error_known) == status);
    CHECK(strcmp(error.text, error_known.text) == 0 && error.offset == error_known.offset);
    CHECK(status != INTAKE_OK || want == got);
}

static void check_known(enum intake_format format, struct span body, struct intake_options options) {
    check_with(format, body, options, false);
    check_with(format, body, options, true);
}

static void check_memory(enum intake_format format, struct span body, struct intake_options options,
                         unsigned char where) {
    char *other = malloc(body.n + 1);
    if (!other)
        return;
    memcpy(other, body.p, body.n);
    check_known(format, body, options);
    check_known(format, body, options);
    for (size_t i = where; i < body.n; i += 97) {
        other[i] ^= (char)(1 + i % 30);
        check_known(format, span_of(other, body.n), options);
    }
    options.from_agent = !options.from_agent;
    check_known(format, body, options);
    free(other);
    forget_all();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    struct intake_options options = {.now_s = 1700000030, .from_agent = data[1] & 1};
    struct intake_error error;
    struct span body = span_of((const char *)data + 2, size - 2);
    size_t n = 0, again = 0;
    enum intake_format format = data[0] % INTAKE_N_FORMATS;
    enum intake_status status = intake_decode(format, body, &options, check, &n, &error);
    CHECK(status == INTAKE_OK || error.text[0]);
    CHECK(intake_decode(format, body, &options, check, &again, &error) == status && n == again);
    check_memory(format, body, options, data[1] >> 1);
    return 0;
}
