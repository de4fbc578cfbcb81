/* GET /info: what a trace agent tells of itself. Clients of dd-trace look there for the proxy of DogStatsD lines and for the port. */
#include "api/read.h"

#include "core/version.h"

struct info_port {
    uint64_t session_id;
    int port;
};

static void take_port(void *arg, const struct ingest_session *session) {
    struct info_port *p = arg;
    if (session->id == p->session_id)
        p->port = session->at.udp[0] ? session->at.udp_port : 0;
}

void api_info(struct http_request *rq) {
    struct info_port p = {.session_id = rq->session_id};
    struct span note;
    if (api_is_undisturbed(rq, &note) && api_has_session(rq, &note)) {
        ingest_session_each(rq->http->ingest, take_port, &p);
        api_answer(rq, 200, "application/json", "");
        buf_printf(&rq->answer.body,
                   "{\"version\":\"" STATWIT_SERVER_VERSION
                   "\",\"endpoints\":[\"/dogstatsd/v1/proxy\",\"/dogstatsd/v2/proxy\"],"
                   "\"feature_flags\":[],\"client_drop_p0s\":false,\"config\":{\"statsd_port\":%d}}",
                   p.port);
    }
    api_finish(rq, false, note);
}
