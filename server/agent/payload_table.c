/* A flush for people: a line for each series, and the samples below it when they are asked for. */
#include "agent/payload.h"

#include "core/clock.h"
#include "core/number.h"
#include "core/utf8.h"
#include <inttypes.h>

static void put_number(struct buf *b, double value) {
    char text[NUMBER_SIZE];
    buf_add(b, text, number_format(value, text));
}

/* Text of somebody else: what would not show as it is becomes '?', what is not UTF-8 U+FFFD. */
static void put_text(struct buf *b, struct span s) {
    for (size_t i = 0; i < s.n;) {
        size_t taken;
        struct span character = utf8_mended(span_from(s, i), &taken);
        if (utf8_visible(utf8_decode(character, character.n)))
            buf_span(b, character);
        else
            buf_char(b, '?');
        i += taken;
    }
}

static void put_identity(struct buf *b, const char *type, struct span metric, size_t n_tags,
                         const struct span *tags, struct span host, struct span device) {
    buf_printf(b, "  %-12s ", type);
    put_text(b, metric);
    if (n_tags) {
        for (size_t i = 0; i < n_tags; i++) {
            buf_char(b, i ? ',' : '{');
            put_text(b, tags[i]);
        }
        buf_char(b, '}');
    }
    if (device.p) {
        buf_str(b, " device ");
        put_text(b, device);
    }
    if (host.n) {
        buf_str(b, " host ");
        put_text(b, host);
    }
}

static void put_cause(struct buf *b, const struct agent_cause *cause) {
    char time[CLOCK_RFC3339_SIZE];
    clock_rfc3339(cause->at_ns, time);
    buf_printf(b, "      #%" PRIu64 "  %s  %s ", cause->id, time, metric_word(cause->type));
    if (metric_is(cause->type, METRIC_TEXT))
        put_text(b, cause->text);
    else
        put_number(b, cause->value);
    if (cause->rate != 1) {
        buf_str(b, " @");
        put_number(b, cause->rate);
    }
    buf_char(b, '\n');
}

static void put_causes(struct buf *b, int64_t at_s, const struct agent_causes *causes, const char *none) {
    if (!causes)
        return;
    buf_printf(b, "    the point at %" PRId64 " is made of ", at_s);
    if (causes->n == 0)
        buf_str(b, none);
    else
        buf_printf(b, "%" PRIu64 " %s:\n", causes->n, causes->n == 1 ? "sample" : "samples");
    for (size_t i = 0; i < causes->n_shown; i++)
        put_cause(b, &causes->shown[i]);
    if (causes->n > causes->n_shown)
        buf_printf(b, "      … and %" PRIu64 " more\n", causes->n - causes->n_shown);
}

void payload_table_series(struct buf *b, const struct agent_series *s, bool explains, bool timed) {
    put_identity(b, s->type, s->metric, s->n_tags, s->tags, s->host, s->device);
    buf_str(b, timed ? "  as it came" : " ");
    for (size_t i = 0; i < s->n_points; i++) {
        buf_printf(b, "%s%" PRId64 "=", " ", s->points[i].at_s);
        put_number(b, s->points[i].value);
    }
    buf_char(b, '\n');
    for (size_t i = 0; explains && i < s->n_points; i++)
        put_causes(b, s->points[i].at_s, s->points[i].causes,
                   "no sample: the Agent goes on sending 0 for a count\n");
}

void payload_table_sketch(struct buf *b, const struct agent_sketch_series *s, bool explains) {
    static const char *const names[] = {" sum ", " min ", " max ", " avg "};
    put_identity(b, "distribution", s->metric, s->n_tags, s->tags, s->host, span_of(NULL, 0));
    buf_char(b, ' ');
    for (size_t i = 0; i < s->n_points; i++) {
        const struct agent_sketch_point *p = &s->points[i];
        const double numbers[] = {p->sum, p->min, p->max, p->avg};
        buf_printf(b, " %" PRId64 "=(count %" PRId64, p->at_s, p->count);
        for (size_t j = 0; j < 4; j++) {
            buf_str(b, names[j]);
            put_number(b, numbers[j]);
        }
        buf_printf(b, " bins %zu)", p->n_bins);
    }
    buf_char(b, '\n');
    for (size_t i = 0; explains && i < s->n_points; i++)
        put_causes(b, s->points[i].at_s, s->points[i].causes, "no sample\n");
}
