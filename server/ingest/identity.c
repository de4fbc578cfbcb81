/* The identity of a session: its name, its API key, its UDP port. Data that is still sent to an ended session never reaches another
 * session. */
#include "ingest/loop.h"

#include "core/random.h"
#include "ingest/socket.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

#define PORTS            65536
#define FRESH_PORT_TRIES 64 /* then a used one has to do: nearly all others are taken */

#define KEY_DIGITS    32
#define KEY_RANDOM    24         /* of them; the others say that it is a session's */
#define KEY_MARK_SALT 0x57745374 /* "StWt" */

/* --- name and key --------------------------------------------------------------------------------------------------- */

/* Names stand in URLs, where "." and ".." would be taken for a step. */
static bool name_is_good(const char *name) {
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    return n > 0 && n <= 64 && name[n] == '\0';
}

/* A session's key tells of itself that it is one: so it is known when its session, its run and even its file are gone. Of other
 * keys one in 2^32 looks so. */
static void mark_key(const char *random, char mark[KEY_DIGITS - KEY_RANDOM + 1]) {
    snprintf(mark, KEY_DIGITS - KEY_RANDOM + 1, "%08x", XXH32(random, KEY_RANDOM, KEY_MARK_SALT));
}

bool session_is_key(struct span key) {
    char mark[KEY_DIGITS - KEY_RANDOM + 1];
    if (key.n != KEY_DIGITS)
        return false;
    mark_key(key.p, mark);
    return memcmp(key.p + KEY_RANDOM, mark, KEY_DIGITS - KEY_RANDOM) == 0;
}

/* The default session's key is like any other that no session has: the next run's default session takes it too. */
static int make_key(char key[KEY_DIGITS + 1], bool is_default) {
    if (random_hex(key, KEY_DIGITS) != 0)
        return -1;
    if (!is_default)
        mark_key(key, key + KEY_RANDOM);
    return 0;
}

int session_identify(struct open_session *session, const char *name, struct err *err) {
    char picked[24] = "s-";
    if (make_key(session->is.api_key, strcmp(name, "default") == 0) != 0 || random_hex(picked + 2, 12) != 0)
        return err_set(err, errno, "cannot make a session's key");
    if (!*name)
        name = picked;
    if (!name_is_good(name))
        return refuse_session(
            err, "a session's name is 1 to 64 characters of A-Z a-z 0-9 _ . - (not . or ..), not '%.80s'",
            name);
    snprintf(session->is.name, sizeof session->is.name, "%s", name);
    return 0;
}

/* --- port --------------------------------------------------------------------------------------------------------- */

static bool port_was_used(struct ingest *in, int port) {
    pthread_mutex_lock(&in->lock);
    size_t n = in->n_used < STORE_PORTS_KEPT ? in->n_used : STORE_PORTS_KEPT, i = 0;
    while (i < n && in->used_ports[i] != port)
        i++;
    pthread_mutex_unlock(&in->lock);
    return i < n;
}

int session_load_ports(struct ingest *in, struct err *err) {
    return store_ports(in->store, in->used_ports, &in->n_used, err);
}

/* The default session is opened first, and has a port of its own choice. */
static bool has_default(struct ingest *in) {
    pthread_mutex_lock(&in->lock);
    bool has = in->sessions != NULL;
    pthread_mutex_unlock(&in->lock);
    return has;
}

enum port_state { PORT_FRESH, PORT_USED, PORT_OPEN };

static void note_ports(struct ingest *in, unsigned char *states) {
    pthread_mutex_lock(&in->lock);
    size_t n = in->n_used < STORE_PORTS_KEPT ? in->n_used : STORE_PORTS_KEPT;
    for (size_t i = 0; i < n; i++)
        if (in->used_ports[i] > 0 && in->used_ports[i] < PORTS)
            states[in->used_ports[i]] = PORT_USED;
    for (const struct open_session *s = in->sessions; s; s = s->next)
        if (s->is.at.udp_port > 0 && s->is.at.udp_port < PORTS)
            states[s->is.at.udp_port] = PORT_OPEN;
    pthread_mutex_unlock(&in->lock);
}

/* A port of --session-ports: one that no session had if there is one, else the one that was given longest ago. */
static int udp_in_range(struct ingest *in, const char *bind, int *fds, struct err *err) {
    int first = in->options.first_port, n_ports = in->options.last_port - first + 1;
    int start = atomic_load(&in->next_port);
    unsigned char *states = calloc(PORTS, 1);
    if (!states)
        return err_set(err, ENOMEM, "cannot choose a UDP port");
    note_ports(in, states);
    struct err why = {0};
    int n = -1;
    for (int i = 0; n < 0 && i < 2 * n_ports; i++) {
        int place = (start + i) % n_ports;
        if (states[first + place] != (i < n_ports ? PORT_FRESH : PORT_USED))
            continue;
        why = (struct err){0};
        n = socket_udp(bind, first + place, fds, &why);
        if (n > 0)
            atomic_store(&in->next_port, place + 1);
        else if (why.sys != EADDRINUSE)
            break;
    }
    free(states);
    if (n < 0 && why.sys && why.sys != EADDRINUSE)
        return err_pass(err, &why, NULL);
    return n > 0
               ? n
               : err_set(
                     err, ENOSPC,
                     "no UDP port of --session-ports %d-%d is free: end sessions that are not needed, or give "
                     "more ports",
                     first, in->options.last_port);
}

/* Ports that were used are held until a fresh one is found, so that the
 * system doesn't give them again. */
int session_udp(struct ingest *in, const struct ingest_listen *listen, int *fds, struct err *err) {
    int held[FRESH_PORT_TRIES * SOCKET_UDP_MAX], n_held = 0;
    if (listen->udp_port == 0 && in->options.first_port && has_default(in))
        return udp_in_range(in, listen->bind, fds, err);
    int n = socket_udp(listen->bind, listen->udp_port, fds, err);
    for (int i = 0; n > 0 && listen->udp_port == 0 && i < FRESH_PORT_TRIES; i++) {
        char text[INGEST_ADDRESS_SIZE];
        int port = 0;
        socket_udp_name(fds[0], text, sizeof text, &port);
        if (!port_was_used(in, port))
            break;
        for (int k = 0; k < n; k++)
            held[n_held++] = fds[k];
        n = socket_udp(listen->bind, 0, fds, err);
    }
    while (n_held > 0)
        close(held[--n_held]);
    return n;
}
