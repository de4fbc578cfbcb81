/* statwit diff: what changed between two recordings, snapshots or catalogs. */
#include "catalog/snapshot.h"
#include "command/commands.h"
#include "command/naming.h"
#include "command/rows.h"
#include "command/table.h"
#include "core/log.h"
#include "store/open.h"
#include <stdlib.h>

#define SQLITE_MAGIC "SQLite format 3"

enum operand_kind { OPERAND_SESSION, OPERAND_RECORDING, OPERAND_SNAPSHOT, OPERAND_CATALOG };

struct operand {
    const char *text;
    enum operand_kind kind;
    struct buf bytes;      /* of a snapshot */
    json_t *side, *losses; /* of a recording */
};

static int look_at_operand(struct operand *x) {
    char start[sizeof SQLITE_MAGIC] = "";
    if (strncmp(x->text, "session:", 8) == 0) {
        x->kind = OPERAND_SESSION;
        return EXIT_PASS;
    }
    if (reader_is_url(x->text)) {
        x->kind = OPERAND_RECORDING;
        return EXIT_PASS;
    }
    FILE *file = fopen(x->text, "re");
    if (!file) {
        log_error("cannot read %s (a session is named session:NAME)", x->text);
        return EXIT_USAGE;
    }
    size_t n = fread(start, 1, sizeof start, file);
    fclose(file);
    x->kind = n == sizeof start && memcmp(start, SQLITE_MAGIC, n) == 0 ? OPERAND_RECORDING : OPERAND_CATALOG;
    if (x->kind == OPERAND_RECORDING || !span_starts(span_of(start, n), SPAN("# statwit snap")))
        return EXIT_PASS;
    x->kind = OPERAND_SNAPSHOT;
    return naming_read(x->text, SNAPSHOT_MAX, &x->bytes);
}

/* The keys that the other side's snapshot masks. */
static json_t *mask_of(const struct operand *other) {
    struct catalog_error error = {0};
    struct snapshot *s =
        other->kind == OPERAND_SNAPSHOT ? snapshot_parse(other->text, buf_view(&other->bytes), &error) : NULL;
    json_t *mask = s && s->options.mask.n ? json_stringn(s->options.mask.p, s->options.mask.n) : NULL;
    snapshot_free(s);
    return mask;
}

static json_t *snapshot_side(struct span text, const char *file) {
    return json_pack("{s:s%, s:s}", "snapshot", text.p, text.n, "file", file);
}

static int read_recording(const struct options *o, struct operand *x, const struct operand *other) {
    struct options of_file = *o;
    json_t *question = json_object(), *answer = NULL, *mask = mask_of(other);
    of_file.value[OPT_DB] = (struct option_value){.from = FROM_FLAG, .text = x->text};
    if (mask)
        json_object_set_new(question, "mask", mask);
    int status = naming_ask(&of_file, ASK_SNAPSHOT, question, NULL, &answer);
    if (status == EXIT_PASS) {
        x->side = snapshot_side(row_text(answer, "snapshot"), x->text);
        x->losses = json_incref(json_object_get(answer, "losses"));
    }
    json_decref(question);
    json_decref(answer);
    return status;
}

static int make_side(const struct options *o, struct operand *x, const struct operand *other) {
    json_t *files = NULL;
    int status = EXIT_PASS;
    switch (x->kind) {
    case OPERAND_SESSION:
        x->side = json_pack("{s:s}", "session", x->text + 8);
        break;
    case OPERAND_SNAPSHOT:
        x->side = snapshot_side(buf_view(&x->bytes), x->text);
        break;
    case OPERAND_RECORDING:
        status = read_recording(o, x, other);
        break;
    case OPERAND_CATALOG:
        status = naming_catalogs(1, &x->text, &files);
        x->side = status == EXIT_PASS ? json_pack("{s:o}", "catalog", files) : NULL;
        break;
    }
    if (status == EXIT_PASS && !x->side) {
        log_error("%s is not UTF-8", x->text);
        status = EXIT_USAGE;
    }
    return status;
}

/* Two files need no server. */
static int compare_files(const json_t *question, json_t **answer) {
    struct catalog_error error = {0};
    struct err err = {0};
    struct catalog_question *q = catalog_question_new(ASK_DIFF, question, &error);
    if (!q) {
        naming_print_error(&error);
        return EXIT_USAGE;
    }
    *answer = catalog_question_answer(q, NULL, &err);
    if (!*answer)
        log_error("%s", err.text);
    catalog_question_free(q);
    return *answer ? EXIT_PASS : EXIT_CANNOT;
}

/* Adds what the recordings have lost to the answer, which tells of sessions alone. */
static void add_losses(json_t *answer, const struct operand operands[2]) {
    json_t *losses = json_object_get(answer, "losses"), *one;
    if (!losses && json_object_set_new(answer, "losses", losses = json_array()) != 0)
        return;
    for (int i = 0; i < 2; i++) {
        size_t k;
        json_array_foreach(operands[i].losses, k, one) {
            json_object_set_new(one, "side", json_string(i ? "b" : "a"));
            json_array_append(losses, one);
        }
    }
}

/* Only what one side has too much is certain after a loss, and only when the other side lost nothing. */
static int status_of(const json_t *answer) {
    bool lost_a = naming_lost(answer, "a"), lost_b = naming_lost(answer, "b");
    if (json_is_true(json_object_get(answer, "same")))
        return lost_a || lost_b ? EXIT_INCONCLUSIVE : EXIT_PASS;
    bool added = json_array_size(json_object_get(answer, "added")) > 0,
         removed = json_array_size(json_object_get(answer, "removed")) > 0;
    bool certain = (!lost_a && !lost_b) || (added && !lost_a) || (removed && !lost_b);
    return certain ? EXIT_FAIL : EXIT_INCONCLUSIVE;
}

static int show(const struct options *o, const json_t *answer) {
    const char *field = option_on(o, OPT_MARKDOWN) ? "markdown" : "text";
    if (option_on(o, OPT_JSON)) {
        json_dumpf(answer, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
        putchar('\n');
    } else if (!option_on(o, OPT_QUIET)) {
        struct span text = row_text(answer, field);
        text_write(stdout, text);
        if (option_on(o, OPT_MARKDOWN) && naming_lost(answer, NULL))
            puts("\nSomething was lost: what changed may be missing here, or may not have changed.");
    }
    return status_of(answer);
}

int diff_command(const struct options *o) {
    struct operand operands[2] = {{.text = o->args[0]}, {.text = o->args[1]}};
    json_t *question = NULL, *answer = NULL;
    int status = EXIT_PASS;
    for (int i = 0; i < 2 && status == EXIT_PASS; i++)
        status = look_at_operand(&operands[i]);
    for (int i = 0; i < 2 && status == EXIT_PASS; i++)
        status = make_side(o, &operands[i], &operands[1 - i]);
    if (status == EXIT_PASS) {
        bool live = operands[0].kind == OPERAND_SESSION || operands[1].kind == OPERAND_SESSION;
        question = json_pack("{s:O, s:O}", "a", operands[0].side, "b", operands[1].side);
        status = live ? naming_ask(o, ASK_DIFF, question, NULL, &answer) : compare_files(question, &answer);
    }
    if (status == EXIT_PASS) {
        add_losses(answer, operands);
        status = show(o, answer);
    }
    for (int i = 0; i < 2; i++) {
        buf_free(&operands[i].bytes);
        json_decref(operands[i].side);
        json_decref(operands[i].losses);
    }
    json_decref(question);
    json_decref(answer);
    return status;
}
