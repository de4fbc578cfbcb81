/* fixtures/agent: lines in, at given times, and what an Agent would flush: through a recording, as `statwit flush` does it. */
#include "control/flush.h"

#include "decode/dogstatsd.h"
#include "jsonl.h"
#include "store/store.h"
#include "unit.h"
#include <math.h>

#define NS 1000000000LL

static void put(void *arg, const struct record *record) {
    struct err err = {0};
    if (store_put(arg, record, &err) != 0)
        abort();
}

/* The samples of the steps, recorded; the flush times in q. */
static void record_steps(struct store *store, const json_t *steps, struct flush_question *q) {
    static int64_t at_ns[256];
    struct err err = {0};
    struct dogstatsd *decoder = dogstatsd_new(&(struct dogstatsd_options){0});
    size_t i;
    json_t *step;
    q->feed.at_ns = at_ns;
    q->feed.n_at = 0;
    json_array_foreach(steps, i, step) {
        int64_t ns = llround(json_number_value(json_object_get(step, "at")) * 1e9);
        const json_t *sent = json_object_get(step, "send");
        if (!sent) {
            at_ns[q->feed.n_at++] = ns;
            continue;
        }
        if (store_arrival(store, 1, SOURCE_UDP, ns, &err) != 0)
            abort();
        dogstatsd_decode(decoder, jsonl_bytes(sent), put, store);
    }
    if (store_commit(store, &err) != 0)
        abort();
    dogstatsd_free(decoder);
}

static void configure(struct agent_options *options, const json_t *cfg) {
    struct err err = {0};
    const char *aggregates = json_string_value(json_object_get(cfg, "histogram_aggregates"));
    const char *percentiles = json_string_value(json_object_get(cfg, "histogram_percentiles"));
    agent_defaults(options);
    if ((aggregates && agent_read_aggregates(options, span_str(aggregates), &err) != 0) ||
        (percentiles && agent_read_percentiles(options, span_str(percentiles), &err) != 0))
        abort();
}

static json_t *flushes(struct store *store, const struct flush_question *q) {
    struct err err = {0};
    struct buf out = {.max = 64 << 20};
    struct reader *r = store_reader_take(store, &err);
    struct flushes *f = flush_new(q, &err);
    if (!r || !f || r->ops->begin(r, &err) != 0)
        abort();
    int more;
    while ((more = flush_step(f, r, &out, &err)) > 0)
        continue;
    if (more < 0)
        fprintf(stderr, "%s\n", err.text);
    r->ops->end(r);
    store_reader_give(store, r);
    flush_free(f);
    json_t *got = more == 0 ? json_loadb(out.p, out.n, 0, NULL) : NULL;
    buf_free(&out);
    return got;
}

/* Numbers as numbers, whole or not; all else as it stands. */
static bool same(const json_t *a, const json_t *b) {
    const char *key;
    json_t *value;
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return fabs(x - y) <= 1e-12 * fmax(fabs(x), fabs(y));
    }
    if (!a || !b || json_typeof(a) != json_typeof(b) || json_array_size(a) != json_array_size(b) ||
        json_object_size(a) != json_object_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!same(json_array_get(a, i), json_array_get(b, i)))
            return false;
    json_object_foreach((json_t *)a, key, value)
        if (!same(value, json_object_get(b, key)))
            return false;
    return json_is_array(a) || json_is_object(a) || json_equal(a, b);
}

static void run_case(void *arg, const json_t *item) {
    (void)arg;
    struct err err = {0};
    struct store *store = store_open(&(struct store_options){.path = ":memory:"}, &err);
    struct flush_question q = {.feed.filter.session = SPAN("default"), .format = PAYLOAD_JSON};
    if (!store)
        abort();
    configure(&q.feed.agent, json_object_get(item, "cfg"));
    record_steps(store, json_object_get(item, "steps"), &q);
    json_t *got = flushes(store, &q);
    bool equal = same(got, json_object_get(item, "expect"));
    if (!equal) {
        char *text = json_dumps(got, JSON_COMPACT);
        fprintf(stderr, "%s: %s\n", json_string_value(json_object_get(item, "id")), text ? text : "nothing");
        free(text);
    }
    CU_ASSERT(equal);
    json_decref(got);
    store_close(store);
}

static void test_cases(void) {
    EQ_INT(jsonl_each("fixtures/agent/reference.jsonl", run_case, NULL), 14);
    EQ_INT(jsonl_each("fixtures/agent/more.jsonl", run_case, NULL), 77);
}

/* make oracle-agent: cases of the model in tests/oracle/agent.py. */
static void test_model(void) {
    const char *path = getenv("AGENT_CASES");
    if (path)
        fprintf(stderr, "%zu cases of %s\n", jsonl_each(path, run_case, NULL), path);
}

UNIT_MAIN("agent/cases", {"what an Agent flushes for the cases of fixtures/agent", test_cases},
          {"and what the model expects of random ones", test_model})
