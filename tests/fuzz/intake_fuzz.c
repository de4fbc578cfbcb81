/* The intake's decoders: whatever the bytes, each record keeps what record.h promises.
 *
 * The first byte chooses the format, the second the options, the rest is one body.
 */
#include "decode/intake/intake.h"

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
    return 0;
}
