/* The findings of lint: a note for each rule, name and subject. */
#include "catalog/lint_private.h"
#include "core/array.h"

#include <xxhash.h>

size_t lint_name_number(struct lint *l, struct span name) {
    size_t known = l->names.n, i = numbering_put(&l->names, name);
    if (i == NUMBERING_NONE || i < known)
        return i;
    if (!array_room(&l->of_names, i, &l->cap_names, sizeof *l->of_names))
        return NUMBERING_NONE;
    const struct catalog *c = l->options->catalog;
    l->of_names[i] = (struct lint_name){.entry = c ? catalog_find_counted(c, name, &l->effort->steps) : NULL};
    l->of_names[i].silenced =
        (c ? c->silenced : 0) | (l->of_names[i].entry ? l->of_names[i].entry->silenced : 0);
    return i;
}

bool lint_silent(const struct lint *l, enum lint_rule rule, size_t name) {
    return (l->options->silenced | l->of_names[name].silenced) >> rule & 1;
}

void lint_note(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail) {
    lint_note_of(l, rule, name, subject, detail, NULL);
}

void lint_note_of(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail,
                  const char *what) {
    lint_note_many(l, rule, name, subject, detail, what, 1);
}

void lint_note_many(struct lint *l, enum lint_rule rule, size_t name, struct span subject, struct span detail,
                    const char *what, uint64_t n) {
    if (lint_silent(l, rule, name))
        return;
    uint64_t seed = (uint64_t)name * LINT_N + rule;
    bool added;
    uint32_t *at = table_put(&l->noted, XXH3_64bits_withSeed(subject.n ? subject.p : "", subject.n, seed),
                             (uint32_t)l->n_notes, &added);
    if (at && !added) {
        l->notes[*at].series += what || l->first ? n : 0;
        return;
    }
    if (!array_room(&l->notes, l->n_notes, &l->cap_notes, sizeof *l->notes))
        at = NULL;
    struct lint_note note = {
        rule, (uint32_t)name, n, what, arena_copy(&l->arena, subject), arena_copy(&l->arena, detail)};
    if (!at || !note.subject.p || !note.detail.p)
        l->failed = true;
    else
        l->notes[l->n_notes++] = note;
}
