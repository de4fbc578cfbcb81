/* Rows of requests, many of which are written together. */
#include "store/sqlite/private.h"

#include <errno.h>

#define REQUESTS_MAX 4096
#define BYTES_MAX    ((size_t)1 << 20)

int store_add_request(struct store *s, uint64_t id, const struct request *r, struct err *err) {
    struct bulk_list *list = &s->new_requests;
    struct bulk_value *v = bulk_list_add(list);
    if (!v)
        return err_set(err, ENOMEM, "cannot record");
    const struct span spans[] = {r->encoding, r->content_type, r->user_agent, r->api_key, r->body, r->note};
    v[0] = bulk_id(id);
    v[1] = bulk_id(s->arrival.session_id);
    v[2] = bulk_integer(s->arrival.when.received_at);
    v[3] = bulk_integer((int)s->arrival.when.source);
    v[4] = bulk_list_text(list, r->method);
    v[5] = bulk_list_text(list, r->path);
    v[6] = bulk_list_text(list, r->query);
    v[7] = bulk_integer(r->status);
    v[8] = bulk_id(r->wire_bytes);
    v[9] = bulk_id(r->body_bytes);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        v[10 + i] = bulk_list_text(list, spans[i]);
    if (list->texts.failed)
        return err_set(err, ENOMEM, "cannot record");
    return list->n < REQUESTS_MAX && list->texts.used < BYTES_MAX ? 0 : store_write_requests(s, err);
}

int store_write_requests(struct store *s, struct err *err) {
    s->rows = s->rows || s->new_requests.n > 0;
    return bulk_list_run(s->db, s->sql[SQL_REQUEST], &s->feed, &s->new_requests, err);
}
