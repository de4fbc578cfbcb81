#include "catalog/position.h"

static size_t blanks(struct span t, size_t i) {
    while (i < t.n && (t.p[i] == ' ' || t.p[i] == '\t' || t.p[i] == '\n' || t.p[i] == '\r'))
        i++;
    return i;
}

static size_t skip_string(struct span t, size_t i) {
    for (i++; i < t.n && t.p[i] != '"'; i++)
        if (t.p[i] == '\\')
            i++;
    return i < t.n ? i + 1 : t.n;
}

/* Behind the value that starts at i. */
static size_t skip_value(struct span t, size_t i) {
    size_t depth = 0;
    while (i < t.n) {
        char c = t.p[i];
        if (c == '"') {
            i = skip_string(t, i);
        } else if (c == '{' || c == '[') {
            depth++;
            i++;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return i;
            depth--;
            i++;
        } else if (c == ',' && depth == 0) {
            return i;
        } else {
            i++;
            continue;
        }
        if (depth == 0)
            return i;
    }
    return t.n;
}

/* A key is followed by a colon; then the value of it starts behind that. */
static size_t value_of(struct span t, size_t i) {
    if (i < t.n && t.p[i] == '"') {
        size_t after = blanks(t, skip_string(t, i));
        if (after < t.n && t.p[after] == ':')
            return blanks(t, after + 1);
    }
    return i;
}

void position_children(struct span t, size_t offset, size_t n, size_t *offsets) {
    size_t i = value_of(t, offset);
    i = blanks(t, i + 1);
    for (size_t k = 0; k < n; k++) {
        offsets[k] = i < t.n ? i : t.n;
        i = blanks(t, skip_value(t, value_of(t, i)));
        if (i < t.n && t.p[i] == ',')
            i = blanks(t, i + 1);
    }
}

size_t position_find(struct span t, size_t n, const size_t *steps) {
    size_t at = blanks(t, 0);
    for (size_t k = 0; k < n; k++) {
        size_t i = blanks(t, value_of(t, at) + 1);
        for (size_t skip = 0; skip < steps[k]; skip++) {
            i = blanks(t, skip_value(t, value_of(t, i)));
            if (i < t.n && t.p[i] == ',')
                i = blanks(t, i + 1);
        }
        at = i;
    }
    return at;
}

size_t position_column(struct position_line *s, struct span t, size_t offset) {
    for (; s->at < offset && s->at < t.n; s->at++) {
        if (t.p[s->at] == '\n') {
            s->line++;
            s->from = s->at + 1;
        }
    }
    return offset - s->from + 1;
}
