#include "report/kinship.h"

#include "core/glob.h"

#include <strings.h>

/* --- tags in the name ------------------------------------------------------------------------------------ */

const char *dialect_word(enum dialect dialect) {
    static const char *const words[] = {[DIALECT_NONE] = "",
#define X(id, word) [id] = word,
                                        DIALECTS(X)
#undef X
    };
    return words[dialect];
}

/* istio_requests_total.;.reporter=.=source
 *                     ^^^
 */
static enum dialect istio_of(struct span name, struct span *base) {
    const char *at = memmem(name.p, name.n, ".;.", 3), *between = memmem(name.p, name.n, "=.=", 3);
    if (!at || !between || at == name.p || between < at)
        return DIALECT_NONE;
    *base = span_of(name.p, (size_t)(at - name.p));
    return DIALECT_ISTIO;
}

enum dialect dialect_of(struct span name, struct span *base) {
    static const char marks[] = {',', '#', ';', '['};
    static const enum dialect dialects[] = {DIALECT_INFLUXDB, DIALECT_LIBRATO, DIALECT_GRAPHITE,
                                            DIALECT_SIGNALFX};
    *base = name;
    if (!name.n || !memchr(name.p, '=', name.n))
        return DIALECT_NONE;
    if (istio_of(name, base))
        return DIALECT_ISTIO;
    for (size_t i = 1; i < name.n; i++) {
        const char *mark = memchr(marks, name.p[i], sizeof marks);
        if (!mark)
            continue;
        if (!memchr(name.p + i, '=', name.n - i))
            return DIALECT_NONE;
        *base = span_of(name.p, i);
        return dialects[mark - marks];
    }
    return DIALECT_NONE;
}

static struct span strip_istio(struct span s) {
    while (s.n && (s.p[0] == '.' || s.p[0] == '='))
        s = span_from(s, 1);
    while (s.n && s.p[s.n - 1] == '.')
        s.n--;
    return s;
}

bool dialect_has(struct span name, struct span key, struct span value) {
    struct span base, rest;
    enum dialect dialect = dialect_of(name, &base);
    if (dialect == DIALECT_NONE || key.n == 0)
        return false;
    for (rest = span_from(name, base.n); rest.n;) {
        size_t n = 1; /* of the piece, with its mark */
        while (n < rest.n && !memchr(",;]", rest.p[n], 3))
            n++;
        struct span piece = span_of(rest.p + 1, n - 1);
        if (dialect == DIALECT_ISTIO)
            piece = strip_istio(piece);
        if (span_starts(piece, key) && piece.n > key.n && piece.p[key.n] == '=') {
            struct span found = span_from(piece, key.n);
            found = dialect == DIALECT_ISTIO ? strip_istio(found) : span_from(found, 1);
            if (span_eq(found, value))
                return true;
        }
        rest = span_from(rest, n);
    }
    return false;
}

/* --- both sides ------------------------------------------------------------------------------------------ */

struct sought sought_of(const struct expectation *e) {
    struct sought w = {.e = e, .outline = outline_of(e->name)};
    const char *colon = e->name.n ? memchr(e->name.p, ':', e->name.n) : NULL;
    if (colon && colon > e->name.p && e->subject == SUBJECT_METRIC)
        w.head = span_of(e->name.p, (size_t)(colon - e->name.p));
    return w;
}

struct named named_title(struct span title) {
    return (struct named){.name = title, .outline = outline_of(title), .base = title};
}

struct named named_of(struct span name) {
    struct named n = named_title(name);
    n.dialect = dialect_of(name, &n.base);
    n.base_outline = n.dialect ? outline_of(n.base) : n.outline;
    return n;
}

/* --- kinship --------------------------------------------------------------------------------------------- */

/* What stands between the parts of a name; titles are sentences. */
static bool is_joint(char c, bool title) {
    return c == '.' || c == '_' || c == '-' || (title && (c == ' ' || c == ':'));
}

/* Whether `longer` is `shorter` with something before it: at least "x." */
static bool has_prefix_before(struct span longer, struct span shorter, bool title) {
    if (longer.n < shorter.n + 2)
        return false;
    size_t n = longer.n - shorter.n;
    return is_joint(longer.p[n - 1], title) && span_eq(span_from(longer, n), shorter);
}

/* Whether `longer` is `shorter` with something behind it: at least ".x" */
#define END_OF_MIN 3 /* bytes of a name; a shorter one begins too many */
static bool has_end_behind(struct span longer, struct span shorter, bool title) {
    return shorter.n >= END_OF_MIN && longer.n >= shorter.n + 2 && is_joint(longer.p[shorter.n], title) &&
           span_starts(longer, shorter);
}

static size_t edits_allowed(struct span name) {
    return name.n < 2 ? 0 : name.n < 4 ? 1 : name.n < 9 ? 2 : name.n / 4 > 6 ? 6 : name.n / 4;
}

static bool is_blank(char c) {
    return (unsigned char)c <= ' ' || c == 0x7f;
}

static struct span trimmed(struct span s) {
    while (s.n && is_blank(s.p[0]))
        s = span_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

static bool differs_in_case(struct span a, struct span b) {
    for (size_t i = 0; i < a.n && a.n == b.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        unsigned char folded = x | 0x20;
        if (x != y && (folded != (y | 0x20) || folded < 'a' || folded > 'z'))
            return false;
    }
    return a.n == b.n;
}

/* How much of the name stands before an end that the pattern takes: up to one of the first dots; 0: there is none. */
static size_t before_the_end(const struct expectation *e, struct span name, uint64_t *steps) {
    const char *dot = name.n ? memchr(name.p, '.', name.n) : NULL;
    for (int i = 0; i < 4 && dot; i++) {
        size_t n = (size_t)(dot - name.p) + 1;
        struct span end = span_from(name, n);
        if (end.n && glob_match_counted(e->name, end, steps))
            return n;
        dot = end.n ? memchr(end.p, '.', end.n) : NULL;
    }
    return 0;
}

static enum kinship kin_of_pattern(const struct sought *w, struct span name, uint64_t *steps) {
    const struct expectation *e = w->e;
    const char *dot = memchr(e->name.p, '.', e->name.n);
    if (e->name.p[0] == '*')
        return KIN_NONE;
    if (dot && dot + 1 < e->name.p + e->name.n - 1 &&
        glob_match_counted(span_from(e->name, (size_t)(dot - e->name.p) + 1), name, steps))
        return KIN_PREFIX_MISSING;
    if (w->head.p && glob_match_counted(w->head, name, steps))
        return KIN_COLON;
    return before_the_end(e, name, steps) ? KIN_PREFIX_EXTRA : KIN_NONE;
}

static enum kinship kin_of_literal(const struct sought *w, struct span name, const struct outline *outline,
                                   size_t limit, size_t *edits, uint64_t *steps) {
    const struct expectation *e = w->e;
    if (name.n == e->name.n && differs_in_case(name, e->name))
        return KIN_CASE;
    if (name.n && (is_blank(name.p[0]) || is_blank(name.p[name.n - 1])) &&
        span_eq(trimmed(name), trimmed(e->name)))
        return KIN_BLANKS;
    bool title = e->subject == SUBJECT_EVENT;
    if (w->head.p && (span_eq(w->head, name) || has_prefix_before(name, w->head, false)))
        return KIN_COLON;
    if (has_prefix_before(e->name, name, title))
        return KIN_PREFIX_MISSING;
    if (has_prefix_before(name, e->name, title))
        return KIN_PREFIX_EXTRA;
    enum kinship end = has_end_behind(e->name, name, title)   ? KIN_END_MISSING
                       : has_end_behind(name, e->name, title) ? KIN_END_EXTRA
                                                              : KIN_NONE;
    size_t allowed = edits_allowed(e->name);
    limit = limit < allowed ? limit : allowed;
    if (end != KIN_NONE || outline_distance(&w->outline, outline) > limit)
        return end;
    *steps += (2 * limit + 1) * (e->name.n < name.n ? e->name.n : name.n);
    *edits = distance(e->name, name, limit);
    return *edits <= limit ? KIN_NEAR : KIN_NONE;
}

static enum kinship kin_of_name(const struct sought *w, struct span name, const struct outline *outline,
                                size_t limit, size_t *edits, uint64_t *steps) {
    const struct expectation *e = w->e;
    struct span base;
    double percentile;
    if (match_name(e, name, steps))
        return KIN_SAME;
    if (span_starts(name, TELEMETRY) && !span_starts(e->name, TELEMETRY))
        return KIN_NONE;
    if (match_has_forms(e) && form_of(name, &base, &percentile) != FORM_NONE && match_name(e, base, steps))
        return KIN_FORM;
    if (!e->literal)
        return kin_of_pattern(w, name, steps);
    return kin_of_literal(w, name, outline, limit, edits, steps);
}

struct kin kin_of(const struct sought *w, const struct named *n, size_t limit, uint64_t *steps) {
    struct kin kin = {0};
    kin.how = kin_of_name(w, n->name, &n->outline, limit, &kin.edits, steps);
    if (n->dialect == DIALECT_NONE || kin.how == KIN_SAME)
        return kin;
    size_t edits = 0;
    enum kinship how = kin_of_name(w, n->base, &n->base_outline, limit, &edits, steps);
    return how == KIN_NONE ? kin : (struct kin){how, edits, n->dialect};
}

/* _e{2,4}:éé|text   two characters are four bytes: the title is é, and the text begins inside the second one
 *         ^^ ^
 * The byte between title and text is not looked at by an Agent.
 */
static bool is_cut(struct span wanted, struct span title, struct span text) {
    if (title.n == 0 || title.n >= wanted.n || !span_starts(wanted, title))
        return false;
    struct span rest = span_from(wanted, title.n + 1);
    if (text.n <= rest.n)
        return text.n > 0 && span_starts(rest, text);
    return span_starts(text, rest) && text.p[rest.n] == '|';
}

struct kin kin_of_title(const struct sought *w, const struct named *n, struct span text, size_t limit,
                        uint64_t *steps) {
    struct span wanted = w->e->name;
    if (w->e->literal && is_cut(wanted, n->name, text))
        return (struct kin){.how = KIN_CUT};
    if (w->e->literal && n->name.n > wanted.n && span_starts(n->name, wanted) && n->name.p[wanted.n] == '|')
        return (struct kin){.how = KIN_OVERRUN};
    return kin_of(w, n, limit, steps);
}

struct span kin_prefix(const struct kin *kin, const struct expectation *e, struct span name) {
    uint64_t steps = 0;
    struct span base;
    if (kin->dialect && dialect_of(name, &base))
        name = base;
    if (kin->how == KIN_PREFIX_EXTRA)
        return span_of(name.p, e->literal ? name.n - e->name.n : before_the_end(e, name, &steps));
    const char *dot = e->literal ? NULL : memchr(e->name.p, '.', e->name.n);
    if (dot)
        return span_of(e->name.p, (size_t)(dot - e->name.p) + 1);
    return e->name.n > name.n ? span_of(e->name.p, e->name.n - name.n) : e->name;
}

struct span kin_end(const struct kin *kin, const struct expectation *e, struct span name) {
    struct span base;
    if (kin->dialect && dialect_of(name, &base))
        name = base;
    return kin->how == KIN_END_EXTRA ? span_from(name, e->name.n) : span_from(e->name, name.n);
}

unsigned kin_score(const struct kin *kin) {
    static const unsigned scores[] = {
        [KIN_SAME] = 0,        [KIN_CASE] = 1,      [KIN_BLANKS] = 1,         [KIN_COLON] = 1,
        [KIN_CUT] = 1,         [KIN_OVERRUN] = 1,   [KIN_PREFIX_MISSING] = 2, [KIN_PREFIX_EXTRA] = 2,
        [KIN_END_MISSING] = 3, [KIN_END_EXTRA] = 3, [KIN_FORM] = 2,           [KIN_NEAR] = 1,
        [KIN_NONE] = 100};
    return scores[kin->how] + (unsigned)kin->edits + (kin->dialect != DIALECT_NONE);
}
