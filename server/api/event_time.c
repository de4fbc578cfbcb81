#include "api/event_time.h"

#include "core/clock.h"
#include "core/number.h"
#include <time.h>

#define YEARS_MAX_S (290LL * 365 * 86400) /* what nanoseconds hold */

static bool read_relative(struct span text, int64_t now_ns, int64_t *ns) {
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    struct span rest = span_from(text, strlen("now"));
    int64_t n;
    *ns = now_ns;
    if (rest.n == 0)
        return true;
    if (rest.n < 3 || (rest.p[0] != '-' && rest.p[0] != '+') || rest.p[1] < '0' || rest.p[1] > '9' ||
        number_parse_int(span_of(rest.p, rest.n - 1), &n) != NUMBER_OK)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (rest.p[rest.n - 1] == units[i].unit) {
            int64_t most = (now_ns / NS_PER_S) / units[i].seconds;
            if (n > most || n < -most)
                return false;
            *ns = now_ns + n * units[i].seconds * NS_PER_S;
            return true;
        }
    return false;
}

static bool take_digits(struct span *s, size_t n, int *value) {
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        if (i >= s->n || s->p[i] < '0' || s->p[i] > '9')
            return false;
        *value = *value * 10 + (s->p[i] - '0');
    }
    *s = span_from(*s, n);
    return true;
}

static bool take_byte(struct span *s, const char *bytes, char *found) {
    if (s->n == 0 || !s->p[0] || !strchr(bytes, s->p[0]))
        return false;
    if (found)
        *found = s->p[0];
    *s = span_from(*s, 1);
    return true;
}

/*   2026-09-17T11:48:36.123Z   or +01:00 instead of Z */
static bool read_iso(struct span s, int64_t *ns) {
    struct tm t = {0};
    int hours = 0, minutes = 0;
    int64_t fraction = 0, digit = NS_PER_S / 10;
    char sign = 'Z';
    if (!take_digits(&s, 4, &t.tm_year) || !take_byte(&s, "-", NULL) || !take_digits(&s, 2, &t.tm_mon) ||
        !take_byte(&s, "-", NULL) || !take_digits(&s, 2, &t.tm_mday) || !take_byte(&s, "Tt ", NULL) ||
        !take_digits(&s, 2, &t.tm_hour) || !take_byte(&s, ":", NULL) || !take_digits(&s, 2, &t.tm_min) ||
        !take_byte(&s, ":", NULL) || !take_digits(&s, 2, &t.tm_sec))
        return false;
    if (take_byte(&s, ".", NULL))
        for (char c; take_byte(&s, "0123456789", &c); digit /= 10)
            fraction += (c - '0') * digit;
    if (!take_byte(&s, "Zz+-", &sign))
        return false;
    if (sign == '+' || sign == '-') {
        if (!take_digits(&s, 2, &hours))
            return false;
        take_byte(&s, ":", NULL);
        if (!take_digits(&s, 2, &minutes))
            return false;
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    if (s.n || t.tm_mon < 0 || t.tm_mon > 11 || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 23 ||
        t.tm_min > 59 || t.tm_sec > 60)
        return false;
    int64_t offset = (hours * 60 + minutes) * 60, seconds = timegm(&t) - (sign == '-' ? -offset : offset);
    if (seconds < -YEARS_MAX_S || seconds > YEARS_MAX_S)
        return false;
    *ns = seconds * NS_PER_S + fraction;
    return true;
}

bool event_time_read(struct span text, int64_t now_ns, int64_t *ns) {
    int64_t ms;
    if (span_starts(text, SPAN("now")))
        return read_relative(text, now_ns, ns);
    if (number_parse_int(text, &ms) == NUMBER_OK) {
        if (ms < 0 || ms / 1000 > YEARS_MAX_S)
            return false;
        *ns = ms * NS_PER_MS;
        return true;
    }
    return read_iso(text, ns);
}
