/* The DogStatsD decoder: whatever the bytes, each record keeps what dogstatsd.h promises.
 *
 * The first byte chooses the options, the rest is one datagram.
 */
#include "core/metric.h"
#include "decode/dogstatsd.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

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

static bool within(struct span inner, struct span outer) {
    return inner.p >= outer.p && inner.p + inner.n <= outer.p + outer.n;
}

static void touch_common(size_t n_tags, const struct span *tags, const struct origin *origin) {
    for (size_t i = 0; i < n_tags; i++) {
        touch(tags[i]);
        CHECK(!memchr(tags[i].p, ',', tags[i].n) && !memchr(tags[i].p, '|', tags[i].n));
        CHECK(!span_starts(tags[i], SPAN("host:")));
    }
    const struct span spans[] = {origin->host,        origin->container_id, origin->external_data,
                                 origin->cardinality, origin->entity_id,    origin->jmx_check_name};
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        touch(spans[i]);
}

static void check_metric(const struct metric *m, struct span datagram) {
    CHECK(m->name.n > 0 && within(m->name, datagram) && !memchr(m->name.p, ':', m->name.n));
    CHECK(m->n_values > 0 && metric_letter(m->type)[0] != '\0');
    for (size_t i = 0; i < m->n_values; i++) {
        CHECK(isfinite(m->values[i].number) && m->values[i].text.n > 0 && !m->values[i].sketch);
        CHECK(m->values[i].timestamp >= 0 && within(m->values[i].text, datagram));
        CHECK(m->values[i].timestamp == 0 || m->type == METRIC_COUNT || m->type == METRIC_GAUGE);
    }
    CHECK(span_eq(m->key_name, m->name) && m->key_rest.n > 0);
    touch(m->key_rest);
    touch_common(m->n_tags, m->tags, &m->origin);
}

static void check_record(void *arg, const struct record *record) {
    struct span datagram = *(const struct span *)arg;
    switch (record->kind) {
    case RECORD_METRIC:
        check_metric(&record->metric, datagram);
        break;
    case RECORD_EVENT:
        CHECK(record->event.title.n > 0);
        touch(record->event.title);
        touch(record->event.text);
        touch(record->event.aggregation_key);
        touch(record->event.source_type_name);
        touch_common(record->event.n_tags, record->event.tags, &record->event.origin);
        break;
    case RECORD_SERVICE_CHECK:
        CHECK(record->check.name.n > 0 && record->check.status >= 0 && record->check.status <= 3);
        touch(record->check.name);
        touch(record->check.message);
        touch_common(record->check.n_tags, record->check.tags, &record->check.origin);
        break;
    case RECORD_REJECT:
        CHECK(record->reject.text.n > 0 && within(record->reject.text, datagram));
        CHECK(record->reject.offset <= record->reject.text.n && record->reject.family.n > 0);
        CHECK(!memchr(record->reject.text.p, '\n', record->reject.text.n));
        touch(record->reject.name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    static struct dogstatsd *decoders[8];
    unsigned flags = n ? data[0] & 7 : 0;
    if (!decoders[flags]) {
        struct dogstatsd_options options = {
            .ignore_origin = flags & 1, .ignore_timestamps = flags & 2, .eol_required = flags & 4};
        decoders[flags] = dogstatsd_new(&options);
    }
    /* A block of its own, so that reading one byte too many is seen. */
    size_t length = n ? n - 1 : 0;
    char *bytes = malloc(length ? length : 1);
    CHECK(bytes);
    if (length)
        memcpy(bytes, data + 1, length);
    struct span datagram = span_of(bytes, length);
    size_t lines = dogstatsd_decode(decoders[flags], datagram, check_record, &datagram);
    CHECK(lines <= length);
    free(bytes);
    return 0;
}
