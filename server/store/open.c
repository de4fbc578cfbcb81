#include "store/open.h"

#include "store/clickhouse/clickhouse.h"
#include "store/store.h"

static struct reader *open_file(const char *where, const char *ca_file, int64_t timeout_ns, bool *usage,
                                struct err *err) {
    (void)ca_file, (void)timeout_ns, (void)usage;
    return store_reader_open(where, err);
}

static struct reader *open_named_file(const char *where, const char *ca_file, int64_t timeout_ns, bool *usage,
                                      struct err *err) {
    return open_file(where + strlen("file://"), ca_file, timeout_ns, usage, err);
}

static const struct scheme {
    const char *beginning;
    bool url;
    struct reader *(*open)(const char *, const char *, int64_t, bool *, struct err *);
} schemes[] = {
    {"file:///", false, open_named_file},
    {"clickhouse://", true, clickhouse_reader_open},
    {"clickhouses://", true, clickhouse_reader_open},
    {"", false, open_file},
};

static const struct scheme *scheme_of(const char *where) {
    const struct scheme *scheme = schemes;
    while (strncmp(where, scheme->beginning, strlen(scheme->beginning)) != 0)
        scheme++;
    return scheme;
}

struct reader *reader_open(const char *where, const char *ca_file, int64_t timeout_ns, bool *usage,
                           struct err *err) {
    *usage = false;
    return scheme_of(where)->open(where, ca_file, timeout_ns, usage, err);
}

bool reader_is_url(const char *where) {
    return scheme_of(where)->url;
}
