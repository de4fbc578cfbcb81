/* Opens what `--db` names, to read it: a recording's file, or a fleet's recordings by their URL.
 *
 * Ownership: reader_close gives the reader back.
 * Errors: NULL with err. *usage: the user named something that there is not, or in a way that is none.
 */
#ifndef STORE_OPEN_H
#define STORE_OPEN_H

#include "core/reader.h"

/* ca_file: certificates to trust for TLS; NULL: the system's. timeout_ns: of one question to an engine. */
struct reader *reader_open(const char *where, const char *ca_file, int64_t timeout_ns, bool *usage,
                           struct err *err);
/* Whether it is a URL, and no file. */
bool reader_is_url(const char *where);

#endif
