#include "control/ask.h"
#include "control/control.h"
#include "core/embed.h"

EMBED(openapi_yaml, "schema/openapi.yaml");

void control_openapi(struct http_request *rq) {
    if (ask_only(rq, 0, NULL) != 0)
        return;
    rq->answer.content_type = "application/yaml; charset=utf-8";
    buf_add(&rq->answer.body, openapi_yaml, EMBED_SIZE(openapi_yaml));
}
