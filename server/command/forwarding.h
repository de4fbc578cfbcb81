/* --forward of serve and run: from the options to a running forward.
 *
 * Threads: one, before and after all others; forwarding_datagram on the loop.
 */
#ifndef COMMAND_FORWARDING_H
#define COMMAND_FORWARDING_H

#include "command/command.h"
#include "forward/forward.h"
#include "ingest/ingest.h"

/* *forward stays NULL where the options ask for none. -1 with err. */
int forwarding_start(const struct options *o, const struct dogstatsd_options *decode,
                     const struct agent_histogram_options *histograms, struct forward **forward,
                     struct err *err);
/* -1 with err when a URL leads back to these addresses. */
int forwarding_check(const struct forward *forward, const struct ingest_addresses *at, int http_port,
                     struct err *err);
void forwarding_datagram(void *forward, int64_t at_ns, struct span bytes);

#endif
