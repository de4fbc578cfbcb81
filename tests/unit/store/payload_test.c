/* Bodies of requests and datagrams, byte for byte. */
#include "fixture.h"

#define BYTES "a\0\xff"

static void put_body(struct store *s, const char *path, struct span bytes) {
    struct posted_body body = {
        .path = span_str(path), .api_key = SPAN("key"), .headers = SPAN("{}"), .bytes = bytes};
    struct request q = {.method = SPAN("POST"),
                        .path = span_str(path),
                        .status = 202,
                        .encoding = SPAN("gzip"),
                        .payload = &body};
    OK(store_request(s, &q, &err));
}

struct seen {
    size_t n;
    uint64_t ids[64];
    bool exact;
};

static int see_payload(void *arg, const struct payload_row *row) {
    struct seen *seen = arg;
    seen->ids[seen->n++ % 64] = row->id;
    seen->exact = span_eq(row->payload.bytes, span_of(BYTES, 3)) && span_eq(row->encoding, SPAN("gzip")) &&
                  span_eq(row->payload.api_key, SPAN("key")) && span_eq(row->session, SPAN("default")) &&
                  row->received_at == AT;
    return 0;
}

static struct seen payloads(struct store *s, struct filter f) {
    struct seen seen = {0};
    struct reader *r = store_reader_take(s, &(struct err){0});
    OK(r->ops->begin(r, &err));
    OK(r->ops->payloads(r, &f, see_payload, &seen, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    return seen;
}

static int see_posted(void *arg, const struct posted_row *row) {
    buf_printf(arg, "%.*s=%llu ", SPAN_ARG(row->path), (unsigned long long)row->n);
    return 0;
}

static void expect_posted(struct store *s, bool kept, const char *want) {
    struct buf text = {0};
    struct reader *r = store_reader_take(s, &(struct err){0});
    OK(r->ops->begin(r, &err));
    OK(r->ops->posted(r, SPAN("default"), kept, see_posted, &text, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_SPAN(text.n ? buf_view(&text) : SPAN(""), span_str(want));
    buf_free(&text);
}

static struct store *open_keeping(const char *path, uint64_t retention_bodies, bool keep_datagrams) {
    struct store_options o = {
        .path = path, .retention_bodies = retention_bodies, .keep_datagrams = keep_datagrams};
    struct store *s = store_open(&o, &(struct err){0});
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    OK(store_arrival(s, 1, SOURCE_HTTP, AT, &err));
    return s;
}

static void bodies_come_back(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_keeping(p.path, 0, false);
    put_body(s, "/a", span_of(BYTES, 3));
    put_body(s, "/b/", SPAN(""));
    put_body(s, "/a", span_of(BYTES, 3));
    COMMIT(s);
    struct seen seen = payloads(s, (struct filter){.session = SPAN("default"), .name = SPAN("/a")});
    EQ_INT(seen.n, 2);
    CU_ASSERT(seen.exact && seen.ids[0] < seen.ids[1]);
    EQ_INT(
        payloads(s, (struct filter){.session = SPAN("default"), .name = SPAN("/a"), .since = seen.ids[0]}).n,
        1);
    EQ_INT(
        payloads(s, (struct filter){.session = SPAN("default"), .name = SPAN("/a"), .until = seen.ids[0]}).n,
        1);
    EQ_INT(payloads(s, (struct filter){.session = SPAN("default"), .name = SPAN("/*")}).n, 0); /* no glob */
    EQ_INT(payloads(s, (struct filter){.session = SPAN("other")}).n, 0);
    EQ_INT(payloads(s, (struct filter){0}).n, 3);
    expect_posted(s, true, "/a=2 /b/=1 ");
    expect_posted(s, false, "/a=2 /b/=1 ");
    store_close(s);
    EXPECT_SQL(p.path, "SELECT group_concat(n_bytes) FROM payloads", "3,0,3");
    place_remove(&p);
}

static void they_go_with_their_requests(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_keeping(p.path, 16 * 100, false);
    char bytes[100] = "x";
    for (int i = 0; i < 40; i++)
        put_body(s, "/a", span_of(bytes, sizeof bytes));
    COMMIT(s);
    put_body(s, "/a", span_of(bytes, sizeof bytes));
    COMMIT(s);
    struct store_stats stats;
    store_stats(s, &stats);
    CU_ASSERT(stats.payloads >= 15 && stats.payloads <= 16 && stats.requests == stats.payloads);
    EQ_INT(stats.payload_bytes, stats.payloads * 100);
    EQ_INT(stats.losses[LOSS_EVICTED_BODIES], 41 - stats.payloads);
    struct store_removed removed = {0};
    OK(store_reset(s, 1, &removed, &err));
    EQ_INT(removed.payloads, stats.payloads);
    store_stats(s, &stats);
    EQ_INT(stats.payloads + stats.payload_bytes + stats.requests, 0);
    expect_posted(s, true, "");
    store_close(s);
    place_remove(&p);
}

static int see_datagram(void *arg, const struct datagram_row *row) {
    buf_printf(arg, "%llu:%.*s ", (unsigned long long)row->after_id, SPAN_ARG(row->bytes));
    return 0;
}

static void expect_datagrams(struct store *s, struct filter f, const char *want) {
    struct buf text = {0};
    struct reader *r = store_reader_take(s, &(struct err){0});
    OK(r->ops->begin(r, &err));
    OK(r->ops->datagrams(r, &f, see_datagram, &text, &err));
    r->ops->end(r);
    store_reader_give(s, r);
    EQ_SPAN(text.n ? buf_view(&text) : SPAN(""), span_str(want));
    buf_free(&text);
}

static void datagrams_lead_to_their_records(void) {
    struct place p;
    place_make(&p);
    struct store *s = open_keeping(p.path, 0, true);
    OK(store_arrival(s, 1, SOURCE_UDP, AT, &err));
    OK(store_datagram(s, SPAN("one"), &err));
    put_number(s, "a", 1);
    put_number(s, "a", 2);
    OK(store_datagram(s, SPAN("empty"), &err));
    OK(store_datagram(s, SPAN("two"), &err));
    put_number(s, "a", 3);
    COMMIT(s);
    expect_datagrams(s, (struct filter){0}, "0:one 2:empty 2:two ");
    expect_datagrams(s, (struct filter){.series_id = 1}, "0:one ");
    expect_datagrams(s, (struct filter){.series_id = 2}, "0:one ");
    expect_datagrams(s, (struct filter){.series_id = 3}, "2:two "); /* the last of those before it */
    expect_datagrams(s, (struct filter){.since = 2}, "2:empty 2:two ");
    expect_datagrams(s, (struct filter){.until = 2}, "0:one ");
    expect_datagrams(s, (struct filter){.limit = 1, .newest = true}, "2:two ");
    expect_datagrams(s, (struct filter){.after_series = 1, .limit = 1}, "2:empty ");
    expect_datagrams(s, (struct filter){.has_source = true, .source = SOURCE_UNIXGRAM}, "");
    store_close(s);
    place_remove(&p);
}

UNIT_MAIN("store/payload", {"bodies come back", bodies_come_back},
          {"they go with their requests", they_go_with_their_requests},
          {"datagrams lead to their records", datagrams_lead_to_their_records})
