/* statwit replay: send a recorded session, or a file of lines, again. */
#include "command/commands.h"
#include "command/replay_timed.h"
#include "command/rows.h"
#include "command/sender.h"
#include "control/export.h"
#include "core/log.h"
#include "store/open.h"
#include <errno.h>
#include <inttypes.h>

#define UNTIMED                                                                                              \
    "--timed needs a recording: %s holds lines without times (`statwit import` makes one of lines with times)"

struct replay {
    struct sender sender;
    int status;
};

static void replay_line(void *arg, struct span text, uint64_t id) {
    struct replay *r = arg;
    (void)id;
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (r->status == EXIT_PASS)
        r->status = sender_line(&r->sender, text);
}

/* The session of the recording that --from names; --session says where to. */
static int replay_recording(struct replay *r, const struct options *o, const char *path) {
    const struct listing_format *lines = export_format(SPAN("dogstatsd"), false);
    struct options from = *o;
    from.value[OPT_DB].text = path;
    from.value[OPT_SESSION].text = option_text(o, OPT_FROM);
    from.n_args = 0;
    if (option_on(o, OPT_TIMED))
        return replay_timed(&from, &r->sender);
    int status = rows_in_file(&from, lines->n_phases, lines->phases, replay_line, r, NULL);
    return status == EXIT_PASS ? r->status : status;
}

static int replay_file(struct replay *r, const struct options *o, const char *path) {
    static const char sqlite[] = "SQLite format 3";
    char head[sizeof sqlite] = "";
    if (strcmp(path, "-") == 0 && !option_on(o, OPT_TIMED))
        return sender_lines(&r->sender, stdin);
    if (strcmp(path, "-") == 0) {
        log_error(UNTIMED, "stdin");
        return EXIT_USAGE;
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        log_error("cannot read %s: %s", path, strerror(errno));
        return EXIT_CANNOT;
    }
    int status;
    size_t n = fread(head, 1, sizeof head, file);
    if (n == sizeof head && memcmp(head, sqlite, sizeof sqlite) == 0)
        status = replay_recording(r, o, path);
    else if (n > 1 && memcmp(head, "{\"", 2) == 0) {
        log_error(
            "%s holds JSON: replay takes a recording, or the lines that `statwit export --format dogstatsd` writes",
            path);
        status = EXIT_USAGE;
    } else if (option_on(o, OPT_TIMED)) {
        log_error(UNTIMED, path);
        status = EXIT_USAGE;
    } else {
        rewind(file);
        status = sender_lines(&r->sender, file);
    }
    fclose(file);
    return status;
}

int replay_command(const struct options *o) {
    const char *path = o->n_args ? o->args[0] : option_text(o, OPT_DB);
    if (!path) {
        log_error("statwit replay needs a recording or a file of lines");
        return EXIT_USAGE;
    }
    if (reader_is_url(path)) {
        log_error(
            "replay takes a recording's file, or lines: statwit export --db '%s' --format dogstatsd writes some",
            path);
        return EXIT_USAGE;
    }
    struct replay r = {.status = EXIT_PASS};
    int status = sender_open(&r.sender, o, "http");
    if (status == EXIT_PASS)
        status = replay_file(&r, o, path);
    status = sender_close(&r.sender, status);
    if (status == EXIT_PASS && !option_on(o, OPT_QUIET))
        fprintf(stderr, "sent %" PRIu64 " lines to %s\n", r.sender.n_lines, r.sender.address);
    return status;
}
