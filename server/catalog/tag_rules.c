#include "catalog/tag_rules.h"

#include "core/glob.h"
#include "core/pattern.h"

#include <stdlib.h>

#define FEW 8 /* up to so many are walked through: a hash table would cost more */

static struct tag_rule *walk_keys(const struct tag_rules *rules, struct span key, uint64_t *steps) {
    for (size_t i = 0; i < rules->n; i++, ++*steps)
        if (span_eq(rules->list[i].tag->key, key))
            return &rules->list[i];
    return NULL;
}

int tag_rules_build(struct tag_rules *rules, size_t n, const struct catalog_tag *tags) {
    uint64_t ignored = 0;
    *rules = (struct tag_rules){.list = calloc(n + 1, sizeof *rules->list)};
    rules->failed = !rules->list;
    for (size_t i = 0; i < n && !rules->failed; i++) {
        size_t known = rules->n;
        if (n > FEW)
            known = numbering_put(&rules->keys, tags[i].key);
        else if (walk_keys(rules, tags[i].key, &ignored))
            continue;
        if (known == rules->n)
            rules->list[rules->n++].tag = &tags[i];
        rules->failed = known == NUMBERING_NONE;
    }
    return rules->failed ? -1 : 0;
}

struct tag_rule *tag_rules_find(const struct tag_rules *rules, struct span key, uint64_t *steps) {
    if (rules->keys.n == 0)
        return walk_keys(rules, key, steps);
    ++*steps;
    size_t i = numbering_get(&rules->keys, key);
    return i == NUMBERING_NONE ? NULL : &rules->list[i];
}

static bool walk_globs(size_t n, const struct span *globs, struct span value, uint64_t *steps) {
    for (size_t i = 0; i < n; i++)
        if (glob_match_counted(globs[i], value, steps))
            return true;
    return false;
}

static void split_values(struct tag_rules *rules, struct tag_rule *rule) {
    const struct catalog_tag *tag = rule->tag;
    rule->has_values = true;
    rule->globs = malloc(tag->n_values * sizeof *rule->globs);
    rules->failed |= !rule->globs;
    for (size_t i = 0; i < tag->n_values && !rules->failed; i++)
        if (glob_is_pattern(tag->values[i]))
            rule->globs[rule->n_globs++] = tag->values[i];
        else
            rules->failed = numbering_put(&rule->literals, tag->values[i]) == NUMBERING_NONE;
}

bool tag_rules_allow(struct tag_rules *rules, struct tag_rule *rule, struct span value, uint64_t *steps) {
    const struct catalog_tag *tag = rule->tag;
    if (tag->pattern)
        return pattern_match_counted(tag->pattern, value, steps);
    if (tag->n_values <= FEW)
        return tag->n_values == 0 || walk_globs(tag->n_values, tag->values, value, steps);
    if (!rule->has_values)
        split_values(rules, rule);
    ++*steps;
    return rules->failed || numbering_get(&rule->literals, value) != NUMBERING_NONE ||
           walk_globs(rule->n_globs, rule->globs, value, steps);
}

void tag_rules_free(struct tag_rules *rules) {
    for (size_t i = 0; rules->list && i < rules->n; i++) {
        numbering_free(&rules->list[i].literals);
        free(rules->list[i].globs);
    }
    free(rules->list);
    numbering_free(&rules->keys);
    *rules = (struct tag_rules){0};
}
