#include "store/sqlite/slice.h"

#include "unit.h"

static void fill(struct slice *s, size_t bytes) {
    static char text[1000];
    memset(text, '7', sizeof text);
    CU_ASSERT_FATAL(slice_add_group(s, 0, 0));
    for (uint64_t id = 0; s->arena.n < bytes; id++)
        if (!slice_add_text(s, &s->groups[0], id, span_of(text, sizeof text)))
            CU_FAIL_FATAL("out of memory");
}

/* What a commit of very many values needs is there for the next one, until nothing waits. */
static void shrinks(void) {
    struct slice s = {0};
    fill(&s, (size_t)40 << 20);
    size_t cap = s.arena.cap;
    slice_shrink(&s); /* not while it is in use */
    EQ_INT(s.arena.cap, cap);
    slice_clear(&s);
    EQ_INT(s.arena.cap, cap);
    slice_shrink(&s);
    EQ_INT(s.arena.cap, 0);
    fill(&s, 100000);
    cap = s.arena.cap;
    slice_clear(&s);
    slice_shrink(&s); /* nor what is small */
    EQ_INT(s.arena.cap, cap);
    slice_free(&s);
}

UNIT_MAIN("store/slice", {"keeps what a large commit needs until nothing waits", shrinks})
