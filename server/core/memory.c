#include "core/memory.h"

#include <stdio.h>
#include <string.h>

static void lower(uint64_t *limit, uint64_t bytes) {
    if (bytes > 0 && bytes < *limit)
        *limit = bytes;
}

/* The number that the file begins with; 0: none, as in "max". */
static uint64_t number_in(const char *root, const char *path) {
    char name[1024];
    unsigned long long n = 0;
    int length = snprintf(name, sizeof name, "%s%s", root, path);
    FILE *file = length < (int)sizeof name ? fopen(name, "re") : NULL;
    if (file && fscanf(file, "%llu", &n) != 1)
        n = 0;
    if (file)
        fclose(file);
    return n;
}

/* A group's limit binds the groups within it. `group` is cut shorter and shorter. */
static void lower_by_groups(uint64_t *limit, const char *root, const char *mount, char *group,
                            const char *file) {
    for (;;) {
        char path[768];
        snprintf(path, sizeof path, "%s%s/%s", mount, strcmp(group, "/") == 0 ? "" : group, file);
        lower(limit, number_in(root, path));
        char *slash = strrchr(group, '/');
        if (!slash || !*group)
            return;
        *slash = '\0';
    }
}

/*   0::/user.slice/a.scope
 *   4:memory:/docker/12ab
 *   ^ ^^^^^^ ^^^^^^^^^^^^    number, controllers, group
 */
static void lower_by_line(uint64_t *limit, const char *root, char *line) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return;
    *group++ = '\0';
    if (controllers[1] == '\0')
        lower_by_groups(limit, root, "/sys/fs/cgroup", group, "memory.max");
    else if (strcmp(controllers + 1, "memory") == 0)
        lower_by_groups(limit, root, "/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
}

static uint64_t memory_of_machine(const char *root) {
    char name[256], line[256];
    unsigned long long kib = 0;
    snprintf(name, sizeof name, "%s/proc/meminfo", root);
    FILE *file = fopen(name, "re");
    while (file && kib == 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "MemTotal: %llu kB", &kib) != 1)
            kib = 0;
    if (file)
        fclose(file);
    return kib * 1024;
}

uint64_t memory_limit(const char *root) {
    uint64_t limit = UINT64_MAX;
    char name[256], line[512];
    lower(&limit, memory_of_machine(root));
    snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file))
        lower_by_line(&limit, root, line);
    if (file)
        fclose(file);
    return limit;
}
