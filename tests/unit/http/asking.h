/* What the tests of the HTTP side share: one recorder, one kept-alive connection to it. */
#ifndef UNIT_HTTP_ASKING_H
#define UNIT_HTTP_ASKING_H

#include "server.h"

#include "unit.h"

static struct server server;
static struct client client;

static inline void start_with(const struct http_options *options) {
    server_start(&server, options);
    client_open(&client, &server);
}

static inline void start(void) {
    start_with(&(struct http_options){0});
}

static inline void stop(void) {
    client_close(&client);
    server_stop(&server);
}

static inline int ask(const char *request) {
    return client_ask(&client, request, NULL, NULL);
}

static inline int post_json(const char *request, const char *body) {
    return client_ask(&client, request, "Content-Type: application/json\r\n", body);
}

static inline void send_line(const char *text) {
    server_send(&server.rig.at, text);
}

#define SAYS(text)      CU_ASSERT_TRUE(client_says(&client, text))
#define HEAD_SAYS(text) CU_ASSERT_PTR_NOT_NULL(strcasestr(client.head, text))

#endif
