#include "http/reading.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct session_found {
    uint64_t id;
    char name[INGEST_NAME_SIZE];
};

static int find_by_id(void *arg, const struct session_row *row) {
    struct session_found *found = arg;
    if (row->id == found->id)
        snprintf(found->name, sizeof found->name, "%.*s", SPAN_ARG(row->name));
    return 0;
}

/* Another session of that name is open, and the one that was asked about was kept. */
static int set_renamed(struct reader *reader, uint64_t session_id, struct span name, struct err *err) {
    struct session_found found = {.id = session_id};
    if (reader->ops->sessions(reader, find_by_id, &found, err) != 0 || !found.name[0])
        return -1;
    return err_set(err, 0, "the session '%.*s' has ended while it was asked about: it is called '%s' now",
                   SPAN_ARG(name), found.name);
}

int http_read_still(struct reader *reader, uint64_t session_id, struct span name, struct err *err) {
    uint64_t id;
    if (session_id == INGEST_ALL)
        return 0;
    if (reader->ops->session_id(reader, name, &id, err) != 0)
        return -1;
    if (id == session_id)
        return 0;
    if (id != 0)
        set_renamed(reader, session_id, name, err);
    bool named = name.n > 0;
    err_set(
        err, 0,
        "the session%s%.*s%s has ended while it was asked about: it was removed, or its time to live is over",
        named ? " '" : "", SPAN_ARG(name), named ? "'" : "");
    err->sys = ESTALE;
    return -1;
}

struct reader *http_read_begin(struct http *h, uint64_t session_id, struct span name, struct err *err) {
    struct reader *reader = store_reader_take(h->store, err);
    if (!reader)
        return NULL;
    if (reader->ops->begin(reader, err) != 0) {
        store_reader_give(h->store, reader);
        return NULL;
    }
    if (http_read_still(reader, session_id, name, err) == 0)
        return reader;
    http_read_end(h, reader);
    return NULL;
}

int http_read_same(struct http *h, struct reader *reader, struct http_read_of *of, struct err *err) {
    struct reader_file now[2] = {0};
    if (!h->options.view)
        return 0;
    if (reader->ops->file(reader, now, err) != 0)
        return -1;
    if (!of->known) {
        *of = (struct http_read_of){.known = true, .file = {now[0], now[1]}};
        return 1;
    }
    return reader_file_is(&now[0], &of->file[0]) && reader_file_is(&now[1], &of->file[1])
               ? 0
               : err_set(err, 0, "another recording is in the place of the one that it is of");
}

void http_read_end(struct http *h, struct reader *reader) {
    if (!reader)
        return;
    reader->ops->end(reader);
    store_reader_give(h->store, reader);
}

bool http_read_gone(const struct err *err) {
    return err->set && err->sys == ESTALE;
}

unsigned http_read_status(struct http_request *rq, const struct err *err, unsigned otherwise) {
    rq->changed = err->set && err->sys == EAGAIN;
    return rq->changed ? 503 : http_read_gone(err) ? 404 : otherwise;
}

void http_read_failed(struct http_request *rq, const char *doing, const struct err *err) {
    unsigned status = http_read_status(rq, err, 500);
    if (status == 404 || strncmp(err->text, "cannot ", 7) == 0)
        http_error(rq, status, "%s", err->text);
    else
        http_error(rq, status, "cannot %s: %s", doing, err->set ? err->text : "out of memory");
}
