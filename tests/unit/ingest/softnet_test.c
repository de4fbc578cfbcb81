/* /proc/net/softnet_stat as kernels write it. */
#include "ingest/loop.h"
#include "unit.h"
#include <sys/mman.h>
#include <unistd.h>

static int file(const char *text) {
    int fd = memfd_create("softnet_stat", MFD_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}

#define ZEROS "00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000"

/* What waits was once looked for in columns that only Linux 6.4 and later have: Debian 12's kernel has none of them. */
static void what_waits(void) {
    static const struct {
        const char *text;
        uint32_t waiting[2];
    } rows[] = {
        {"000000ff 00000002 00000000 " ZEROS " 00000003 00000000\n"
         "00000010 00000000 00000000 " ZEROS " 00000000 00000001\n",
         {3, 0}}, /* 5.10 to 6.3 */
        {"000000ff 00000002 00000000 " ZEROS " 00000003 00000000 00000001 00000002\n"
         "00000010 00000000 00000000 " ZEROS " 00000004 00000001 00000004 00000000\n",
         {3, 4}}, /* since 6.4 */
        {"000000ff 00000002 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n"
         "00000010 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000\n",
         {0, 0}}, /* before 5.10 */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct softnet_cpu cpus[4];
        int fd = file(rows[i].text);
        EQ_INT(softnet_read(fd, cpus, 4), 2);
        EQ_INT(cpus[0].processed, 255);
        EQ_INT(cpus[0].dropped, 2);
        EQ_INT(cpus[0].waiting, rows[i].waiting[0]);
        EQ_INT(cpus[1].processed, 16);
        EQ_INT(cpus[1].waiting, rows[i].waiting[1]);
        EQ_INT(softnet_read(fd, cpus, 1), 1);
        EQ_INT(softnet_settle(fd), 2); /* what never goes on is not waited for without end */
        close(fd);
    }
}

static void not_readable(void) {
    struct softnet_cpu cpus[1];
    EQ_INT(softnet_settle(-1), 0);
    int fd = file("");
    EQ_INT(softnet_read(fd, cpus, 1), 0);
    EQ_INT(softnet_settle(fd), 0);
    close(fd);
}

UNIT_MAIN("ingest/softnet", {"what waits", what_waits}, {"not readable", not_readable})
