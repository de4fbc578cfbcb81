/* POST /api/v1/host/{host}/mute and /unmute. */
#include "api/hosts.h"

#include "api/arguments.h"
#include "core/clock.h"
#include "core/json.h"

#define MUTE   "/api/v1/host/{host}/mute"
#define UNMUTE "/api/v1/host/{host}/unmute"

struct mute {
    struct span host;
    int64_t at; /* of the newest change; 0: there was none */
    bool muted;
    int64_t end; /* seconds; 0: for ever */
};

static void take_mute(struct mute *m, const struct change *change) {
    json_t *body = json_loadb(change->body.p, change->body.n, 0, NULL);
    m->at = change->at;
    m->muted = true;
    m->end = (int64_t)json_integer_value(json_object_get(body, "end"));
    json_decref(body);
}

/* --- the list of hosts ------------------------------------------------------------------------------------- */

struct unmutes {
    struct hosts *hosts;
    int64_t *muted_at; /* as hosts->list */
};

static bool mute_host(void *arg, const struct change *change) {
    struct unmutes *u = arg;
    struct host *h = hosts_find(u->hosts, change->params[0]);
    struct mute m = {.at = 0};
    if (h) {
        take_mute(&m, change);
        h->muted = true;
        h->mute_end = m.end;
        u->muted_at[h - u->hosts->list] = change->at;
    }
    return true;
}

static bool unmute_host(void *arg, const struct change *change) {
    struct unmutes *u = arg;
    struct host *h = hosts_find(u->hosts, change->params[0]);
    if (h && u->muted_at[h - u->hosts->list] <= change->at)
        h->muted = false;
    return true;
}

int hosts_mute(struct read *r, struct hosts *hosts, struct err *err) {
    struct unmutes u = {hosts, arena_alloc(&hosts->arena, (hosts->n + 1) * sizeof(int64_t))};
    if (!u.muted_at)
        return err_set(err, 0, "more than 256 MiB of hosts");
    memset(u.muted_at, 0, (hosts->n + 1) * sizeof(int64_t));
    if (changes_each(r, MUTE, mute_host, &u, err) != 0 || changes_each(r, UNMUTE, unmute_host, &u, err) != 0)
        return -1;
    for (size_t i = 0; i < hosts->n; i++)
        if (hosts->list[i].mute_end && hosts->list[i].mute_end <= r->rq->received_at / NS_PER_S)
            hosts->list[i].muted = false;
    return 0;
}

/* --- the routes -------------------------------------------------------------------------------------------- */

static bool see_mute(void *arg, const struct change *change) {
    struct mute *m = arg;
    if (span_eq(m->host, change->params[0]))
        take_mute(m, change);
    return true;
}

static bool see_unmute(void *arg, const struct change *change) {
    struct mute *m = arg;
    if (span_eq(m->host, change->params[0]) && change->at >= m->at)
        m->muted = false;
    return true;
}

static int look_up(struct read *r, struct mute *m, struct err *err) {
    m->host = r->rq->params[0];
    int failed = changes_each(r, MUTE, see_mute, m, err) || changes_each(r, UNMUTE, see_unmute, m, err);
    if (m->end && m->end <= r->rq->received_at / NS_PER_S)
        m->muted = false;
    return failed;
}

/* Whether the fields hold; else it is answered. */
static bool check_fields(struct http_request *rq, const json_t *body) {
    const json_t *end = json_object_get(body, "end"), *message = json_object_get(body, "message"),
                 *override = json_object_get(body, "override");
    const char *wrong = NULL;
    if (end && !json_is_null(end) && (!json_is_integer(end) || json_integer_value(end) < 0))
        wrong = "'end' must be seconds since 1970";
    else if (json_is_integer(end) && json_integer_value(end) <= rq->received_at / NS_PER_S)
        wrong = "'end' must lie in the future";
    else if (message && !json_is_null(message) && !json_is_string(message))
        wrong = "'message' must be a string";
    else if (override && !json_is_null(override) && !json_is_boolean(override))
        wrong = "'override' must be true or false";
    if (wrong)
        api_errors(rq, 400, "Invalid Parameter: %s", wrong);
    return !wrong;
}

/* The downtime is named after the moment of the mute. */
static void put_action(struct http_request *rq, const char *action, int64_t at) {
    struct buf *b = &rq->answer.body;
    buf_printf(b, "{\"action\":\"%s\",\"downtime_id\":%lld,\"hostname\":", action,
               (long long)(at / NS_PER_MS));
    json_put_string(b, rq->params[0]);
}

static void answer_mute(struct http_request *rq, const json_t *body) {
    struct buf *b = &rq->answer.body;
    const json_t *message = json_object_get(body, "message"), *end = json_object_get(body, "end");
    api_answer(rq, 200, "application/json", "");
    put_action(rq, "Muted", rq->received_at);
    if (json_is_string(message)) {
        buf_str(b, ",\"message\":");
        json_put_string(b, span_of(json_string_value(message), json_string_length(message)));
    }
    if (json_is_integer(end))
        buf_printf(b, ",\"end\":%lld", (long long)json_integer_value(end));
    buf_char(b, '}');
}

static void fill_mute(struct read *r) {
    struct http_request *rq = r->rq;
    struct mute m = {.at = 0};
    struct err err = {0};
    json_t *body = changes_body(rq);
    if (body && check_fields(rq, body)) {
        if (look_up(r, &m, &err) != 0)
            read_failed(r, &err);
        else if (m.muted && !json_is_true(json_object_get(body, "override")) &&
                 arguments_flag(rq, "override") != 1)
            api_errors(rq, 400,
                       "host:%.*s is already muted. To mute this host with a different end timestamp, add "
                       "?override=true to your request.",
                       SPAN_ARG(rq->params[0]));
        else
            answer_mute(rq, body);
    }
    json_decref(body);
}

void api_host_mute(struct http_request *rq) {
    api_read(rq, fill_mute);
}

static void fill_unmute(struct read *r) {
    struct http_request *rq = r->rq;
    struct mute m = {.at = 0};
    struct err err = {0};
    if (look_up(r, &m, &err) != 0) {
        read_failed(r, &err);
    } else if (!m.muted) {
        api_errors(rq, 400, "host:%.*s is not muted.", SPAN_ARG(rq->params[0]));
    } else {
        api_answer(rq, 200, "application/json", "");
        put_action(rq, "Unmuted", m.at);
        buf_char(&rq->answer.body, '}');
    }
}

void api_host_unmute(struct http_request *rq) {
    api_read(rq, fill_unmute);
}
