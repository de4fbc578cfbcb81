#include "decode/capture/capture.h"

#include <inttypes.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/*   1700000000.25<TAB>a:1|c
 *   ^^^^^^^^^^^^^                digits, and any decimals, of which nine count
 */
static bool read_seconds(struct span text, int64_t *ns) {
    int64_t whole = 0, part = 0, unit = CAPTURE_NS_PER_S / 10;
    size_t i = 0;
    for (; i < text.n && is_digit(text.p[i]); i++) {
        whole = whole * 10 + (text.p[i] - '0');
        if (whole > CAPTURE_S_MAX)
            return false;
    }
    if (i == 0 || (i < text.n && (text.p[i] != '.' || i + 1 == text.n)))
        return false;
    for (i++; i < text.n; i++, unit /= 10) {
        if (!is_digit(text.p[i]))
            return false;
        part += (text.p[i] - '0') * unit;
    }
    *ns = whole * CAPTURE_NS_PER_S + part;
    return true;
}

static int refuse(const struct capture *c, struct span line, struct err *err) {
    return err_set(err, 0,
                   "line %" PRIu64
                   " is not SECONDS, a tab and a DogStatsD line, as 1700000000.25<TAB>a:1|c: '%.*s'",
                   c->n_lines, (int)(line.n < 80 ? line.n : 80), line.p);
}

ssize_t capture_read_text(struct capture *c, struct span bytes, bool last, struct err *err) {
    const char *newline = memchr(bytes.p, '\n', bytes.n);
    int64_t at_ns;
    if (!newline && !last)
        return 0;
    struct span line = span_of(bytes.p, newline ? (size_t)(newline - bytes.p) : bytes.n);
    ssize_t length = (ssize_t)line.n + (newline != NULL);
    c->n_lines++;
    if (line.n == 0 || line.p[0] == '#' || span_eq(line, SPAN("\r")))
        return length;
    const char *tab = memchr(line.p, '\t', line.n);
    if (!tab || !read_seconds(span_of(line.p, (size_t)(tab - line.p)), &at_ns))
        return refuse(c, line, err);
    struct span datagram = span_from(line, (size_t)(tab + 1 - line.p));
    return c->take(c->arg, at_ns, SOURCE_UDP, datagram, err) == 0 ? length : -1;
}
