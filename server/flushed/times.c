/* Flush times as text. */
#include "core/array.h"
#include "core/clock.h"
#include "core/number.h"
#include "flushed/feed.h"

#include <stdlib.h>

static int by_time(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool read_time(struct span text, int64_t *ns) {
    double seconds;
    size_t dot = 0;
    while (dot < text.n && text.p[dot] != '.')
        dot++;
    int64_t whole;
    if (text.n == 0 || (text.p[0] < '0' || text.p[0] > '9') ||
        number_parse_int(span_of(text.p, dot), &whole) != NUMBER_OK || whole > INT64_MAX / NS_PER_S - 1)
        return false;
    *ns = whole * NS_PER_S;
    if (dot == text.n)
        return true;
    if (number_parse(span_from(text, dot), &seconds) != NUMBER_OK || !(seconds >= 0 && seconds < 1))
        return false;
    *ns += (int64_t)(seconds * 1e9 + 0.5);
    return true;
}

int feed_read_times(struct feed_question *q, struct span text, struct err *err) {
    size_t cap = 0;
    for (size_t i = 0, end; i <= text.n; i = end + 1) {
        for (end = i; end < text.n && text.p[end] != ',';)
            end++;
        struct span word = span_of(text.p + i, end - i);
        if (q->n_at == FEED_TIMES_MAX)
            return err_set(err, 0, "more than %d flush times", FEED_TIMES_MAX);
        if (!array_room(&q->at_ns, q->n_at, &cap, sizeof *q->at_ns))
            return err_set(err, 0, "out of memory");
        if (!read_time(word, &q->at_ns[q->n_at++]))
            return err_set(err, 0,
                           "flush times are seconds since 1970, as 1700000010,1700000020.5, not '%.*s'",
                           SPAN_ARG(word));
    }
    qsort(q->at_ns, q->n_at, sizeof *q->at_ns, by_time);
    return 0;
}
