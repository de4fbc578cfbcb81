/* The functions behind the table of commands: each reads its options, does the job and returns the exit code.
 */
#ifndef COMMAND_COMMANDS_H
#define COMMAND_COMMANDS_H

#include "command/command.h"

int serve_command(const struct options *o);
int run_command(const struct options *o);
int expect_command(const struct options *o);
int value_command(const struct options *o);
int ls_command(const struct options *o);
int samples_command(const struct options *o);
int datagrams_command(const struct options *o);
int rejects_command(const struct options *o);
int events_command(const struct options *o);
int checks_command(const struct options *o);
int remarks_command(const struct options *o); /* rejects --remarks */
int status_command(const struct options *o);
int session_command(const struct options *o);
int mark_command(const struct options *o);
int reset_command(const struct options *o);
int send_command(const struct options *o);
int replay_command(const struct options *o);
int export_command(const struct options *o);
int flush_command(const struct options *o);
int import_command(const struct options *o);
int view_command(const struct options *o);
int verify_command(const struct options *o);
int lint_command(const struct options *o);
int catalog_command(const struct options *o);
int snapshot_command(const struct options *o);
int diff_command(const struct options *o);
int fault_command(const struct options *o);
int completion_command(const struct options *o);

#endif
