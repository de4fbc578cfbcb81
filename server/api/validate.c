#include "api/arguments.h"
#include "api/read.h"

/* Unlike writes, these always want a key: they are asked whether it is good. To fakeintake it is, whatever it is. */
static void answer(struct http_request *rq, const char *body) {
    struct span note;
    if (api_admits(rq, &note) && arguments_hold(rq)) {
        if (rq->api_key.n || rq->http->options.fakeintake)
            api_answer(rq, 200, "application/json", body);
        else
            api_errors(rq, 403, "API key required");
    }
    api_finish(rq, false, note);
}

void api_validate_v1(struct http_request *rq) {
    answer(rq, "{\"valid\":true}");
}

#define KEY_ID "5b6c0f0e-57a7-4e57-8d0b-57a7c0de0001" /* one for all keys: it stands for nothing */

void api_validate_v2(struct http_request *rq) {
    answer(rq, "{\"data\":{\"type\":\"validate_v2\",\"id\":\"" KEY_ID "\",\"attributes\":{\"valid\":true,"
               "\"api_key_id\":\"" KEY_ID "\",\"api_key_scopes\":[]}}}");
}

void api_validate_keys(struct http_request *rq) {
    answer(rq, "{\"status\":\"ok\"}");
}
