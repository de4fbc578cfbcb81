/* statwit reset: forget what a session recorded. */
#include "command/commands.h"
#include "command/remote.h"
#include "command/rows.h"
#include <stdio.h>

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
        printf("forgot %.0f samples of %.0f series, %.0f events, %.0f service checks, %.0f rejects\n",
               row_number(removed, "samples"), row_number(removed, "series"), row_number(removed, "events"),
               row_number(removed, "service_checks"), row_number(removed, "rejects"));
    json_decref(answer);
    return EXIT_PASS;
}
