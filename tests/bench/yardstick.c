#include "yardstick.h"

#include "core/clock.h"
#include "load.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS_PER_INSERT      200
#define ROWS_PER_TRANSACTION 100000

static void run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "yardstick: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

double yardstick_insert(uint64_t n_rows) {
    char directory[] = "/tmp/statwit-yard-XXXXXX", path[64],
         sql[ROWS_PER_INSERT * 6 + 64] = "INSERT INTO t VALUES(?,?)";
    if (!mkdtemp(directory))
        return 0;
    snprintf(path, sizeof path, "%s/db", directory);
    sqlite3 *db;
    sqlite3_open(path, &db);
    run(db,
        "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; CREATE TABLE t(series INTEGER, value REAL)");
    for (int i = 1; i < ROWS_PER_INSERT; i++)
        strcat(sql, ",(?,?)");
    sqlite3_stmt *insert;
    sqlite3_prepare_v2(db, sql, -1, &insert, NULL);
    int64_t start_ns = clock_mono_ns();
    for (uint64_t row = 0; row < n_rows;) {
        if (row % ROWS_PER_TRANSACTION == 0)
            run(db, "BEGIN");
        for (int i = 0; i < ROWS_PER_INSERT; i++, row++) {
            sqlite3_bind_int64(insert, 2 * i + 1, (sqlite3_int64)(row % 1000));
            sqlite3_bind_double(insert, 2 * i + 2, (double)(row % 97) + 0.345);
        }
        sqlite3_step(insert);
        sqlite3_reset(insert);
        if (row % ROWS_PER_TRANSACTION == 0)
            run(db, "COMMIT");
    }
    double took_s = (double)(clock_mono_ns() - start_ns) / 1e9;
    sqlite3_finalize(insert);
    sqlite3_close(db);
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command) == 0 ? (double)n_rows / took_s : 0;
}

static double kept;

static void sink(int fd, int report) {
    static char bytes[64][2048];
    struct mmsghdr messages[64];
    struct iovec parts[64];
    uint64_t n = 0;
    struct timeval quiet = {.tv_usec = 200000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof quiet);
    for (int i = 0; i < 64; i++) {
        parts[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &parts[i], .msg_iovlen = 1}};
    }
    for (int got; (got = recvmmsg(fd, messages, 64, n ? MSG_WAITFORONE : 0, NULL)) > 0 || n == 0;)
        n += got > 0 ? (uint64_t)got : 0;
    if (write(report, &n, sizeof n) != sizeof n)
        _exit(1);
    _exit(0);
}

double yardstick_sink(uint64_t n_samples, size_t payload) {
    struct sockaddr_in in = {.sin_family = AF_INET};
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof in;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 64 << 20, report[2];
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (bind(fd, (struct sockaddr *)&in, size) != 0 || getsockname(fd, (struct sockaddr *)&in, &size) != 0 ||
        pipe(report) != 0)
        return 0;
    pid_t pid = fork();
    if (pid == 0)
        sink(fd, report[1]);
    struct load load = {LOAD_UDP, .port = ntohs(in.sin_port), .payload = payload, .n_series = 1000,
                        .n_samples = n_samples};
    load_send(&load);
    uint64_t n = 0;
    if (read(report[0], &n, sizeof n) != sizeof n)
        n = 0;
    kept = (double)n / (double)load.sent_datagrams;
    waitpid(pid, NULL, 0);
    close(fd);
    close(report[0]);
    close(report[1]);
    return (double)load.sent_samples / (double)load.took_ns * 1e9;
}

double yardstick_sink_kept(void) {
    return kept;
}
