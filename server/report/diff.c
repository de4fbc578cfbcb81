/* A diff for people. */
#include "report/diff.h"

#include "catalog/diff.h"
#include "judge/language/text.h"

#define VALUES_SHOWN 12
#define RENAMES_INCOMPLETE                                                                                   \
    "there are too many names to look for all renames: some are listed as removed and added"

static struct span text_of(const json_t *object, const char *key) {
    const json_t *s = json_object_get(object, key);
    return span_of(json_is_string(s) ? json_string_value(s) : "", json_string_length(s));
}

static void put_list(const json_t *list, const char *between, struct buf *out) {
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n && i < VALUES_SHOWN; i++) {
        const json_t *one = json_array_get(list, i);
        if (i)
            buf_str(out, between);
        text_put_visible(out, span_of(json_string_value(one), json_string_length(one)), 200);
    }
    if (n > VALUES_SHOWN)
        buf_printf(out, "%s%zu more", between, n - VALUES_SHOWN);
}

static void put_visible(const json_t *object, const char *key, struct buf *out) {
    text_put_visible(out, text_of(object, key), 300);
}

static void put_metric(const json_t *one, struct buf *out) {
    put_list(json_object_get(one, "types"), "|", out);
    buf_str(out, json_array_size(json_object_get(one, "types")) ? " " : "");
    put_visible(one, "name", out);
    if (json_array_size(json_object_get(one, "tags"))) {
        buf_char(out, '{');
        put_list(json_object_get(one, "tags"), ",", out);
        buf_char(out, '}');
    }
}

static void put_plus_minus(const json_t *both, struct buf *out) {
    const json_t *added = json_object_get(both, "added"), *removed = json_object_get(both, "removed");
    if (json_array_size(added)) {
        buf_str(out, " +");
        put_list(added, " +", out);
    }
    if (json_array_size(removed)) {
        buf_str(out, " -");
        put_list(removed, " -", out);
    }
}

/* "type count -> gauge; tags +region; env: +staging -ci; 2 series more, 1 less" */
static void put_change(const json_t *change, struct buf *out) {
    const json_t *types = json_object_get(change, "types"), *tags = json_object_get(change, "tags"),
                 *values = json_object_get(change, "values"), *series = json_object_get(change, "series");
    const char *between = "";
    if (types) {
        buf_str(out, "type ");
        put_list(json_object_get(types, "from"), "|", out);
        buf_str(out, " -> ");
        put_list(json_object_get(types, "to"), "|", out);
        between = "; ";
    }
    if (tags) {
        buf_printf(out, "%stags", between);
        put_plus_minus(tags, out);
        between = "; ";
    }
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *one = json_array_get(values, i);
        buf_str(out, between);
        put_visible(one, "tag", out);
        buf_char(out, ':');
        put_plus_minus(one, out);
        between = "; ";
    }
    if (series)
        buf_printf(out, "%sseries +%lld -%lld", between,
                   (long long)json_integer_value(json_object_get(series, "added")),
                   (long long)json_integer_value(json_object_get(series, "removed")));
}

static int percent(const json_t *rename) {
    return (int)(json_number_value(json_object_get(rename, "likelihood")) * 100 + 0.5);
}

void diff_text(const json_t *report, struct buf *out) {
    size_t i;
    json_t *one;
    json_array_foreach(json_object_get(report, "removed"), i, one) {
        buf_str(out, "- ");
        put_metric(one, out);
        buf_char(out, '\n');
    }
    json_array_foreach(json_object_get(report, "added"), i, one) {
        buf_str(out, "+ ");
        put_metric(one, out);
        buf_char(out, '\n');
    }
    json_array_foreach(json_object_get(report, "renamed"), i, one) {
        buf_str(out, "> ");
        put_visible(one, "from", out);
        buf_str(out, " -> ");
        put_visible(one, "to", out);
        buf_printf(out, "  (%d %% likely a rename)\n", percent(one));
    }
    json_array_foreach(json_object_get(report, "changed"), i, one) {
        buf_str(out, "~ ");
        put_visible(one, "name", out);
        buf_str(out, "  ");
        put_change(one, out);
        buf_char(out, '\n');
    }
    if (json_object_get(report, "renames_incomplete"))
        buf_str(out, RENAMES_INCOMPLETE "\n");
}

/* --- Markdown ----------------------------------------------------------------------------------------------------- */

/* In a table's cell, as code: bars would end the cell, backticks the code. */
static void put_cell(struct buf *out, struct span text) {
    buf_str(out, "`");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '|')
            buf_str(out, "\\|");
        else
            buf_char(out, text.p[i] == '`' ? '\'' : text.p[i]);
    }
    buf_str(out, "`");
}

static void put_cell_of(struct buf *out, const json_t *one, void (*print)(const json_t *, struct buf *)) {
    struct buf text = {.max = 65536};
    print(one, &text);
    put_cell(out, buf_view(&text));
    buf_free(&text);
}

static void put_name(const json_t *one, struct buf *out) {
    put_visible(one, "name", out);
}

static void put_from(const json_t *one, struct buf *out) {
    put_visible(one, "from", out);
}

static void put_to(const json_t *one, struct buf *out) {
    put_visible(one, "to", out);
}

static void put_bullets(const json_t *list, const char *title, struct buf *out) {
    size_t i;
    json_t *one;
    if (json_array_size(list) == 0)
        return;
    buf_printf(out, "\n**%s**\n\n", title);
    json_array_foreach(list, i, one) {
        buf_str(out, "- ");
        put_cell_of(out, one, put_metric);
        buf_char(out, '\n');
    }
}

void diff_markdown(const json_t *report, struct buf *out) {
    const json_t *renamed = json_object_get(report, "renamed"), *changed = json_object_get(report, "changed");
    const json_t *added = json_object_get(report, "added"), *removed = json_object_get(report, "removed");
    size_t i;
    json_t *one;
    if (json_is_true(json_object_get(report, "same"))) {
        buf_str(out, "### Metrics\n\nNothing changed.\n");
        return;
    }
    buf_printf(out, "### Metrics\n\n%zu added, %zu removed, %zu renamed, %zu changed\n",
               json_array_size(added), json_array_size(removed), json_array_size(renamed),
               json_array_size(changed));
    if (json_object_get(report, "renames_incomplete"))
        buf_str(out, "\n" RENAMES_INCOMPLETE "\n");
    put_bullets(added, "Added", out);
    put_bullets(removed, "Removed", out);
    if (json_array_size(renamed))
        buf_str(out, "\n| renamed from | to | likelihood |\n|---|---|---:|\n");
    json_array_foreach(renamed, i, one) {
        buf_str(out, "| ");
        put_cell_of(out, one, put_from);
        buf_str(out, " | ");
        put_cell_of(out, one, put_to);
        buf_printf(out, " | %d %% |\n", percent(one));
    }
    if (json_array_size(changed))
        buf_str(out, "\n| changed | how |\n|---|---|\n");
    json_array_foreach(changed, i, one) {
        buf_str(out, "| ");
        put_cell_of(out, one, put_name);
        buf_str(out, " | ");
        put_cell_of(out, one, put_change);
        buf_str(out, " |\n");
    }
}
