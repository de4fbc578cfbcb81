/* Sessions that keep points of any age: for tests with a frozen clock, and for bodies that were recorded once. */
#include "ingest/loop.h"

static struct open_session *session_by_id(struct ingest *in, uint64_t session_id) {
    struct open_session *session = in->sessions;
    while (session && session->is.id != session_id)
        session = session->next;
    return session;
}

bool ingest_takes_any_age(struct ingest *in, uint64_t session_id) {
    pthread_mutex_lock(&in->lock);
    const struct open_session *session = session_by_id(in, session_id);
    bool any_age = session ? session->is.any_age : in->options.any_age;
    pthread_mutex_unlock(&in->lock);
    return any_age;
}

void ingest_take_any_age(struct ingest *in, uint64_t session_id, bool any_age) {
    pthread_mutex_lock(&in->lock);
    struct open_session *session = session_by_id(in, session_id);
    if (session)
        session->is.any_age = any_age;
    pthread_mutex_unlock(&in->lock);
}
