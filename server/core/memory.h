/* How much memory this machine, or the control group that the process is in, has.
 *
 * Threads: any. Errors: what cannot be read is no limit. Units: bytes.
 * Source: proc(5); the kernel's cgroup-v2.rst (memory.max) and cgroup-v1/memory.rst (memory.limit_in_bytes).
 */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stdint.h>

/* The least of what the machine has and what each of the control groups around the process may have; UINT64_MAX when nothing tells.
 * `root` stands before /proc and /sys: "" but for tests. */
uint64_t memory_limit(const char *root);

#endif
