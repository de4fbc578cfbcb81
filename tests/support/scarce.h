/* Memory that runs out: one allocation fails, whichever is asked for, and the next ones succeed again.
 *
 *     bool failed = true;
 *     for (long n = 0; failed; n++) {
 *         scarce_begin(n); // the n-th from now
 *         … what is tested …
 *         failed = scarce_end();
 *     }
 *
 * Threads: any thread's allocations count. With a sanitizer, which has a malloc of its own, nothing fails and one turn is all.
 */
#ifndef SUPPORT_SCARCE_H
#define SUPPORT_SCARCE_H

#include <stdbool.h>

void scarce_begin(long n);
/* Ends it. Whether the allocation has failed since scarce_begin. */
bool scarce_end(void);

#endif
