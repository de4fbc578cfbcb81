#include "ingest/holder.h"

#include "core/clock.h"
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel gives a page of the table at a time, by a row's place in it: while other sockets are closed, a row may be missed. So it is read
 * again, as often as this at least, and for this time. */
#define READS_MIN 10
#define READ_NS   NS_PER_S

/* The inode of a socket bound to the port in /proc/net/udp and its like; 0: none. */
static unsigned long read_table(const char *table, int port) {
    FILE *file = fopen(table, "re");
    if (!file)
        return 0;
    char line[512];
    unsigned long inode = 0;
    while (!inode && fgets(line, sizeof line, file)) {
        /*  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         *   0: 0100007F:1FBD 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 */
        unsigned local_port, state;
        unsigned long found;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*d %*d %lu", &local_port,
                   &state, &found) == 3 &&
            local_port == (unsigned)port &&
            (state == 0x07 || state == 0x0A)) /* UDP unconnected, TCP listening */
            inode = found;
    }
    fclose(file);
    return inode;
}

static bool process_holds(const char *pid, unsigned long inode) {
    char path[300], want[64], link[64];
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    snprintf(want, sizeof want, "socket:[%lu]", inode);
    DIR *dir = opendir(path);
    if (!dir)
        return false;
    bool holds = false;
    for (struct dirent *entry; !holds && (entry = readdir(dir));) {
        ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
        if (n > 0) {
            link[n] = '\0';
            holds = strcmp(link, want) == 0;
        }
    }
    closedir(dir);
    return holds;
}

static unsigned long inode_of_port(const char *protocol, int port) {
    unsigned long inode = 0;
    int64_t end_ns = clock_mono_ns() + READ_NS;
    for (int i = 0; !inode && (i < 2 * READS_MIN || clock_mono_ns() < end_ns); i++) {
        char table[32];
        snprintf(table, sizeof table, "/proc/net/%.8s%s", protocol, i % 2 ? "6" : "");
        inode = read_table(table, port);
    }
    return inode;
}

void holder_of_port(const char *protocol, int port, char *text, size_t size) {
    text[0] = '\0';
    unsigned long inode = inode_of_port(protocol, port);
    DIR *proc = inode ? opendir("/proc") : NULL;
    if (!proc)
        return;
    for (struct dirent *entry; (entry = readdir(proc));) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !process_holds(entry->d_name, inode))
            continue;
        char path[300], name[64] = "?";
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        FILE *comm = fopen(path, "re");
        if (comm) {
            if (fgets(name, sizeof name, comm))
                name[strcspn(name, "\n")] = '\0';
            fclose(comm);
        }
        snprintf(text, size, " (held by %s, pid %.16s)", name, entry->d_name);
        break;
    }
    closedir(proc);
}
