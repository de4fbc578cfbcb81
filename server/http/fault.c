#include "http/fault.h"

#include "core/glob.h"
#include "http/router.h"
#include <errno.h>
#include <stdlib.h>

struct faults *fault_new(struct err *err) {
    struct faults *f = calloc(1, sizeof *f);
    if (!f) {
        err_set(err, ENOMEM, "cannot keep faults");
        return NULL;
    }
    pthread_mutex_init(&f->lock, NULL);
    return f;
}

void fault_free(struct faults *f) {
    if (!f)
        return;
    fault_clear(f);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

/* --- what is answered ------------------------------------------------------------------------------------ */

struct fault_content *fault_content_new(void) {
    struct fault_content *c = calloc(1, sizeof *c);
    if (c) {
        c->refs = 1;
        c->body.max = FAULT_BODY_MAX + 1;
    }
    return c;
}

void fault_content_release(struct fault_content *c) {
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (size_t i = 0; i < c->n_headers; i++) {
        free(c->headers[i].name);
        free(c->headers[i].value);
    }
    free(c->content_type);
    buf_free(&c->body);
    free(c);
}

void fault_clear(struct faults *f) {
    for (size_t i = 0; i < f->n_rules; i++)
        fault_content_release(f->rules[i].content);
    f->n_rules = 0;
}

void fault_answer(struct http_request *rq) {
    const struct fault_content *c = rq->fault.content;
    if (!c)
        return;
    struct http_response *answer = &rq->answer;
    answer->status = rq->fault.status ? rq->fault.status : 200;
    if (c->has_body) {
        buf_clear(&answer->body);
        buf_span(&answer->body, buf_view(&c->body));
        answer->content_type = c->content_type;
    } else if (c->content_type)
        answer->content_type = c->content_type;
    for (size_t i = 0; i < c->n_headers; i++)
        http_add_fixed_header(rq, c->headers[i].name, c->headers[i].value);
}

/* --- which rule ------------------------------------------------------------------------------------------ */

struct span fault_endpoint(const struct http_request *rq, struct buf *room) {
    struct span raw = rq->raw_path;
    if (!memchr(raw.p, '%', raw.n))
        return raw;
    room->max = raw.n + 1;
    if (!buf_reserve(room, raw.n))
        return raw;
    char *to = room->p;
    return router_decode(raw, false, &to);
}

static bool is_for(const struct fault_rule *rule, const struct http_request *rq) {
    if (rule->method[0] && !span_eq(span_str(rule->method), rq->method_text))
        return false;
    if (!rule->endpoint[0])
        return true;
    struct buf room = {0};
    bool same = span_eq(span_str(rule->endpoint), fault_endpoint(rq, &room));
    buf_free(&room);
    return same;
}

bool fault_concerns(struct faults *f, const struct http_request *rq) {
    bool found = false;
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_rules && !found; i++)
        found = f->rules[i].method[0] && (f->rules[i].endpoint[0] || f->rules[i].path[0]) &&
                is_for(&f->rules[i], rq) &&
                (!f->rules[i].path[0] || glob_match(span_str(f->rules[i].path), rq->path));
    pthread_mutex_unlock(&f->lock);
    return found;
}

static size_t body_bytes(const struct faults *f) {
    size_t n = 0;
    for (size_t i = 0; i < f->n_rules; i++)
        n += f->rules[i].content ? f->rules[i].content->body.n : 0;
    return n;
}

int fault_override(struct faults *f, struct fault_rule *rule) {
    pthread_mutex_lock(&f->lock);
    size_t at = 0;
    while (at < f->n_rules && !(strcmp(f->rules[at].method, rule->method) == 0 &&
                                strcmp(f->rules[at].endpoint, rule->endpoint) == 0 &&
                                f->rules[at].session_id == rule->session_id))
        at++;
    bool room = at < FAULT_RULES_MAX && body_bytes(f) + rule->content->body.n <= FAULT_BODIES_MAX;
    if (room) {
        if (at < f->n_rules)
            fault_content_release(f->rules[at].content);
        else
            f->n_rules++;
        f->rules[at] = *rule;
        rule->content = NULL;
    }
    pthread_mutex_unlock(&f->lock);
    return room ? 0 : -1;
}

/* xorshift64*: the same seed gives the same faults. In [0, 1). */
static double draw(uint64_t *state) {
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return (double)((x * 2685821657736338717ULL) >> 11) / 9007199254740992.0;
}

static bool applies(struct fault_rule *rule, const struct http_request *rq) {
    if (!is_for(rule, rq))
        return false;
    if (rule->path[0] && !glob_match(span_str(rule->path), rq->path))
        return false;
    if (rule->session_id && rule->session_id != rq->session_id)
        return false;
    if (rule->times && rule->n_applied >= rule->times)
        return false;
    return rule->probability >= 1 || draw(&rule->random) < rule->probability;
}

void fault_match(struct faults *f, struct http_request *rq) {
    pthread_mutex_lock(&f->lock);
    for (size_t i = 0; i < f->n_rules; i++) {
        struct fault_rule *rule = &f->rules[i];
        if (!applies(rule, rq))
            continue;
        rule->n_applied++;
        rq->fault =
            (struct http_fault){true, rule->kept, rule->status, rule->content, rule->delay_ms, rule->cut};
        if (rule->content)
            rule->content->refs++;
        break;
    }
    pthread_mutex_unlock(&f->lock);
}
