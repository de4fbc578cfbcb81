#include "emit/series.h"

#include "emit/number.h"
#include <stdlib.h>

#define RENDER_MAX   4096
#define FIRST_SLOTS  64
#define FIRST_VALUES 64

/* ---- the table ---- */

/* All series that stay go into a table of n_slots, which is large enough. */
static bool rebuild(struct series_table *table, size_t n_slots) {
    struct series **slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < table->n_slots; i++) {
        struct series *series = table->slots[i];
        if (!series)
            continue;
        size_t at = series->hash & (n_slots - 1);
        while (slots[at])
            at = (at + 1) & (n_slots - 1);
        slots[at] = series;
    }
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

static struct series *series_new(const struct config *config, const struct identity *identity,
                                 const struct sample *sample) {
    char buffer[RENDER_MAX];
    struct line line = line_in(buffer, sizeof buffer);
    struct tags tags;
    struct sample bare = *sample;
    if (!sample_packs(sample))
        bare.rate = 1;
    format_collect(&tags, config, sample);
    format_name(&line, config, sample->key);
    if (sample->type == STATWIT_SET) {
        line_char(&line, ':');
        format_value(&line, sample);
    }
    size_t n_head = line_size(&line), n_identity = line_size(&identity->line);
    format_tail(&line, config, &bare, &tags);
    struct series *series = line.overflow ? NULL : malloc(sizeof *series + n_identity + line_size(&line));
    if (!series)
        return NULL;
    *series = (struct series){.hash = identity->hash,
                              .type = sample->type,
                              .n_identity = n_identity,
                              .n_head = n_head,
                              .n_tail = line_size(&line) - n_head};
    memcpy(series->bytes, identity->bytes, n_identity);
    memcpy(series->bytes + n_identity, buffer, line_size(&line));
    return series;
}

struct series *series_insert(struct series_table *table, const struct config *config,
                             const struct identity *identity, const struct sample *sample) {
    if (table->n_slots < 2 * (table->n_series + 1) &&
        !rebuild(table, table->n_slots ? 2 * table->n_slots : FIRST_SLOTS))
        return NULL;
    struct series *series = series_new(config, identity, sample);
    if (!series)
        return NULL;
    *series_slot(table, identity) = series;
    table->n_series++;
    return series;
}

static void series_free(struct series *series) {
    free(series->values);
    free(series);
}

size_t series_forget(struct series_table *table, unsigned idle) {
    size_t n_freed = 0;
    for (size_t i = 0; i < table->n_slots; i++) {
        struct series *series = table->slots[i];
        if (!series || series->idle < idle)
            continue;
        series_free(series);
        table->slots[i] = NULL;
        n_freed++;
    }
    table->n_series -= n_freed;
    memset(table->recent, 0, sizeof table->recent);
    /* Holes would end the search for those behind them. Without memory for a new table all are forgotten. */
    if (n_freed > 0 && table->n_series > 0 && !rebuild(table, table->n_slots))
        n_freed += series_forget(table, 0);
    return n_freed;
}

void series_clear(struct series_table *table) {
    series_forget(table, 0);
    free(table->slots);
    *table = (struct series_table){0};
}

/* ---- one series ---- */

static bool pack(struct series *series, const struct sample *sample) {
    char text[1 + NUMBER_SIZE];
    struct line value = line_in(text, sizeof text);
    line_char(&value, ':');
    format_value(&value, sample);
    size_t size = line_size(&value);
    if (series->n_values + size > series->cap_values) {
        size_t cap = series->cap_values ? 2 * series->cap_values : FIRST_VALUES;
        char *values = realloc(series->values, cap);
        if (!values)
            return false;
        series->values = values;
        series->cap_values = cap;
    }
    memcpy(series->values + series->n_values, text, size);
    series->n_values += size;
    return true;
}

static void sum_up(struct series *series, const struct sample *sample) {
    if (sample->kind == VALUE_REAL) {
        series->sum += sample->real;
        series->real = true;
    } else if (__builtin_add_overflow(series->integer, sample->integer, &series->integer)) {
        /* The wrapped sum is off by 2^64. */
        series->sum += sample->integer < 0 ? -0x1p64 : 0x1p64;
        series->real = true;
    }
}

bool series_add(struct series *series, const struct sample *sample) {
    if (sample_packs(sample)) {
        if (!pack(series, sample))
            return false;
    } else if (sample->type == STATWIT_GAUGE) {
        series->real = sample->kind == VALUE_REAL;
        series->integer = series->real ? 0 : sample->integer;
        series->sum = series->real ? sample->real : 0;
    } else if (sample->type == STATWIT_COUNT) {
        sum_up(series, sample);
    }
    series->n_metrics++;
    return true;
}

size_t series_size(const struct series *series) {
    return series->n_head + series->n_values + 1 + NUMBER_SIZE + series->n_tail + 1;
}

void series_render(const struct series *series, struct line *line) {
    const char *head = series->bytes + series->n_identity;
    line_put(line, head, series->n_head);
    if (series->n_values > 0) {
        line_put(line, series->values, series->n_values);
    } else if (series->type != STATWIT_SET) {
        line_char(line, ':');
        if (series->real)
            line_real(line, (double)series->integer + series->sum);
        else
            line_integer(line, series->integer);
    }
    line_put(line, head + series->n_head, series->n_tail);
}

void series_reset(struct series *series) {
    series->integer = 0;
    series->sum = 0;
    series->real = false;
    series->n_metrics = 0;
    series->n_values = 0;
}
