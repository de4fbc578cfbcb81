#include "core/memory.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char root[] = "/tmp/statwit-memory-XXXXXX";

/* A file below the root, with the folders that it is in. */
static void file_is(const char *path, const char *text) {
    char command[512], name[256];
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s%s')\"", root, path);
    EQ_INT(system(command), 0);
    snprintf(name, sizeof name, "%s%s", root, path);
    FILE *file = fopen(name, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    fputs(text, file);
    fclose(file);
}

static void the_least_limit_counts(void) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(root));
    CU_ASSERT(memory_limit(root) == UINT64_MAX);
    file_is("/proc/meminfo", "MemTotal:       24684312 kB\nMemFree:        1 kB\n");
    CU_ASSERT(memory_limit(root) == UINT64_C(24684312) * 1024);
    /* A container sees itself as "/". */
    file_is("/proc/self/cgroup", "0::/\n");
    file_is("/sys/fs/cgroup/memory.max", "max\n");
    CU_ASSERT(memory_limit(root) == UINT64_C(24684312) * 1024);
    file_is("/sys/fs/cgroup/memory.max", "4294967296\n");
    CU_ASSERT(memory_limit(root) == UINT64_C(4294967296));
    /* A group without a limit of its own has that of the one around it. */
    file_is("/proc/self/cgroup", "0::/ci.slice/job:1.scope\n");
    file_is("/sys/fs/cgroup/ci.slice/memory.max", "1073741824\n");
    file_is("/sys/fs/cgroup/ci.slice/job:1.scope/memory.max", "max\n");
    CU_ASSERT(memory_limit(root) == UINT64_C(1073741824));
    /* The older kind. */
    file_is("/proc/self/cgroup", "5:cpu:/a\n4:memory:/docker/12ab\nno line\n");
    file_is("/sys/fs/cgroup/memory/docker/12ab/memory.limit_in_bytes", "536870912\n");
    CU_ASSERT(memory_limit(root) == UINT64_C(536870912));
    char command[64];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    EQ_INT(system(command), 0);
}

static void this_machine_has_some(void) {
    CU_ASSERT(memory_limit("") > 0 && memory_limit("") < UINT64_MAX);
}

UNIT_MAIN("core/memory", {"the least limit counts", the_least_limit_counts},
          {"this machine has some", this_machine_has_some})
