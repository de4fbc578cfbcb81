/* statwit reset: forget what a session recorded. */
#include "command/commands.h"
#include "command/remote.h"
#include "command/rows.h"
#include <stdio.h>

static void show(const json_t *removed) {
    char text[5][ROW_COUNT_SIZE];
    printf("forgot %s of %s, %s, %s, %s\n", row_count(removed, "samples", "sample", text[0]),
           row_count(removed, "series", "series", text[1]), row_count(removed, "events", "event", text[2]),
           row_count(removed, "service_checks", "service check", text[3]),
           row_count(removed, "rejects", "reject", text[4]));
}

int reset_command(const struct options *o) {
    struct remote remote;
    json_t *answer = NULL;
    struct buf path = {.max = 4096};
    buf_str(&path, "/recorder/v1/reset");
    remote_arg(&path, "session", option_text(o, OPT_SESSION));
    int status = remote_open(&remote, o);
    if (status == EXIT_PASS)
        status = remote_call(&remote, "POST", path.p, NULL, &answer);
    remote_close(&remote);
    buf_free(&path);
    if (status != EXIT_PASS)
        return status;
    const json_t *removed = json_object_get(answer, "removed");
    if (option_on(o, OPT_JSON)) {
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
    } else if (!option_on(o, OPT_QUIET))
        show(removed);
    json_decref(answer);
    return EXIT_PASS;
}
