#include "emit/format.h"

#include "emit/number.h"
#include "emit/utf8.h"
#include <stdio.h>

static void collect_scope(void *context, const struct statwit_tag *tags) {
    tags_put_all(context, tags);
}

void format_collect(struct tags *tags, const struct config *config, const struct sample *sample) {
    const struct statwit_call *call = sample->call;
    tags->n = 0;
    tags->overflow = false;
    if (!sample->no_scopes && scope_any())
        scope_walk(collect_scope, tags);
    tags_put_all(tags, call->tags);
    tags_put_all(tags, config->options.tags);
    if (call->instance && *call->instance)
        tags_put(tags, "instance", call->instance);
}

void format_name(struct line *line, const struct config *config, const char *key) {
    line_clean(line, LINE_NAME, config->options.prefix);
    line_clean(line, LINE_NAME, key);
}

void format_value(struct line *line, const struct sample *sample) {
    if (sample->kind == VALUE_INTEGER)
        line_integer(line, sample->integer);
    else if (sample->kind == VALUE_REAL)
        line_real(line, sample->real);
    else
        line_clean(line, LINE_VALUE, sample->text);
}

static void put_rate(struct line *line, double rate) {
    if (rate < 1) {
        line_put(line, "|@", 2);
        line_real(line, rate);
    }
}

static void put_tags(struct line *line, const struct config *config, const struct tags *tags) {
    if (tags->overflow)
        line->overflow = true;
    if (tags->n == 0 && !config->wire_tags[0])
        return;
    line_put(line, "|#", 2);
    tags_render(line, tags);
    if (tags->n > 0 && config->wire_tags[0])
        line_char(line, ',');
    line_string(line, config->wire_tags);
}

static void put_fields(struct line *line, const struct config *config, const char *cardinality) {
    line_string(line, config->wire_fields);
    if (!cardinality)
        cardinality = config->options.cardinality;
    if (cardinality) {
        line_string(line, "|card:");
        line_clean(line, LINE_VALUE, cardinality);
    }
}

static const char *wire_type(enum statwit_type type) {
    static const char *const words[] = {
        [STATWIT_COUNT] = "|c",     [STATWIT_GAUGE] = "|g",        [STATWIT_TIMING] = "|ms",
        [STATWIT_HISTOGRAM] = "|h", [STATWIT_DISTRIBUTION] = "|d", [STATWIT_SET] = "|s"};
    return words[type];
}

void format_tail(struct line *line, const struct config *config, const struct sample *sample,
                 const struct tags *tags) {
    line_string(line, wire_type(sample->type));
    put_rate(line, sample->rate);
    put_tags(line, config, tags);
    put_fields(line, config, sample->call->cardinality);
    if (sample_timestamp_s(sample)) {
        line_put(line, "|T", 2);
        line_integer(line, sample_timestamp_s(sample));
    }
}

void format_statsd(struct line *line, const struct config *config, const struct sample *sample) {
    bool negative =
        sample->kind == VALUE_INTEGER ? sample->integer < 0 : sample->kind == VALUE_REAL && sample->real < 0;
    if (sample->type == STATWIT_GAUGE && negative) {
        /* A sign makes a StatsD gauge relative, so it is set to zero first. */
        format_name(line, config, sample->key);
        line_string(line, ":0|g\n");
    }
    format_name(line, config, sample->key);
    line_char(line, ':');
    if (sample->type == STATWIT_TIMING) {
        /* printf's decimal point is the locale's: the digits are made of whole millionths instead. */
        double value = sample->kind == VALUE_REAL ? sample->real : (double)sample->integer;
        char text[400];
        snprintf(text, sizeof text, "%0.6f", value);
        text[strcspn(text, "0123456789-") + strspn(text, "-0123456789")] = '.';
        line_string(line, text);
    } else {
        format_value(line, sample);
    }
    line_string(line, wire_type(sample->type));
    if (!(sample->type == STATWIT_GAUGE && negative))
        put_rate(line, sample->rate);
}

void format_log(struct line *line, const struct config *config, const struct sample *sample) {
    char number[64] = "";
    double value = sample->kind == VALUE_REAL ? sample->real : (double)sample->integer;
    line_char(line, '\'');
    format_name(line, config, sample->key);
    line_put(line, "': ", 3);
    snprintf(number, sizeof number, sample->type == STATWIT_COUNT ? "%+g" : "%g", value);
    if (sample->kind == VALUE_TEXT)
        line_clean(line, LINE_VALUE, sample->text);
    else
        line_string(line, number);
    if (sample->type == STATWIT_TIMING)
        line_put(line, " ms", 3);
}

/* ---- events and checks ---- */

/* The text with each newline as \n, control characters and what is not UTF-8 replaced. in_check: | and "m:"
 * too. */
static void put_escaped(struct line *line, const char *text, bool in_check) {
    size_t left = strlen(text);
    while (left > 0) {
        size_t n = utf8_bytes(text, left);
        if (*text == '\n')
            line_put(line, "\\n", 2);
        else if (in_check && left > 1 && text[0] == 'm' && text[1] == ':')
            line_put(line, "m\\", 2);
        else if (n == 0 || (in_check && *text == '|'))
            line_char(line, '_');
        else
            line_put(line, text, n);
        text += n ? n : 1;
        left -= n ? n : 1;
    }
}

static void put_field(struct line *line, const char *name, const char *value) {
    if (value && *value) {
        line_string(line, name);
        line_clean(line, LINE_VALUE, value);
    }
}

static void put_timestamp(struct line *line, int64_t timestamp_s) {
    if (timestamp_s > 0) {
        line_put(line, "|d:", 3);
        line_integer(line, timestamp_s);
    }
}

/* _e{<title bytes>,<text bytes>}:<title>|<text>… : the lengths are known after the texts were written, so
 * these are written behind room for the longest head, and the head is then put in front of them. */
void format_event(struct line *line, const struct config *config, const char *title, const char *text,
                  const struct statwit_event *event, const struct tags *tags) {
    char head[64];
    struct line body = *line;
    put_escaped(&body, title, false);
    size_t title_size = (size_t)(body.at - line->at);
    line_char(&body, '|');
    put_escaped(&body, text, false);
    size_t size = (size_t)(body.at - line->at), text_size = size - title_size - 1;
    size_t head_size = (size_t)snprintf(head, sizeof head, "_e{%zu,%zu}:", title_size, text_size);
    if (body.overflow || head_size > (size_t)(body.end - body.at)) {
        line->overflow = true;
        return;
    }
    memmove(line->at + head_size, line->at, size);
    memcpy(line->at, head, head_size);
    line->at += head_size + size;
    put_timestamp(line, event->timestamp_s);
    put_field(line, "|h:", event->hostname);
    put_field(line, "|k:", event->aggregation_key);
    put_field(line, "|p:", event->priority);
    put_field(line, "|s:", event->source_type);
    put_field(line, "|t:", event->alert_type);
    put_tags(line, config, tags);
    put_fields(line, config, NULL);
}

void format_check(struct line *line, const struct config *config, const char *name,
                  enum statwit_check_status status, const struct statwit_check *check,
                  const struct tags *tags) {
    line_put(line, "_sc|", 4);
    line_clean(line, LINE_VALUE, name);
    line_char(line, '|');
    line_char(line, (char)('0' + status));
    put_timestamp(line, check->timestamp_s);
    put_field(line, "|h:", check->hostname);
    put_tags(line, config, tags);
    if (check->message && *check->message) {
        line_put(line, "|m:", 3);
        put_escaped(line, check->message, true);
    }
    put_fields(line, config, NULL);
}
