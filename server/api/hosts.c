/* /api/v1/hosts and /api/v1/hosts/totals. */
#include "api/hosts.h"

#include "api/arguments.h"
#include "core/clock.h"
#include "core/glob.h"
#include "core/json.h"
#include <stdlib.h>

#define COUNT_DEFAULT 100
#define UP_NS         (2 * 3600 * NS_PER_S) /* reported in the past two hours */
#define ACTIVE_NS     (3600 * NS_PER_S)

/* --- the filter -------------------------------------------------------------------------------------------- */

/*   filter=web,env:ci
 *          ^^^ ^^^^^^   terms, all of which must hold: part of the name, or a tag of the host */
static bool read_terms(struct http_request *rq, struct hosts *hosts) {
    struct span filter = http_arg(rq, "filter");
    hosts->arena.max = NAMES_MEMORY_MAX;
    for (size_t from = 0; from < filter.n;) {
        size_t to = from;
        while (to < filter.n && !memchr(", \t\r\n", filter.p[to], 5))
            to++;
        if (to > from && hosts->n_terms == HOSTS_TERMS_MAX) {
            api_errors(rq, 400, "The parameter 'filter' has more than %d terms", HOSTS_TERMS_MAX);
            return false;
        }
        if (to > from) {
            struct span term = span_of(filter.p + from, to - from);
            hosts->tags[hosts->n_terms] = query_scope_pattern(&hosts->arena, term);
            hosts->terms[hosts->n_terms++] = term;
        }
        from = to + 1;
    }
    return true;
}

static bool name_holds(struct span name, struct span term) {
    if (span_starts(term, SPAN("host:")))
        term = span_from(term, strlen("host:"));
    if (glob_is_pattern(term))
        return glob_match(term, name);
    for (size_t i = 0; i + term.n <= name.n; i++) {
        size_t k = 0;
        while (k < term.n && (name.p[i + k] | 0x20) == (term.p[k] | 0x20))
            k++;
        if (k == term.n)
            return true;
    }
    return false;
}

static void add_set_tags(struct hosts *hosts, json_t *set) {
    const char *name;
    json_t *sources;
    json_object_foreach(set, name, sources) {
        struct host *h = hosts_find(hosts, span_str(name));
        const char *source;
        json_t *tags, *tag;
        size_t i;
        json_object_foreach(sources, source, tags)
            json_array_foreach(tags, i, tag) {
                struct span text = span_of(json_string_value(tag), json_string_length(tag));
                struct span normal = query_scope_pattern(&hosts->arena, text);
                for (size_t t = 0; h && t < hosts->n_terms; t++)
                    h->terms |= (uint64_t)glob_match(hosts->tags[t], normal) << t;
            }
    }
}

static bool host_holds(const struct hosts *hosts, const struct host *h) {
    for (size_t t = 0; t < hosts->n_terms; t++)
        if (!(h->terms >> t & 1) && !name_holds(h->name, hosts->terms[t]))
            return false;
    return true;
}

/* --- one host ---------------------------------------------------------------------------------------------- */

/* "HOST\0TAG" of each series of the hosts on the page. */
struct page_tags {
    const struct hosts *page;
    struct names pairs;
};

static int take_pairs(void *arg, const struct series_row *row, const struct query_series *series) {
    struct page_tags *p = arg;
    if (row->host.n == 0 || !hosts_find(p->page, row->host))
        return 0;
    struct buf pair = {.max = 1 << 20};
    for (size_t i = 0; i < series->n_tags; i++) {
        buf_clear(&pair);
        buf_span(&pair, row->host);
        buf_char(&pair, '\0');
        buf_span(&pair, series->tags[i]);
        names_add(&p->pairs, buf_view(&pair));
    }
    buf_free(&pair);
    return p->pairs.arena.failed;
}

/* Where the host's pairs begin. */
static size_t find_pairs(const struct names *pairs, struct span host) {
    size_t low = 0, high = pairs->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct span pair = pairs->texts[middle];
        pair.n = strnlen(pair.p, pair.n);
        if (span_cmp(pair, host) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void put_tags(struct buf *b, const struct host *h, const struct names *pairs, const json_t *set) {
    const char *comma = "", *source;
    json_t *tags, *sources = json_object_getn(set, h->name.p, h->name.n);
    buf_str(b, "{\"Datadog\":[");
    for (size_t at = find_pairs(pairs, h->name); at < pairs->n; at++) {
        struct span pair = pairs->texts[at];
        if (pair.n <= h->name.n || pair.p[h->name.n] != '\0' || !span_starts(pair, h->name))
            break;
        buf_str(b, comma);
        json_put_string(b, span_from(pair, h->name.n + 1));
        comma = ",";
    }
    buf_char(b, ']');
    json_object_foreach(sources, source, tags) {
        char *text = json_dumps(tags, JSON_COMPACT);
        buf_char(b, ',');
        json_put_string(b, strcmp(source, "users") == 0 ? SPAN("Users") : span_str(source));
        buf_printf(b, ":%s", text ? text : "[]");
        free(text);
    }
    buf_char(b, '}');
}

static void put_host(struct buf *b, const struct host *h, int64_t now) {
    buf_printf(b, "{\"id\":%zu,\"name\":", h->id);
    json_put_string(b, h->name);
    buf_str(b, ",\"host_name\":");
    json_put_string(b, h->name);
    buf_printf(b, ",\"up\":%s,\"last_reported_time\":%lld,\"is_muted\":%s,\"mute_timeout\":",
               now - h->last_at < UP_NS ? "true" : "false", (long long)(h->last_at / NS_PER_S),
               h->muted ? "true" : "false");
    if (h->muted && h->mute_end)
        buf_printf(b, "%lld", (long long)h->mute_end);
    else
        buf_str(b, "null");
    buf_str(b, ",\"apps\":[],\"sources\":[],\"aliases\":[");
    json_put_string(b, h->name);
    buf_str(b, "],\"metrics\":{\"cpu\":null,\"iowait\":null,\"load\":null},\"meta\":{},\"tags_by_source\":");
}

/* What the hosts are sorted by, but for their names, is the same for all of them. */
static bool is_backwards(const struct http_request *rq) {
    return span_eq(http_arg(rq, "sort_dir"), SPAN("desc"));
}

static int put_page(struct read *r, const struct hosts *page, const json_t *set, struct err *err) {
    struct page_tags tags = {.page = page};
    struct names_filter filter = {0};
    struct buf *b = &r->rq->answer.body;
    if (page->n && names_each(r, &filter, take_pairs, &tags, err) != 0)
        return -1;
    names_sort(&tags.pairs);
    for (size_t i = 0; i < page->n; i++) {
        const struct host *h = &page->list[is_backwards(r->rq) ? page->n - 1 - i : i];
        buf_str(b, i ? "," : "");
        put_host(b, h, r->rq->received_at);
        put_tags(b, h, &tags.pairs, set);
        buf_char(b, '}');
    }
    int failed = tags.pairs.arena.failed ? err_set(err, 0, "more than 256 MiB of tags") : 0;
    names_free(&tags.pairs);
    return failed;
}

/* --- the routes -------------------------------------------------------------------------------------------- */

static int answer_hosts(struct read *r, struct hosts *hosts, const json_t *set, struct err *err) {
    struct http_request *rq = r->rq;
    size_t n = 0;
    for (size_t i = 0; i < hosts->n; i++)
        if (host_holds(hosts, &hosts->list[i]))
            hosts->list[n++] = hosts->list[i];
    size_t start = (size_t)arguments_whole(rq, "start", 0);
    size_t count = (size_t)arguments_whole(rq, "count", COUNT_DEFAULT);
    struct hosts page = {0};
    page.n = start < n ? (n - start < count ? n - start : count) : 0;
    page.list = page.n ? hosts->list + (is_backwards(rq) ? n - start - page.n : start) : NULL;
    api_answer(rq, 200, "application/json", "{\"host_list\":[");
    if (put_page(r, &page, set, err) != 0)
        return -1;
    buf_printf(&rq->answer.body,
               "],\"total_returned\":%zu,\"total_matching\":%zu,\"exact_total_matching\":true}", page.n, n);
    return 0;
}

static void fill_hosts(struct read *r) {
    struct hosts hosts = {0};
    struct err err = {0};
    double from_s = 0;
    json_t *set = NULL;
    arguments_seconds(r->rq, "from", &from_s);
    if (read_terms(r->rq, &hosts)) {
        int failed = hosts_gather(r, &hosts, from_s, &err) || hosts_mute(r, &hosts, &err) ||
                     !(set = host_tags_set(r, &err));
        if (!failed) {
            add_set_tags(&hosts, set);
            failed = answer_hosts(r, &hosts, set, &err);
        }
        if (failed)
            read_failed(r, &err);
    }
    json_decref(set);
    hosts_free(&hosts);
}

void api_hosts(struct http_request *rq) {
    api_read_metrics(rq, fill_hosts);
}

static void fill_totals(struct read *r) {
    struct hosts hosts = {0};
    struct err err = {0};
    double from_s = 0;
    size_t up = 0, active = 0;
    arguments_seconds(r->rq, "from", &from_s);
    if (hosts_gather(r, &hosts, from_s, &err) != 0) {
        read_failed(r, &err);
    } else {
        for (size_t i = 0; i < hosts.n; i++) {
            up += r->rq->received_at - hosts.list[i].last_at < UP_NS;
            active += r->rq->received_at - hosts.list[i].last_at < ACTIVE_NS;
        }
        api_answer(r->rq, 200, "application/json", "");
        buf_printf(&r->rq->answer.body, "{\"total_up\":%zu,\"total_active\":%zu}", up, active);
    }
    hosts_free(&hosts);
}

void api_hosts_totals(struct http_request *rq) {
    api_read_metrics(rq, fill_totals);
}
