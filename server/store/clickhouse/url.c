#include "store/clickhouse/url.h"

#include "core/clock.h"
#include "core/distance.h"
#include "core/moment.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define PORT     8123
#define PORT_TLS 8443

const char *const fleet_labels[FLEET_LABELS] = {"repo", "branch", "commit", "job", "run", "host", "version"};

int fleet_label_of(const char *word) {
    for (int i = 0; i < FLEET_LABELS; i++)
        if (strcmp(word, fleet_labels[i]) == 0)
            return i;
    return -1;
}

bool fleet_url_is(const char *text) {
    return strncmp(text, "clickhouse://", 13) == 0 || strncmp(text, "clickhouses://", 14) == 0;
}

/* --- the words behind '?' ----------------------------------------------------------------------------------- */

static const char *const known[] = {"repo",  "branch", "commit",    "job",    "run",      "host",
                                    "since", "until",  "recording", "latest", "lossless", "label.KEY"};

static int refuse_word(const char *key, struct err *err) {
    char hint[NEAREST_HINT_SIZE];
    return err_set(err, 0, "unknown '%s' in the URL of recordings%s", key,
                   nearest_hint(span_str(key), sizeof known / sizeof known[0], known, hint));
}

static int read_moment(const char *key, const char *text, int64_t now_ns, int64_t *ns, struct err *err) {
    static const struct {
        char unit;
        int64_t ns;
    } ages[] = {{'s', NS_PER_S},
                {'m', 60 * NS_PER_S},
                {'h', 3600 * NS_PER_S},
                {'d', 86400 * NS_PER_S},
                {'w', 604800 * NS_PER_S}};
    char *end;
    unsigned long long n = strtoull(text, &end, 10);
    if (isdigit((unsigned char)text[0]) && n < 100000 && end[0] && !end[1])
        for (size_t i = 0; i < sizeof ages / sizeof ages[0]; i++)
            if (ages[i].unit == end[0]) {
                *ns = now_ns - (int64_t)n * ages[i].ns;
                return 0;
            }
    struct tm day = {0};
    end = strptime(text, "%Y-%m-%d", &day);
    if (end && *end == 'T')
        end = strptime(end, "T%H:%M:%SZ", &day);
    if (!end || *end)
        return err_set(err, 0, "%s takes an age (7d, 12h) or a day in UTC (2026-11-01), not '%s'", key, text);
    *ns = (int64_t)timegm(&day) * NS_PER_S;
    return 0;
}

static int read_recording(const char *text, char name[33], struct err *err) {
    size_t n = 0;
    for (; *text; text++) {
        if (*text == '-')
            continue;
        if (!isxdigit((unsigned char)*text) || n == 32)
            return err_set(err, 0, "recording takes the name of one: 32 hexadecimal digits");
        name[n++] = (char)tolower((unsigned char)*text);
    }
    name[n] = '\0';
    return n == 32 ? 0 : err_set(err, 0, "recording takes the name of one: 32 hexadecimal digits");
}

static int add_word(struct fleet_url *url, const char *key, const char *value, struct err *err) {
    if (url->n_words == FLEET_WORDS)
        return err_set(err, 0, "the URL of recordings has more than %d conditions", FLEET_WORDS);
    struct fleet_word *word = &url->words[url->n_words++];
    word->other = strncmp(key, "label.", 6) == 0;
    const char *name = word->other ? key + 6 : key;
    memcpy(word->key, name, strlen(name) + 1);
    snprintf(word->glob, sizeof word->glob, "%s", value);
    return 0;
}

static int read_word(struct fleet_url *url, const char *key, const char *value, int64_t now_ns,
                     struct err *err) {
    char *end;
    if (strcmp(key, "since") == 0)
        return read_moment(key, value, now_ns, &url->since, err);
    if (strcmp(key, "until") == 0)
        return read_moment(key, value, now_ns, &url->until, err);
    if (strcmp(key, "recording") == 0)
        return read_recording(value, url->recording, err);
    if (strcmp(key, "lossless") == 0) {
        url->lossless = strcmp(value, "1") == 0;
        return url->lossless || strcmp(value, "0") == 0
                   ? 0
                   : err_set(err, 0, "lossless takes 1, not '%s'", value);
    }
    if (strcmp(key, "latest") == 0) {
        url->latest = strtoull(value, &end, 10);
        return url->latest > 0 && !*end && isdigit((unsigned char)value[0])
                   ? 0
                   : err_set(err, 0, "latest takes a number of recordings, not '%s'", value);
    }
    int label = fleet_label_of(key);
    if ((label >= 0 && strcmp(key, "version") != 0) || (strncmp(key, "label.", 6) == 0 && key[6]))
        return add_word(url, key, value, err);
    return refuse_word(key, err);
}

/* --- the rest ----------------------------------------------------------------------------------------------- */

/* Undoes %XX, up to one of `ends`; where that stands, or NULL when it does not fit or is malformed. */
static const char *take_part(const char *from, const char *ends, char *to, size_t size) {
    size_t n = 0;
    for (; *from && !strchr(ends, *from); from++) {
        char c = *from;
        if (c == '%') {
            char hex[3] = {from[1], from[1] ? from[2] : '\0', '\0'};
            if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]))
                return NULL;
            c = (char)strtol(hex, NULL, 16);
            from += 2;
        }
        if (c == '\0' || n + 1 >= size)
            return NULL;
        to[n++] = c;
    }
    to[n] = '\0';
    return from;
}

static const char *take_host(struct fleet_url *url, const char *at, struct err *err) {
    if (*at == '[') {
        at = take_part(at + 1, "]", url->host, sizeof url->host);
        at = at && *at == ']' ? at + 1 : NULL;
    } else
        at = take_part(at, ":/?", url->host, sizeof url->host);
    for (const char *c = url->host; at && *c; c++) /* it becomes part of another URL */
        if (!isalnum((unsigned char)*c) && !strchr("-._:", *c))
            at = NULL;
    if (at && *at == ':') {
        char *end;
        long port = strtol(at + 1, &end, 10);
        at = isdigit((unsigned char)at[1]) && port > 0 && port < 65536 ? end : NULL;
        url->port = (int)port;
    }
    if (!at || !url->host[0] || (*at && *at != '/' && *at != '?')) {
        err_set(err, 0, "it must be clickhouse://HOST[:PORT]/DATABASE");
        return NULL;
    }
    return at;
}

static const char *take_database(struct fleet_url *url, const char *at, struct err *err) {
    if (*at == '/')
        at = take_part(at + 1, "?", url->database, sizeof url->database);
    if (at && !url->database[0])
        memcpy(url->database, "statwit", 8);
    bool good = at && !isdigit((unsigned char)url->database[0]);
    for (const char *c = url->database; good && *c; c++)
        good = isalnum((unsigned char)*c) || *c == '_';
    if (!good)
        err_set(err, 0, "the database's name takes letters, digits and _, 64 at most");
    return good ? at : NULL;
}

int fleet_url_parse(const char *text, int64_t now_ns, struct fleet_url *url, struct err *err) {
    *url = (struct fleet_url){.tls = strncmp(text, "clickhouses://", 14) == 0};
    url->port = url->tls ? PORT_TLS : PORT;
    if (!fleet_url_is(text))
        return err_set(err, 0, "'%.80s' is no URL of recordings: clickhouse://HOST[:PORT]/DATABASE", text);
    const char *at = strstr(text, "://") + 3;
    size_t before = strcspn(at, "/?");
    if (memchr(at, '@', before))
        return err_set(
            err, 0,
            "user and password belong into STATWIT_CLICKHOUSE_USER and STATWIT_CLICKHOUSE_PASSWORD, not into the "
            "URL: others see it in the list of processes");
    at = take_host(url, at, err);
    at = at ? take_database(url, at, err) : NULL;
    if (!at)
        return -1;
    while (*at) {
        char key[FLEET_KEY], value[FLEET_TEXT];
        at = take_part(at + 1, "=&", key, sizeof key);
        if (at && *at == '=')
            at = take_part(at + 1, "&", value, sizeof value);
        else
            at = NULL;
        if (!at)
            return err_set(err, 0,
                           "the conditions of a URL are WORD=VALUE with & between, and %% only as %%XX");
        if (read_word(url, key, value, now_ns, err) != 0)
            return -1;
    }
    return 0;
}
