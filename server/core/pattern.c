/* DESIGN. A pattern becomes a program of four instructions over byte sets (Thompson's construction); jumps
 * are relative, so that a piece of program can be moved and copied. Matching follows all ways at once: one
 * set of places for each byte of the value, each place at most once.
 *
 *     a*      split +1 +3 / set a / jump -2
 *     a|b     split +1 +3 / set a / jump +2 / set b
 */
#include "core/pattern.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

enum op { OP_SET, OP_SPLIT, OP_JUMP, OP_MATCH };

struct step {
    enum op op;
    int a, b; /* relative targets */
    uint64_t set[4];
};

struct pattern {
    size_t n;
    struct step steps[];
};

struct compiler {
    struct span text;
    size_t i, depth;
    size_t n;
    struct step *steps; /* PATTERN_STEPS_MAX */
    struct pattern_error *error;
    bool failed;
};

static void fail(struct compiler *c, size_t offset, const char *message) {
    if (!c->failed) {
        c->error->offset = offset;
        snprintf(c->error->message, sizeof c->error->message, "%s", message);
    }
    c->failed = true;
}

static bool more(const struct compiler *c) {
    return !c->failed && c->i < c->text.n;
}

static char peek(const struct compiler *c) {
    return c->text.p[c->i];
}

/* Opens a gap of one step at `at`. */
static struct step *insert(struct compiler *c, size_t at, struct step step) {
    if (c->n == PATTERN_STEPS_MAX) {
        fail(c, c->i, "the pattern unfolds to too many steps");
        return NULL;
    }
    memmove(c->steps + at + 1, c->steps + at, (c->n - at) * sizeof *c->steps);
    c->steps[at] = step;
    c->n++;
    return &c->steps[at];
}

static void copy(struct compiler *c, const struct step *piece, size_t n) {
    for (size_t i = 0; i < n; i++)
        insert(c, c->n, piece[i]);
}

static void set_add(uint64_t set[4], unsigned char byte) {
    set[byte / 64] |= UINT64_C(1) << byte % 64;
}

static void set_range(uint64_t set[4], unsigned from, unsigned to) {
    for (unsigned byte = from; byte <= to; byte++)
        set_add(set, (unsigned char)byte);
}

/* `\d` and its like; any punctuation is itself. */
static void escape(struct compiler *c, uint64_t set[4]) {
    c->i++;
    if (!more(c)) {
        fail(c, c->text.n, "nothing after '\\'");
        return;
    }
    char e = c->text.p[c->i++];
    if (e == 'd' || e == 'w')
        set_range(set, '0', '9');
    if (e == 'w') {
        set_range(set, 'a', 'z');
        set_range(set, 'A', 'Z');
        set_add(set, '_');
    } else if (e == 's') {
        set_range(set, '\t', '\r');
        set_add(set, ' ');
    } else if (e >= '0' && e <= '9') {
        fail(c, c->i - 2, "back references are not supported");
    } else if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z')) {
        if (e != 'd')
            fail(c, c->i - 2, "unknown escape: \\d, \\w, \\s and \\ before punctuation are understood");
    } else
        set_add(set, (unsigned char)e);
}

/* [^a-z_] */
static void bracket(struct compiler *c, uint64_t set[4]) {
    size_t open = c->i++;
    bool negate = more(c) && peek(c) == '^';
    if (negate)
        c->i++;
    for (bool first = true; more(c) && (first || peek(c) != ']'); first = false) {
        if (peek(c) == '\\') {
            escape(c, set);
            continue;
        }
        unsigned char from = (unsigned char)c->text.p[c->i++], to = from;
        if (c->i + 1 < c->text.n && peek(c) == '-' && c->text.p[c->i + 1] != ']') {
            to = (unsigned char)c->text.p[c->i + 1];
            c->i += 2;
        }
        if (to < from)
            fail(c, c->i - 3, "the range is the wrong way round");
        set_range(set, from, to);
    }
    if (!more(c)) {
        fail(c, open, "'[' without ']'");
        return;
    }
    c->i++;
    for (size_t k = 0; negate && k < 4; k++)
        set[k] = ~set[k];
}

static void alternatives(struct compiler *c);

static void atom(struct compiler *c) {
    struct step step = {.op = OP_SET};
    char first = peek(c);
    if (first == '(') {
        size_t open = c->i++;
        if (more(c) && peek(c) == '?')
            fail(c, open, "groups with '?' (look-around, names) are not supported");
        if (++c->depth > PATTERN_DEPTH_MAX)
            fail(c, open, "too many groups within groups");
        alternatives(c);
        c->depth--;
        if (!more(c))
            fail(c, open, "'(' without ')'");
        c->i++;
        return;
    }
    if (first == '*' || first == '+' || first == '?' || first == '{') {
        fail(c, c->i, "nothing to repeat");
        return;
    }
    if (first == '[')
        bracket(c, step.set);
    else if (first == '\\')
        escape(c, step.set);
    else if (first == '.') {
        memset(step.set, 0xff, sizeof step.set);
        c->i++;
    } else {
        set_add(step.set, (unsigned char)first);
        c->i++;
    }
    insert(c, c->n, step);
}

/* A number of at most four digits; -1: none. */
static int number(struct compiler *c) {
    int value = -1;
    while (more(c) && peek(c) >= '0' && peek(c) <= '9' && value < 10000)
        value = (value < 0 ? 0 : value * 10) + (c->text.p[c->i++] - '0');
    return value;
}

static void star(struct compiler *c, size_t start) {
    int n = (int)(c->n - start);
    insert(c, start, (struct step){.op = OP_SPLIT, .a = 1, .b = n + 2});
    insert(c, c->n, (struct step){.op = OP_JUMP, .a = -(n + 1)});
}

static void maybe(struct compiler *c, size_t start) {
    int n = (int)(c->n - start);
    insert(c, start, (struct step){.op = OP_SPLIT, .a = 1, .b = n + 1});
}

/* x{2,4} is xxx?x? ; x{2,} is xxx*. Not inlined: its piece must not be on the stack once for each nested group. */
static __attribute__((noinline)) void counted(struct compiler *c, size_t start) {
    size_t open = c->i++;
    int least = number(c), most = least;
    bool endless = false;
    if (more(c) && peek(c) == ',') {
        c->i++;
        most = number(c);
        endless = most < 0;
    }
    if (least < 0 || !more(c) || peek(c) != '}' || (!endless && most < least)) {
        fail(c, open, "expected {n}, {n,} or {n,m}");
        return;
    }
    c->i++;
    struct step piece[PATTERN_STEPS_MAX];
    size_t n = c->n - start;
    memcpy(piece, c->steps + start, n * sizeof *piece);
    c->n = start;
    for (int k = 0; k < least && !c->failed; k++)
        copy(c, piece, n);
    for (int k = least; !c->failed && (endless ? k == least : k < most); k++) {
        size_t at = c->n;
        copy(c, piece, n);
        if (endless)
            star(c, at);
        else
            maybe(c, at);
    }
}

static void repeated(struct compiler *c) {
    size_t start = c->n;
    atom(c);
    if (!more(c))
        return;
    char q = peek(c);
    if (q == '*') {
        star(c, start);
        c->i++;
    } else if (q == '+') {
        insert(c, c->n, (struct step){.op = OP_SPLIT, .a = -(int)(c->n - start), .b = 1});
        c->i++;
    } else if (q == '?') {
        maybe(c, start);
        c->i++;
    } else if (q == '{')
        counted(c, start);
    else
        return;
    if (more(c) && (peek(c) == '?' || peek(c) == '*' || peek(c) == '+' || peek(c) == '{'))
        fail(c, c->i, "one quantifier is enough (lazy and nested ones are not supported)");
}

static void alternatives(struct compiler *c) {
    size_t start = c->n;
    while (more(c) && peek(c) != ')') {
        if (peek(c) == '|') {
            size_t n = c->n - start;
            insert(c, start, (struct step){.op = OP_SPLIT, .a = 1, .b = (int)n + 2});
            size_t jump = c->n;
            insert(c, jump, (struct step){.op = OP_JUMP});
            c->i++;
            alternatives(c);
            if (!c->failed)
                c->steps[jump].a = (int)(c->n - jump);
            return;
        }
        repeated(c);
    }
}

struct pattern *pattern_compile(struct arena *arena, struct span text, struct pattern_error *error) {
    struct step steps[PATTERN_STEPS_MAX];
    struct compiler c = {.text = text, .steps = steps, .error = error};
    if (text.n > PATTERN_MAX) {
        fail(&c, PATTERN_MAX, "the pattern is longer than 512 bytes");
        return NULL;
    }
    if (c.text.n && c.text.p[0] == '^')
        c.i = 1;
    if (c.text.n > c.i && c.text.p[c.text.n - 1] == '$' && (c.text.n < 2 || c.text.p[c.text.n - 2] != '\\'))
        c.text.n--;
    alternatives(&c);
    if (more(&c))
        fail(&c, c.i, "')' without '('");
    insert(&c, c.n, (struct step){.op = OP_MATCH});
    if (c.failed)
        return NULL;
    struct pattern *p = arena_alloc(arena, sizeof *p + c.n * sizeof *steps);
    if (!p) {
        fail(&c, 0, "out of memory");
        return NULL;
    }
    p->n = c.n;
    memcpy(p->steps, steps, c.n * sizeof *steps);
    return p;
}

size_t pattern_size(const struct pattern *p) {
    return p->n;
}

/* Places of the program, each at most once. */
struct places {
    size_t n;
    unsigned short list[PATTERN_STEPS_MAX];
    uint64_t seen[PATTERN_STEPS_MAX / 64];
};

static void places_clear(struct places *s) {
    s->n = 0;
    memset(s->seen, 0, sizeof s->seen);
}

static void places_add(struct places *s, long at) {
    assert(at >= 0 && at < PATTERN_STEPS_MAX);
    if (s->seen[at / 64] >> at % 64 & 1)
        return;
    s->seen[at / 64] |= UINT64_C(1) << at % 64;
    s->list[s->n++] = (unsigned short)at;
}

/* Follows splits and jumps: the list grows while it is walked. */
static bool places_close(struct places *s, const struct pattern *p) {
    bool matched = false;
    for (size_t k = 0; k < s->n; k++) {
        long at = s->list[k];
        const struct step *step = &p->steps[at];
        matched |= step->op == OP_MATCH;
        if (step->op == OP_SPLIT || step->op == OP_JUMP)
            places_add(s, at + step->a);
        if (step->op == OP_SPLIT)
            places_add(s, at + step->b);
    }
    return matched;
}

bool pattern_match_counted(const struct pattern *p, struct span value, uint64_t *steps) {
    struct places a, b, *now = &a, *next = &b;
    places_clear(now);
    places_add(now, 0);
    bool matched = places_close(now, p);
    for (size_t i = 0; i < value.n && now->n; i++) {
        unsigned char byte = (unsigned char)value.p[i];
        places_clear(next);
        *steps += now->n;
        for (size_t k = 0; k < now->n; k++) {
            const struct step *step = &p->steps[now->list[k]];
            if (step->op == OP_SET && step->set[byte / 64] >> byte % 64 & 1)
                places_add(next, now->list[k] + 1L);
        }
        struct places *t = now;
        now = next;
        next = t;
        matched = places_close(now, p);
    }
    return matched && now->n;
}

bool pattern_match(const struct pattern *p, struct span value) {
    uint64_t steps = 0;
    return pattern_match_counted(p, value, &steps);
}
