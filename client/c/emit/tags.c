#include "emit/tags.h"

void tags_put(struct tags *tags, const char *key, const char *value) {
    for (size_t i = 0; i < tags->n && *key; i++)
        if (tags->list[i].key[0] == key[0] && strcmp(tags->list[i].key, key) == 0) {
            tags->list[i].value = value;
            return;
        }
    if (tags->n == TAGS_MAX)
        tags->overflow = true;
    else
        tags->list[tags->n++] = (struct statwit_tag){key, value};
}

void tags_put_all(struct tags *tags, const struct statwit_tag *list) {
    for (; list && list->key && !tags->overflow; list++)
        tags_put(tags, list->key, list->value);
}

void tags_render_one(struct line *line, const struct statwit_tag *tag) {
    line_clean(line, LINE_TAG, tag->key);
    if (tag->key[0])
        line_char(line, ':');
    line_clean(line, LINE_TAG, tag->value ? tag->value : "None");
}

void tags_render(struct line *line, const struct tags *tags) {
    for (size_t i = 0; i < tags->n; i++) {
        if (i > 0)
            line_char(line, ',');
        tags_render_one(line, &tags->list[i]);
    }
}
