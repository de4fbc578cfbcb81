/* statwit rejects: what was refused, why, and where in the line. With --remarks: what was ignored, remarks.c. */
#include "command/commands.h"
#include "command/place.h"
#include "command/rows.h"
#include <stdio.h>

struct reject_list {
    struct buf text; /* decoded */
    size_t n;
};

static void on_reject(void *arg, const json_t *row) {
    struct reject_list *l = arg;
    place_head(row);
    place_show(&(struct place){.word = row_text(row, "reason"),
                               .detail = row_text(row, "detail"),
                               .line = place_bytes(row, "text", &l->text),
                               .offset = row_number(row, "offset")});
    l->n++;
}

int rejects_command(const struct options *o) {
    if (option_on(o, OPT_REMARKS))
        return remarks_command(o);
    if (option_on(o, OPT_JSON))
        return rows_print_json(o, ROWS_REJECTS);
    struct reject_list l = {.text = {.max = 8 << 20}};
    int status = rows_each(o, ROWS_REJECTS, on_reject, &l, NULL);
    buf_free(&l.text);
    if (status == EXIT_PASS && l.n == 0 && !option_on(o, OPT_QUIET))
        fprintf(stderr, "nothing was refused in session %s\n", rows_session(o));
    return status;
}
