/* statwit send: DogStatsD lines, from the command line or stdin, to a server or to wherever a client would
 * send. */
#include "command/commands.h"
#include "command/sender.h"
#include <inttypes.h>
#include <unistd.h>

int send_command(const struct options *o) {
    struct sender s;
    int status = sender_open(&s, o, "udp");
    for (int i = 0; i < o->n_args && status == EXIT_PASS; i++)
        status = sender_line(&s, span_str(o->args[i]));
    if (o->n_args == 0 && status == EXIT_PASS) {
        if (isatty(STDIN_FILENO))
            fputs("lines to send, one each, until Ctrl-D:\n", stderr);
        status = sender_lines(&s, stdin);
    }
    status = sender_close(&s, status);
    if (status == EXIT_PASS && isatty(STDOUT_FILENO) && !option_on(o, OPT_QUIET))
        printf("sent %" PRIu64 " line%s to %s\n", s.n_lines, s.n_lines == 1 ? "" : "s", s.address);
    return status;
}
