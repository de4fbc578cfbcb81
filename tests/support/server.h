/* A whole recorder in this process, on free ports, and a plain HTTP client for it.
 *
 * Ownership: one recorder at a time; server_start … server_stop. The reply lives until the next one on
 * its connection.
 */
#ifndef SUPPORT_SERVER_H
#define SUPPORT_SERVER_H

#include "http/http.h"
#include "rig.h"

struct server {
    struct rig rig;
    struct http *http;
};
/* Any of the options may be left 0. It hears of no drops (rig_hear_drops). */
void server_start(struct server *r, const struct http_options *options);
void server_stop(struct server *r);
/* Sends one datagram over a session's Unix socket, which loses nothing. */
void server_send(const struct ingest_session *session, const char *text);

struct client {
    int fd;
    char *received; /* all bytes of the current answer */
    size_t n, cap;
    int status;
    char *head, *body; /* NUL-terminated; the body with chunks put together */
    size_t n_body;
};
/* A kept-alive connection. */
void client_open(struct client *c, const struct server *r);
void client_close(struct client *c);
/* "GET /path"; headers: lines ending in \r\n, or NULL; body: NULL for none. Returns the status, -1 when the
 * connection ended without an answer. */
int client_ask(struct client *c, const char *request, const char *headers, const char *body);
/* The two halves of it, for who wants to do something in between. */
void client_send(struct client *c, const void *bytes, size_t n);
int client_receive(struct client *c);
/* What there is of it, at most n bytes; as recv, also for a process that was stopped meanwhile. */
ssize_t client_read(const struct client *c, void *bytes, size_t n);
/* Whether the text is in the body. */
bool client_says(const struct client *c, const char *text);

#endif
