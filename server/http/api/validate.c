#include "http/api/api.h"

/* These two always want a key. False once answered. */
static bool has_key(struct http_request *rq) {
    struct span note;
    if (!api_admits(rq, &note))
        return false;
    if (rq->api_key.n)
        return true;
    api_errors(rq, 403, "API key required");
    return false;
}

void api_validate_v1(struct http_request *rq) {
    if (has_key(rq))
        api_answer(rq, 200, "application/json", "{\"valid\":true}");
}

#define KEY_ID "5b6c0f0e-57a7-4e57-8d0b-57a7c0de0001" /* one for all keys: it stands for nothing */

void api_validate_v2(struct http_request *rq) {
    if (has_key(rq))
        api_answer(rq, 200, "application/json",
                   "{\"data\":{\"type\":\"validate_v2\",\"id\":\"" KEY_ID "\",\"attributes\":{\"valid\":true,"
                   "\"api_key_id\":\"" KEY_ID "\",\"api_key_scopes\":[]}}}");
}

void api_validate_keys(struct http_request *rq) {
    if (has_key(rq))
        api_answer(rq, 200, "application/json", "{\"status\":\"ok\"}");
}
