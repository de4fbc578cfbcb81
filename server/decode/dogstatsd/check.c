#include "core/number.h"
#include "decode/dogstatsd/line.h"

static void refuse(struct dogstatsd *d, struct span line, enum reason reason, const char *at,
                   struct span name) {
    line_reject(d, reason, SPAN("service_check"), line, at, name);
}

/* Which fields of a check have been read: one more of a kind replaces it. */
struct check_fields {
    struct span timestamp, host, message; /* whole fields; p == NULL: none yet */
};

static void take_field(struct dogstatsd *d, struct span *before, struct span field) {
    if (before->p)
        line_remark(d, REMARK_REPEATED_FIELD, *before);
    *before = field;
}

/*   |d:1657100430|h:web-1|m:all is well|
 *    ^^^^^^^^^^^^ ^^^^^^^ ^^^^^^^^^^^^^
 */
static void read_field(struct dogstatsd *d, struct service_check *check, struct check_fields *seen,
                       struct line_fields *fields, struct span field) {
    int64_t timestamp;
    if (span_starts(field, SPAN("d:"))) {
        if (number_parse_int(span_from(field, 2), &timestamp) == NUMBER_OK) {
            take_field(d, &seen->timestamp, field);
            check->timestamp = timestamp;
        } else {
            line_remark(d, REMARK_IGNORED_VALUE, field);
        }
    } else if (span_starts(field, SPAN("h:"))) {
        take_field(d, &seen->host, field);
    } else if (span_starts(field, SPAN("m:"))) {
        take_field(d, &seen->message, field);
        check->message = span_from(field, 2);
    } else {
        fields_take(d, fields, field);
    }
}

/*   _sc|app.ok|0|#env:ci|m:all is well
 *      ^           four bytes are skipped, whatever the fourth is
 *       ^^^^^^ ^   the name ends at the next '|', the status at the one after it or with the line
 */
void check_decode(struct dogstatsd *d, struct span line, const char *newline) {
    const char *end = line.p + line.n;
    const char *first = line_find(line.p, end, '|'),
               *second = first < end ? line_find(first + 1, end, '|') : end;
    if (second == end) {
        refuse(d, line, REASON_SC_FORMAT, end, (struct span){NULL, 0});
        return;
    }
    const char *name = line.p + 4, *name_end = line_find(name, end, '|');
    const char *status = name_end + 1, *status_end = line_find(status, end, '|');
    if (name_end == name) {
        refuse(d, line, REASON_SC_EMPTY_NAME, name, (struct span){NULL, 0});
        return;
    }
    if (status_end - status != 1 || *status < '0' || *status > '3') {
        refuse(d, line, REASON_SC_INVALID_STATUS, status, line_span(name, name_end));
        return;
    }
    struct record record = {
        .kind = RECORD_SERVICE_CHECK,
        .check = {.name = line_span(name, name_end), .status = *status - '0', .message = SPAN("")},
    };
    struct service_check *check = &record.check;
    struct line_fields fields = {0};
    struct check_fields seen = {0};
    if (line.p[3] != '|')
        line_remark(d, REMARK_CHECK_PREFIX, span_of(line.p + 3, 1));
    struct stops stops;
    stops_start(&stops, status_end, newline);
    const char *at;
    for (char stop = stops_next(&stops, &at); stop == '|';)
        read_field(d, check, &seen, &fields, fields_next(d, &fields, at + 1, &stops, &stop, &at));
    check->n_tags = enrich(d, &fields, &check->origin);
    check->tags = d->tags;
    enrich_host(d, seen.host, &check->origin);
    check->remarks = line_remarks(d, line);
    d->emit(d->arg, &record);
    d->remarks.n = 0;
}
