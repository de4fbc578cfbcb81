#include "decode/intake/columns.h"

/* Reading it twice: the first time lists are NULL, so that things are counted; then there is room for them. */

static void add_text(struct wire *w, const struct wire_field *f, struct span *list, size_t *n) {
    struct span text;
    if (wire_bytes(w, f, &text) && list)
        list[*n] = text;
    ++*n;
}

static void read_metadata(struct columns *c, struct wire *outer, const struct wire_field *field) {
    struct span bytes;
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    while (wire_next(&w, &f)) {
        if (f.number == 1)
            add_text(&w, &f, c->tags, &c->n_tags);
        else if (f.number == 2)
            add_text(&w, &f, c->resources, &c->n_resources);
    }
    outer->failed = w.failed;
}

static void read_data(struct columns *c, struct wire *outer, const struct wire_field *field) {
    struct span bytes;
    struct wire_field f;
    if (!wire_bytes(outer, field, &bytes))
        return;
    struct wire w = wire_of(bytes);
    c->has_data = true;
    while (wire_next(&w, &f)) {
        switch (f.number) {
#define X(number, name)                                                                                      \
    case number:                                                                                             \
        wire_bytes(&w, &f, &c->name);                                                                        \
        break;
            COLUMNS_TEXT(X)
#undef X
#define X(number, name, type, kind)                                                                          \
    case number:                                                                                             \
        wire_numbers(&w, &f, kind, c->name, &c->n_##name);                                                   \
        break;
            COLUMNS_NUMBERS(X)
#undef X
        default: /* not known: skipped */
            break;
        }
    }
    outer->failed = w.failed;
}

static bool read_payload(struct columns *c, struct span body) {
    struct wire w = wire_of(body);
    struct wire_field f;
    while (wire_next(&w, &f)) {
        if (f.number == 2)
            read_metadata(c, &w, &f);
        else if (f.number == 3)
            read_data(c, &w, &f);
    }
    return !w.failed;
}

/* Room for *n things of that size, of which there are none then. */
static void *room(struct arena *arena, size_t *n, size_t size) {
    void *list = *n ? arena_alloc(arena, *n * size) : NULL;
    *n = 0;
    return list;
}

bool columns_read(struct columns *c, struct span body, struct arena *arena) {
    *c = (struct columns){0};
    if (!read_payload(c, body))
        return false;
#define X(number, name, type, kind) c->name = room(arena, &c->n_##name, sizeof(type));
    COLUMNS_NUMBERS(X)
#undef X
    c->tags = room(arena, &c->n_tags, sizeof *c->tags);
    c->resources = room(arena, &c->n_resources, sizeof *c->resources);
    return !arena->failed && read_payload(c, body);
}
