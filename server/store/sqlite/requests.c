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
    bulk_id(&v[0], id);
    bulk_id(&v[1], s->arrival.session_id);
    bulk_integer(&v[2], s->arrival.when.received_at);
    bulk_integer(&v[3], (int)s->arrival.when.source);
    bulk_list_text(list, &v[4], r->method);
    bulk_list_text(list, &v[5], r->path);
    bulk_list_text(list, &v[6], r->query);
    bulk_integer(&v[7], r->status);
    bulk_id(&v[8], r->wire_bytes);
    bulk_id(&v[9], r->body_bytes);
    for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++)
        bulk_list_text(list, &v[10 + i], spans[i]);
    if (list->texts.failed)
        return err_set(err, ENOMEM, "cannot record");
    return list->n < REQUESTS_MAX && list->texts.used < BYTES_MAX ? 0 : store_write_requests(s, err);
}

int store_write_requests(struct store *s, struct err *err) {
    s->rows = s->rows || s->new_requests.n > 0;
    return bulk_list_run(s->db, s->sql[SQL_REQUEST], &s->feed, &s->new_requests, err);
}
