/* statwit lint: what Datadog does to what was sent. */
#include "catalog/rules.h"
#include "command/commands.h"
#include "command/judging.h"
#include "command/naming.h"
#include "core/log.h"

static void print_rules(void) {
    for (int i = 0; i < LINT_N; i++) {
        const struct lint_rule_info *rule = lint_rule_info((enum lint_rule)i);
        printf("%-20s %-8s %s\n", rule->name, severity_word(rule->severity), rule->claim);
    }
}

static int explain(const char *name) {
    const char *names[LINT_N];
    int i = lint_rule_of(span_str(name));
    if (strcmp(name, "all") == 0) {
        print_rules();
        return EXIT_PASS;
    }
    if (i >= 0) {
        const struct lint_rule_info *rule = lint_rule_info((enum lint_rule)i);
        printf("%s (%s): %s\n\n%s\n", rule->name, severity_word(rule->severity), rule->claim,
               rule->explanation);
        return EXIT_PASS;
    }
    for (int k = 0; k < LINT_N; k++)
        names[k] = lint_rule_info((enum lint_rule)k)->name;
    const char *near = option_nearest(name, LINT_N, names);
    if (near)
        log_error("no lint rule is called '%s': did you mean %s?", name, near);
    else
        log_error("no lint rule is called '%s': statwit lint --explain all lists them", name);
    return EXIT_USAGE;
}

int lint_command(const struct options *o) {
    json_t *files = NULL, *report = NULL;
    if (option_given(o, OPT_EXPLAIN))
        return explain(option_text(o, OPT_EXPLAIN));
    int status = o->list[OPT_CATALOG].n
                     ? naming_catalogs(o->list[OPT_CATALOG].n, o->list[OPT_CATALOG].texts, &files)
                     : EXIT_PASS;
    if (status != EXIT_PASS)
        return status;
    json_t *question =
        json_pack("{s:b, s:o*, s:[]}", "strict", option_on(o, OPT_STRICT), "catalog", files, "silence");
    for (size_t i = 0; i < o->list[OPT_SILENCE].n; i++)
        json_array_append_new(json_object_get(question, "silence"),
                              json_string(o->list[OPT_SILENCE].texts[i]));
    status = naming_ask(o, ASK_LINT, question, NULL, &report);
    if (status == EXIT_PASS)
        status = judging_show(o, report);
    json_decref(question);
    json_decref(report);
    return status;
}
