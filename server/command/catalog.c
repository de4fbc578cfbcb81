/* statwit catalog: make, merge, tidy and convert catalogs. */
#include "command/commands.h"
#include "command/naming.h"
#include "command/rows.h"
#include "core/log.h"
#include <stdlib.h>

#define TEXT_MAX ((size_t)1 << 30)

static enum catalog_format format_of(const struct options *o, enum catalog_format fallback) {
    const char *word = option_text(o, OPT_CATALOG_FORMAT);
    return !word ? fallback : strcmp(word, "csv") == 0 ? CATALOG_CSV : CATALOG_JSON;
}

static void warn_lost(size_t lost) {
    if (lost)
        log_warning(
            "%zu metric%s tags, limits or owners, which metadata.csv has no columns for: the output is without them",
            lost, lost == 1 ? " has" : "s have");
}

static int write_catalog(const struct catalog *c, enum catalog_format format, bool sorted, const char *path) {
    struct buf text = {.max = TEXT_MAX};
    size_t lost = catalog_write(c, format, sorted, &text);
    int status = text.failed ? EXIT_CANNOT : naming_write(path, buf_view(&text));
    if (text.failed)
        log_error("out of memory");
    warn_lost(lost);
    buf_free(&text);
    return status;
}

/* The answer is JSON. */
static int write_inferred(struct span text, enum catalog_format format, const char *path) {
    struct catalog_error error = {0};
    if (format == CATALOG_JSON)
        return naming_write(path, text);
    struct catalog *c = catalog_read("what was inferred", text, &error);
    int status = c && catalog_finish(c, &error) == 0 ? write_catalog(c, format, true, path) : EXIT_CANNOT;
    if (status == EXIT_CANNOT && error.message[0])
        naming_print_error(&error);
    catalog_free(c);
    return status;
}

static int infer(const struct options *o) {
    json_t *question = json_object(), *answer = NULL;
    int status = naming_ask(o, ASK_INFER, question, NULL, &answer);
    if (status == EXIT_PASS)
        status = write_inferred(row_text(answer, "catalog"), format_of(o, CATALOG_JSON),
                                option_text(o, OPT_OUTPUT));
    json_decref(question);
    json_decref(answer);
    return status;
}

/* All files and what they include as one. */
static int merge(const struct options *o) {
    struct catalog_error error = {0};
    struct catalog *c = catalog_load((size_t)o->n_args - 1, (const char *const *)o->args + 1,
                                     catalog_open_file, NULL, &error);
    if (!c) {
        naming_print_error(&error);
        return EXIT_USAGE;
    }
    c->n_includes = 0;
    int status = write_catalog(c, format_of(o, CATALOG_JSON), true, option_text(o, OPT_OUTPUT));
    catalog_free(c);
    return status;
}

static bool is_csv(struct span text) {
    size_t i = span_starts(text, SPAN("\xef\xbb\xbf")) ? 3 : 0;
    while (i < text.n && memchr(" \t\r\n", text.p[i], 4))
        i++;
    return i == text.n || text.p[i] != '{';
}

/* One document, its includes left alone; checked for contradictions, too. */
static int read_document(const char *path, struct buf *text, struct catalog **c) {
    struct catalog_error error = {0};
    int status = naming_read(path, CATALOG_FILE_MAX, text);
    if (status != EXIT_PASS)
        return status;
    *c = catalog_read(path, buf_view(text), &error);
    if (*c && catalog_finish(*c, &error) == 0)
        return EXIT_PASS;
    naming_print_error(&error);
    catalog_free(*c);
    *c = NULL;
    return EXIT_USAGE;
}

static int format_one(const struct options *o, const char *path) {
    struct buf text = {0}, tidy = {.max = TEXT_MAX};
    struct catalog *c = NULL;
    int status = read_document(path, &text, &c);
    if (status == EXIT_PASS)
        catalog_write(c, is_csv(buf_view(&text)) ? CATALOG_CSV : CATALOG_JSON, true, &tidy);
    bool same = span_eq(buf_view(&text), buf_view(&tidy));
    if (status == EXIT_PASS && option_on(o, OPT_CHECK)) {
        status = same ? EXIT_PASS : EXIT_FAIL;
        if (!same)
            printf("%s is not in the canonical form: statwit catalog fmt --write %s\n", path, path);
    } else if (status == EXIT_PASS && option_on(o, OPT_WRITE)) {
        status = same ? EXIT_PASS : naming_write(path, buf_view(&tidy));
    } else if (status == EXIT_PASS) {
        status = naming_write(option_text(o, OPT_OUTPUT), buf_view(&tidy));
    }
    catalog_free(c);
    buf_free(&text);
    buf_free(&tidy);
    return status;
}

static int format_all(const struct options *o) {
    int worst = EXIT_PASS;
    if (o->n_args > 2 && !option_on(o, OPT_CHECK) && !option_on(o, OPT_WRITE)) {
        log_error("several files are given: add --write to rewrite them, or --check to change nothing");
        return EXIT_USAGE;
    }
    for (int i = 1; i < o->n_args; i++) {
        int status = format_one(o, o->args[i]);
        worst = status > worst ? status : worst;
    }
    return worst;
}

static int convert(const struct options *o) {
    struct buf text = {0};
    struct catalog *c = NULL;
    int status = read_document(o->args[1], &text, &c);
    if (status == EXIT_PASS && c->n_includes && format_of(o, CATALOG_CSV) == CATALOG_CSV) {
        log_error("%s includes other files, which metadata.csv cannot: merge first", o->args[1]);
        status = EXIT_USAGE;
    } else if (status == EXIT_PASS) {
        enum catalog_format other = is_csv(buf_view(&text)) ? CATALOG_JSON : CATALOG_CSV;
        status = write_catalog(c, format_of(o, other), false, option_text(o, OPT_OUTPUT));
    }
    catalog_free(c);
    buf_free(&text);
    return status;
}

int catalog_command(const struct options *o) {
    static const struct {
        const char *name;
        int min_files, max_files;
        int (*run)(const struct options *o);
    } actions[] = {{"infer", 0, 0, infer},
                   {"merge", 1, 100000, merge},
                   {"fmt", 1, 100000, format_all},
                   {"convert", 1, 1, convert}};
    int n_files = o->n_args - 1;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(o->args[0], actions[i].name) != 0)
            continue;
        if (n_files >= actions[i].min_files && n_files <= actions[i].max_files)
            return actions[i].run(o);
        log_error(actions[i].max_files == 0   ? "statwit catalog %s takes no file"
                  : actions[i].max_files == 1 ? "statwit catalog %s needs one file"
                                              : "statwit catalog %s needs a file",
                  actions[i].name);
        return EXIT_USAGE;
    }
    log_error("statwit catalog takes infer, merge, fmt or convert, not '%s'", o->args[0]);
    return EXIT_USAGE;
}
