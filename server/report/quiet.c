#include "report/quiet.h"

#include "judge/language/text.h"

#define SESSIONS_SHOWN 3
#define NAME_MAX_BYTES 80

/* --- whether anything arrived ---------------------------------------------------------------------------- */

struct arrival {
    uint64_t since, until;
    bool arrived;
};

static int see_series(void *arg, const struct series_row *row) {
    struct arrival *arrival = arg;
    arrival->arrived |= row->last_id > arrival->since && (!arrival->until || row->first_id <= arrival->until);
    return arrival->arrived;
}

#define SEE(what, type)                                                                                      \
    static int see_##what(void *arg, const struct type *row) {                                               \
        (void)row;                                                                                           \
        return ((struct arrival *)arg)->arrived = true;                                                      \
    }
SEE(event, event_row)
SEE(check, check_row)
SEE(reject, reject_row)

static int look_for_any(const struct judge *j, struct reader *reader, bool *arrived, struct err *err) {
    struct arrival arrival = {.since = j->since, .until = j->until};
    struct filter all = {.session = j->session},
                  one = {.session = j->session, .since = j->since, .until = j->until, .limit = 1};
    int result = reader->ops->series(reader, &all, see_series, &arrival, err);
    if (result == 0 && !arrival.arrived)
        result = reader->ops->events(reader, &one, see_event, &arrival, err);
    if (result == 0 && !arrival.arrived)
        result = reader->ops->checks(reader, &one, see_check, &arrival, err);
    if (result == 0 && !arrival.arrived)
        result = reader->ops->rejects(reader, &one, see_reject, &arrival, err);
    *arrived = arrival.arrived;
    return result;
}

/* --- where else ------------------------------------------------------------------------------------------ */

struct others {
    const struct judge *judge;
    size_t n;
    struct buf *text;
};

static int see_session(void *arg, const struct session_row *row) {
    struct others *o = arg;
    if (span_eq(row->name, o->judge->session) || row->samples + row->events + row->checks + row->rejects == 0)
        return 0;
    if (o->n < SESSIONS_SHOWN) {
        buf_str(o->text, o->n ? ", " : " Records arrived in session ");
        text_put_shown(o->text, row->name, false, NAME_MAX_BYTES);
        if (row->label.p) {
            buf_str(o->text, " (");
            text_put_visible(o->text, row->label, NAME_MAX_BYTES);
            buf_char(o->text, ')');
        }
    }
    o->n++;
    return 0;
}

/* What earlier runs recorded elsewhere is no hint. */
static int put_others(const struct judge *j, struct reader *reader, struct buf *text, struct err *err) {
    struct others others = {.judge = j, .text = text};
    if (!j->session.p || j->since)
        return 0;
    int result = reader->ops->sessions(reader, see_session, &others, err);
    if (others.n > SESSIONS_SHOWN)
        buf_printf(text, " and %zu more", others.n - SESSIONS_SHOWN);
    buf_str(text, others.n ? "." : "");
    return result;
}

int quiet_tell(const struct judge *j, struct reader *reader, struct buf *text, struct err *err) {
    bool arrived;
    if (j->n_losses) /* something came, or may have come: the report tells of it */
        return 0;
    if (look_for_any(j, reader, &arrived, err) != 0)
        return -1;
    if (arrived)
        return 0;
    buf_str(text, "nothing at all arrived in ");
    buf_str(text, j->session.p ? "session " : "any session");
    if (j->session.p)
        text_put_shown(text, j->session, false, NAME_MAX_BYTES);
    buf_str(text, j->earlier ? " in this run" : j->since ? " after the mark" : "");
    buf_str(text, j->until ? " until the mark of `until`" : "");
    if (j->listening.p) {
        buf_str(text, ", which listens on ");
        buf_span(text, j->listening);
    }
    buf_str(text,
            ". The client may send elsewhere, or may still buffer what it has: flush or close it, or wait "
            "(within).");
    return put_others(j, reader, text, err);
}
