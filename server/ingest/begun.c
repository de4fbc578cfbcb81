/* The mark that a session keeps: dd-apm-test-agent calls it the start of a session. */
#include "ingest/loop.h"

static struct open_session *find(struct ingest *in, uint64_t session_id) {
    struct open_session *s = in->sessions;
    while (s && s->is.id != session_id)
        s = s->next;
    return s;
}

uint64_t ingest_session_begun(struct ingest *in, uint64_t session_id) {
    pthread_mutex_lock(&in->lock);
    const struct open_session *session = find(in, session_id);
    uint64_t mark = session ? session->begun : 0;
    pthread_mutex_unlock(&in->lock);
    return mark;
}

void ingest_session_begin(struct ingest *in, uint64_t session_id, uint64_t mark) {
    pthread_mutex_lock(&in->lock);
    struct open_session *session = find(in, session_id);
    if (session)
        session->begun = mark;
    pthread_mutex_unlock(&in->lock);
}
