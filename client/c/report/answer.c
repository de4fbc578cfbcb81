#include "emit/error.h"
#include "report/recorder.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* {"error": a sentence, "excerpt"?: the line and a caret under the place} */
static void explain(const struct statwit_response *response, const char *url, const char *path,
                    struct statwit_error *error) {
    json_t *body = json_loadb(response->body, response->size, 0, NULL);
    const char *excerpt = answer_string(body, "excerpt", NULL);
    bool malformed = response->status == 400;
    error_set(error, malformed ? STATWIT_INVALID : STATWIT_REFUSED, "%.300s%s%.150s",
              answer_string(body, "error", "the recorder refused"), excerpt ? "\n" : "",
              excerpt ? excerpt : "");
    if (!answer_string(body, "error", NULL))
        error_set(error, STATWIT_REFUSED, "%.200s%.100s answered %d", url, path, response->status);
    if (error)
        error->status = response->status;
    json_decref(body);
}

static json_t *parse(const struct statwit_response *response, const char *url, const char *path,
                     struct statwit_error *error) {
    json_error_t where;
    json_t *body = json_loadb(response->body, response->size, JSON_ALLOW_NUL, &where);
    if (json_is_object(body))
        return body;
    json_decref(body);
    error_set(error, STATWIT_PROTOCOL,
              "%.200s%.100s did not answer with a JSON object (%.100s): is it a statwit server?", url, path,
              where.text);
    return NULL;
}

json_t *answer_get(struct statwit_recorder *recorder, const char *method, const char *path, json_t *body,
                   int timeout_ms, struct statwit_error *error) {
    if (!recorder) {
        json_decref(body);
        missing_tell(error);
        return NULL;
    }
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    bool failed = body && !text;
    json_decref(body);
    if (failed) {
        error_memory(error);
        return NULL;
    }
    struct statwit_request request = {.method = method,
                                      .path = path,
                                      .body = text,
                                      .size = text ? strlen(text) : 0,
                                      .timeout_ms = timeout_ms};
    struct statwit_response response;
    json_t *answer = NULL;
    if (statwit_request(recorder, &request, &response, error) == 0) {
        if (response.status >= 200 && response.status < 300)
            answer = parse(&response, recorder->url, path, error);
        else
            explain(&response, recorder->url, path, error);
        statwit_response_free(&response);
    }
    free(text);
    return answer;
}

const char *answer_string(const json_t *object, const char *name, const char *fallback) {
    const char *string = json_string_value(json_object_get(object, name));
    return string ? string : fallback;
}

double answer_number(const json_t *object, const char *name) {
    const json_t *number = json_object_get(object, name);
    return json_is_number(number) ? json_number_value(number) : NAN;
}

uint64_t answer_count(const json_t *object, const char *name) {
    json_int_t count = json_integer_value(json_object_get(object, name));
    return count > 0 ? (uint64_t)count : 0;
}
