/* A session that ends between a question and the look at the recording. */
#include "asking.h"

#include "http/reading.h"

#include <string.h>

static bool reads(uint64_t session_id, const char *name, struct err *err) {
    *err = (struct err){0};
    struct reader *reader = http_read_begin(server.http, session_id, span_str(name), err);
    http_read_end(server.http, reader);
    return reader != NULL;
}

static void make_session(const char *name, struct ingest_session *session) {
    char body[64];
    struct err err = {0};
    snprintf(body, sizeof body, "{\"name\":\"%s\"}", name);
    EQ_INT(post_json("POST /recorder/v1/sessions", body), 201);
    EQ_INT(ingest_session_find(server.rig.ingest, span_str(name), session, &err), 0);
}

static void ended(const char *removal, const char *what) {
    struct ingest_session session, anew;
    struct err err;
    start();
    make_session("mine", &session);
    CU_ASSERT_TRUE(reads(session.id, "mine", &err));
    CU_ASSERT_TRUE(reads(INGEST_ALL, "mine", &err));
    CU_ASSERT_FALSE(reads(session.id, "other", &err));
    EQ_INT(ask(removal), 200);
    make_session("mine", &anew);
    CU_ASSERT_FALSE(reads(session.id, "mine", &err)); /* that name is another one's */
    CU_ASSERT_TRUE(http_read_gone(&err));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, what));
    CU_ASSERT_TRUE(reads(anew.id, "mine", &err));
    CU_ASSERT_FALSE(http_read_gone(&err));
    stop();
}

static void removed(void) {
    ended("DELETE /recorder/v1/sessions/mine",
          "the session 'mine' has ended while it was asked about: it was removed, or its");
}

static void kept(void) {
    ended("DELETE /recorder/v1/sessions/mine?keep=1",
          "the session 'mine' has ended while it was asked about: it is called 'mine@2' now");
}

UNIT_MAIN("http/reading", {"a session that was removed", removed},
          {"a session that ended, kept under another name", kept})
