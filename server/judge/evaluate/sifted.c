/* What an expectation with conditions sees of a series: a witness of its own, which takes only the samples that satisfy them. The
 * witness of the series itself knows its sifted ones as a list. */
#include "judge/evaluate/private.h"

#include "core/array.h"

int judge_add_sifted(struct judge *j, size_t of, uint32_t place, uint32_t *made) {
    if (++j->n_sifted > j->limits.sifted)
        return -1;
    if (!array_room(&j->witnesses, j->n_witnesses, &j->cap_witnesses, sizeof *j->witnesses))
        return -1;
    struct witness *series = &j->witnesses[of];
    *made = (uint32_t)j->n_witnesses++;
    j->witnesses[*made] = (struct witness){.id = series->id,
                                           .session = series->session,
                                           .name = series->name,
                                           .type = series->type,
                                           .n_tags = series->n_tags,
                                           .tags = series->tags,
                                           .host = series->host,
                                           .device = series->device,
                                           .everywhere = series->everywhere,
                                           .direct = true,
                                           .named = true,
                                           .apart = series->apart,
                                           .needs = j->claims[place].needs & ~(unsigned)NEED_SIFT,
                                           .sifts_for = place,
                                           .next_sifted = series->sifted};
    series->sifted = *made + 1;
    series->needs |= NEED_SIFT;
    return 0;
}

static int take(struct judge *j, struct witness *w, const struct sample_row *row) {
    struct claim *claim = &j->claims[w->sifts_for];
    struct part part = {0};
    enum sifted sifted = sift_sample(claim->e, w->type, row, claim->sieve, &part, &j->steps);
    int result = sifted == SIFT_NO_MEMORY || j->steps > j->limits.steps ? -1 : 0;
    if (result == 0 && sifted == SIFT_KEEPS)
        result = witness_add_sample(w, row, &j->n_values);
    if (result == 0 && sifted == SIFT_KEEPS_PART) {
        struct sample_row kept = *row;
        kept.value.sketch = &part.sketch;
        kept.value.number = part.sketch.avg;
        result = witness_add_sample(w, &kept, &j->n_values);
    }
    part_free(&part);
    if (sifted != SIFT_DROPS)
        judge_mark_dirty(j, w->sifts_for);
    j->n_looks += (w->needs & (NEED_VALUES | NEED_DISTINCT)) != 0;
    return result;
}

int judge_sift_sample(struct judge *j, const struct witness *w, const struct sample_row *row) {
    for (uint32_t at = w->sifted; at; at = j->witnesses[at - 1].next_sifted)
        if (j->n_values >= j->limits.values || take(j, &j->witnesses[at - 1], row) != 0)
            return -1;
    return j->n_looks > j->limits.looks ? -1 : 0;
}
