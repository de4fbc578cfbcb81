#include "command/forwarding.h"

#include "core/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define KEY_FILE_MAX ((size_t)1 << 20)

/* The first line of the file, without blanks around it, in *text. NULL with err. */
static const char *read_key_file(const char *path, struct buf *text, struct err *err) {
    if (file_read(path, KEY_FILE_MAX, text, err) != 0)
        return NULL;
    char *key = text->p ? text->p : NULL;
    size_t n = key ? strcspn(key, "\r\n") : 0;
    if (n == 0 || n > 256) {
        err_set(err, 0, "%s holds no API key in its first line", path);
        return NULL;
    }
    key[n] = '\0';
    return key + strspn(key, " \t");
}

/* A key in the environment is meant for this alone; DD_API_KEY is the application's, too, so `run` and --private leave it be. */
static const char *key_of_environment(const struct options *o) {
    const char *own = getenv("STATWIT_FORWARD_API_KEY"), *agent = getenv("DD_API_KEY");
    bool looks = option_groups_have(&o->command->groups, TAKES_SERVE) && !option_on(o, OPT_PRIVATE);
    return own && own[0] ? own : looks && agent && agent[0] ? agent : NULL;
}

static int start(const struct options *o, const struct dogstatsd_options *decode,
                 const struct agent_histogram_options *histograms, const char *key, struct forward **forward,
                 struct err *err) {
    char hostname[256] = "localhost";
    const char *given = option_text(o, OPT_FORWARD_HOSTNAME);
    if (gethostname(hostname, sizeof hostname - 1) != 0)
        snprintf(hostname, sizeof hostname, "localhost");
    struct forward_options options = {.n_urls = o->list[OPT_FORWARD].n,
                                      .urls = o->list[OPT_FORWARD].texts,
                                      .api_key = key,
                                      .ca_file = option_text(o, OPT_FORWARD_CA_FILE),
                                      .hostname = given ? given : hostname,
                                      .interval_ns = option_number(o, OPT_FORWARD_INTERVAL),
                                      .backoff_ns = option_number(o, OPT_FORWARD_BACKOFF),
                                      .decode = *decode,
                                      .histograms = *histograms};
    if (options.interval_ns < NS_PER_MS || options.backoff_ns < NS_PER_MS)
        return err_set(err, 0, "--forward-interval and --forward-backoff take a time from 1ms");
    *forward = forward_start(&options, err);
    return *forward ? 0 : -1;
}

int forwarding_start(const struct options *o, const struct dogstatsd_options *decode,
                     const struct agent_histogram_options *histograms, struct forward **forward,
                     struct err *err) {
    if (o->list[OPT_FORWARD].n == 0)
        return 0;
    const char *path = option_text(o, OPT_FORWARD_KEY_FILE);
    struct buf text = {.max = KEY_FILE_MAX};
    const char *key = path ? read_key_file(path, &text, err) : key_of_environment(o);
    int result = path && !key ? -1 : start(o, decode, histograms, key, forward, err);
    buf_free(&text);
    return result;
}

int forwarding_check(const struct forward *forward, const struct ingest_addresses *at, int http_port,
                     struct err *err) {
    return forward && forward_loops(forward, at->udp_port, http_port, at->unixgram, at->unixstream, err) ? -1
                                                                                                         : 0;
}

void forwarding_datagram(void *forward, int64_t at_ns, struct span bytes) {
    forward_datagram(forward, at_ns, bytes);
}
