#include "core/moment.h"

#include "core/clock.h"
#include "core/number.h"

int64_t moment_parse_length(struct span text) {
    static const struct {
        const char *unit;
        double ns;
    } units[] = {{"ms", 1e6}, {"us", 1e3}, {"ns", 1}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '.'))
        n++;
    struct span unit = span_from(text, n);
    double value;
    if (n == 0 || number_parse(span_of(text.p, n), &value) != NUMBER_OK)
        return -1;
    if (value == 0 && unit.n == 0)
        return 0;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (span_eq(unit, span_str(units[i].unit)))
            return value * units[i].ns < 9e18 ? (int64_t)(value * units[i].ns + 0.5) : -1;
    return -1;
}

/* n digits at `at`, of a number from low to high. */
static bool read_digits(struct span s, size_t at, size_t n, int low, int high, int *value) {
    *value = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
            return false;
        *value = *value * 10 + (s.p[i] - '0');
    }
    return *value >= low && *value <= high;
}

static bool has(struct span s, size_t at, const char *characters) {
    return at < s.n && s.p[at] && strchr(characters, s.p[at]);
}

/* .123456789: digits past the ninth are left out. Returns the place behind it, 0 when it is malformed. */
static size_t read_fraction(struct span s, size_t at, int64_t *ns) {
    int64_t unit = NS_PER_S / 10;
    size_t start = at + 1;
    if (!has(s, at, ".,"))
        return at;
    for (at = start; at < s.n && s.p[at] >= '0' && s.p[at] <= '9'; at++, unit /= 10)
        *ns += (s.p[at] - '0') * unit;
    return at > start ? at : 0;
}

/* Z or +01:00 to the end of the text. */
static bool read_zone(struct span s, size_t at, int *offset_s) {
    int hours, minutes;
    *offset_s = 0;
    if (has(s, at, "Zz"))
        return at + 1 == s.n;
    if (!has(s, at, "+-") || !read_digits(s, at + 1, 2, 0, 23, &hours) || !has(s, at + 3, ":") ||
        !read_digits(s, at + 4, 2, 0, 59, &minutes) || at + 6 != s.n)
        return false;
    *offset_s = (hours * 60 + minutes) * 60 * (s.p[at] == '-' ? -1 : 1);
    return true;
}

/*   2026-11-27T10:00:00.5Z
 *   0    5  8  11 14 17 19
 */
bool moment_parse_time(struct span s, int64_t *wall_ns) {
    struct tm t = {0};
    int offset_s;
    int64_t ns = 0;
    if (!read_digits(s, 0, 4, 1970, 2200, &t.tm_year) || !has(s, 4, "-") ||
        !read_digits(s, 5, 2, 1, 12, &t.tm_mon) || !has(s, 7, "-") ||
        !read_digits(s, 8, 2, 1, 31, &t.tm_mday) || !has(s, 10, "Tt ") ||
        !read_digits(s, 11, 2, 0, 23, &t.tm_hour) || !has(s, 13, ":") ||
        !read_digits(s, 14, 2, 0, 59, &t.tm_min) || !has(s, 16, ":") ||
        !read_digits(s, 17, 2, 0, 60, &t.tm_sec))
        return false;
    size_t at = read_fraction(s, 19, &ns);
    if (at == 0 || !read_zone(s, at, &offset_s))
        return false;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    int day = t.tm_mday, second = t.tm_sec;
    t.tm_sec = 0;
    int64_t minute = timegm(&t); /* which makes the 1st of March of the 29th of February */
    *wall_ns = (minute + second - offset_s) * NS_PER_S + ns;
    return t.tm_mday == day;
}

static bool parse_mark(struct span text, uint64_t *mark) {
    int64_t n;
    bool digits = text.n > 0 && text.p[0] >= '0' && text.p[0] <= '9';
    if (!digits || number_parse_int(text, &n) != NUMBER_OK || n < 0)
        return false;
    *mark = (uint64_t)n;
    return true;
}

bool moment_parse(struct span text, struct moment *m) {
    *m = (struct moment){.kind = MOMENT_MARK};
    if (parse_mark(text, &m->mark))
        return true;
    m->kind = MOMENT_NOW;
    if (span_eq(text, SPAN("now")))
        return true;
    m->kind = MOMENT_AGE;
    m->ns = moment_parse_length(text);
    if (m->ns >= 0)
        return true;
    m->kind = MOMENT_TIME;
    return moment_parse_time(text, &m->ns);
}

int moment_mark(const struct moment *m, struct reader *r, uint64_t session_id, int64_t now_ns,
                uint64_t last_id, uint64_t *mark, bool *later, struct err *err) {
    bool is_later = m->kind == MOMENT_NOW;
    *mark = m->kind == MOMENT_MARK ? m->mark : last_id;
    if (m->kind == MOMENT_AGE || m->kind == MOMENT_TIME) {
        int64_t at = m->kind == MOMENT_TIME ? m->ns : now_ns > m->ns ? now_ns - m->ns : 0;
        uint64_t first;
        if (reader_first_at(r, session_id, at, &first, err) != 0)
            return -1;
        is_later = first == 0;
        *mark = first ? first - 1 : last_id;
    }
    if (later)
        *later = is_later;
    return 0;
}
