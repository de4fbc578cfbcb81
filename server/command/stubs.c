#include "command/stubs.h"

#include "core/buf.h"
#include "core/file.h"
#include <stdio.h>
#include <string.h>

/* The first field that is not among the names; NULL: none. */
static const char *foreign(const json_t *object, size_t n, const char *const *names) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value) {
        size_t i = 0;
        while (i < n && strcmp(name, names[i]) != 0)
            i++;
        if (i == n)
            return name;
    }
    return NULL;
}

/* "/api/v2/.*" -> "/api/v2/<*>"; false where the pattern has more than literal text and `.*`. */
static bool glob_of(const char *pattern, char *glob, size_t size) {
    size_t n = 0;
    for (const char *p = pattern; *p && n + 1 < size; p++) {
        if (p[0] == '.' && p[1] == '*') {
            glob[n++] = '*';
            p++;
        } else if (p[0] == '\\' && p[1] && strchr(".-/", p[1]))
            glob[n++] = *++p;
        else if (strchr("^$.*+?()[]{}|\\", *p))
            return false;
        else
            glob[n++] = *p;
    }
    glob[n] = '\0';
    return true;
}

static int read_url(const json_t *request, json_t *rule, struct err *err) {
    static const char *const exact[] = {"url", "urlPath"}, *const patterns[] = {"urlPattern",
                                                                                "urlPathPattern"};
    for (size_t i = 0; i < 2; i++) {
        const char *url = json_string_value(json_object_get(request, exact[i]));
        const char *pattern = json_string_value(json_object_get(request, patterns[i]));
        char glob[512];
        if (url && strchr(url, '?'))
            return err_set(err, 0, "the url %.200s has a query: a stub is for a path", url);
        if (url)
            json_object_set_new(rule, "endpoint", json_string(url));
        if (pattern && !glob_of(pattern, glob, sizeof glob))
            return err_set(err, 0, "the pattern %.200s is more than literal text and .*", pattern);
        if (pattern)
            json_object_set_new(rule, "path", json_string(glob));
    }
    return 0;
}

static int read_request(const json_t *request, json_t *rule, struct err *err) {
    static const char *const names[] = {"method", "url", "urlPath", "urlPattern", "urlPathPattern"};
    const char *other = foreign(request, sizeof names / sizeof names[0], names);
    if (other)
        return err_set(err, 0, "a stub cannot choose by request.%.100s", other);
    const char *method = json_string_value(json_object_get(request, "method"));
    if (method && strcmp(method, "ANY") != 0)
        json_object_set_new(rule, "method", json_string(method));
    return read_url(request, rule, err);
}

static int read_cut(const char *fault, json_t *rule, struct err *err) {
    static const struct {
        const char *fault, *cut;
    } cuts[] = {{"EMPTY_RESPONSE", "after"},
                {"CONNECTION_RESET_BY_PEER", "after"},
                {"MALFORMED_RESPONSE_CHUNK", "during"},
                {"RANDOM_DATA_THEN_CLOSE", "during"}};
    for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
        if (strcmp(fault, cuts[i].fault) == 0)
            return json_object_set_new(rule, "cut", json_string(cuts[i].cut));
    return err_set(err, 0, "the fault %.100s is not known", fault);
}

static int read_response(const json_t *response, json_t *rule, struct err *err) {
    static const char *const names[] = {
        "status", "body", "jsonBody", "base64Body", "headers", "fixedDelayMilliseconds", "fault"};
    static const char *const fields[] = {"status", "body", NULL, "body_b64", "headers", "delay_ms", NULL};
    const size_t n = sizeof names / sizeof names[0];
    const char *other = foreign(response, n, names);
    if (other)
        return err_set(err, 0, "a stub cannot answer with response.%.100s", other);
    for (size_t i = 0; i < n; i++)
        if (fields[i] && json_object_get(response, names[i]))
            json_object_set(rule, fields[i], json_object_get(response, names[i]));
    const json_t *body = json_object_get(response, "jsonBody");
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    if (text) {
        json_object_set_new(rule, "body", json_string(text));
        json_object_set_new(rule, "content_type", json_string("application/json"));
    }
    free(text);
    const char *fault = json_string_value(json_object_get(response, "fault"));
    return fault ? read_cut(fault, rule, err) : 0;
}

static int add_mapping(json_t *list, const json_t *mapping, struct err *err) {
    const json_t *request = json_object_get(mapping, "request"),
                 *response = json_object_get(mapping, "response");
    if (!json_is_object(request) || !json_is_object(response))
        return err_set(err, 0, "a mapping has a request and a response");
    json_t *rule = json_object();
    if (read_request(request, rule, err) != 0 || read_response(response, rule, err) != 0) {
        json_decref(rule);
        return -1;
    }
    return json_array_append_new(list, rule);
}

static int add_mappings(json_t *list, json_t *file, struct err *err) {
    const json_t *mappings = json_object_get(file, "mappings");
    size_t i;
    json_t *mapping;
    if (!mappings)
        return add_mapping(list, file, err);
    json_array_foreach(mappings, i, mapping)
        if (add_mapping(list, mapping, err) != 0)
            return -1;
    return 0;
}

static json_t *read_json(const char *path, struct err *err) {
    struct buf text;
    json_error_t error;
    if (file_read(strcmp(path, "-") == 0 ? "/dev/stdin" : path, STUBS_FILE_MAX, &text, err) != 0)
        return NULL;
    json_t *file = json_loadb(text.p ? text.p : "", text.n, 0, &error);
    buf_free(&text);
    if (!file)
        err_set(err, 0, "%s, line %d: %s", path, error.line, error.text);
    return file;
}

json_t *stubs_load(const char *path, struct err *err) {
    json_t *file = read_json(path, err);
    if (!file)
        return NULL;
    json_t *faults = json_pack("{s:[],s:[]}", "http", "dogstatsd");
    json_t *http = json_object_get(faults, "http"), *dogstatsd = json_object_get(faults, "dogstatsd");
    static const char *const ours[] = {"http", "dogstatsd"};
    const char *other = foreign(file, 2, ours);
    struct err why = {0};
    int result = 0;
    if (json_is_object(file) && json_object_size(file) && !other) {
        json_array_extend(http, json_object_get(file, "http"));
        json_array_extend(dogstatsd, json_object_get(file, "dogstatsd"));
    } else if (json_is_object(file) &&
               (json_object_get(file, "mappings") || json_object_get(file, "request")))
        result = add_mappings(http, file, &why);
    else
        result = err_set(&why, 0, "it holds neither the lists http and dogstatsd nor mappings");
    json_decref(file);
    if (result == 0)
        return faults;
    err_set(err, 0, "%s: %s", path, why.set ? why.text : "out of memory");
    json_decref(faults);
    return NULL;
}
