#include "store/sqlite/template.h"

#include "core/embed.h"
#include "core/span.h"
#include "store/sqlite/template/make.h"
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

EMBED(template_of_file, "build/template/recording");
EMBED(template_of_memory, "build/template/memory");

#define HEADER_SIZE  100 /* of a database: its version and the application that it is of are in it */
#define PAGES_OFFSET 28  /* how many it has; 0: as many as the file holds */
#define LATE_SIZE    36  /* from there to the end of the version */

static uint32_t take_number(const unsigned char **at) {
    const unsigned char *p = *at;
    *at += 4;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int put_bytes(int fd, const void *bytes, size_t n, size_t offset, struct err *err) {
    for (size_t done = 0; done < n;) {
        ssize_t put = pwrite(fd, (const char *)bytes + done, n - done, (off_t)(offset + done));
        if (put <= 0 && (put == 0 || errno != EINTR))
            return err_set(err, put == 0 ? ENOSPC : errno, "cannot write the recording");
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

static int fill_place(int fd, enum template_place what, size_t offset, int64_t now_ns, struct err *err) {
    unsigned char bytes[8];
    if (what == TEMPLATE_RANDOM) {
        if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
            return err_set(err, errno, "cannot make a name for the recording");
    } else {
        for (int i = 0; i < 8; i++)
            bytes[i] = (unsigned char)((uint64_t)now_ns >> (56 - 8 * i));
    }
    return put_bytes(fd, bytes, sizeof bytes, offset, err);
}

/* The header comes first, without its number of pages and its version: who reads it meanwhile finds the version 0. They make a recording
 * of it. */
static int write_all(int fd, struct span template, int64_t now_ns, struct err *err) {
    const unsigned char *at = (const unsigned char *)template.p;
    uint32_t size = take_number(&at), n_places = take_number(&at), n_pieces = take_number(&at);
    const unsigned char *places = at;
    at += (size_t)n_places * 8;
    unsigned char header[HEADER_SIZE], late[LATE_SIZE];
    assert(n_pieces > 0 && memcmp(at + 8, "SQLite format 3", 16) == 0);
    memcpy(header, at + 8, sizeof header);
    memcpy(late, header + PAGES_OFFSET, sizeof late);
    memset(header + PAGES_OFFSET, 0, sizeof late);
    if (put_bytes(fd, header, sizeof header, 0, err) != 0)
        return -1;
    if (ftruncate(fd, size) != 0)
        return err_set(err, errno, "cannot write the recording");
    for (uint32_t i = 0; i < n_pieces; i++) {
        uint32_t offset = take_number(&at), n = take_number(&at), skip = i == 0 ? HEADER_SIZE : 0;
        if (put_bytes(fd, at + skip, n - skip, offset + skip, err) != 0)
            return -1;
        at += n;
    }
    for (uint32_t i = 0; i < n_places; i++) {
        uint32_t what = take_number(&places), offset = take_number(&places);
        if (fill_place(fd, (enum template_place)what, offset, now_ns, err) != 0)
            return -1;
    }
    assert(at == (const unsigned char *)template.p + template.n);
    return put_bytes(fd, late, sizeof late, PAGES_OFFSET, err);
}

int template_write(int fd, bool in_memory, int64_t now_ns, struct err *err) {
    struct span template = in_memory ? span_of(template_of_memory, EMBED_SIZE(template_of_memory))
                                     : span_of(template_of_file, EMBED_SIZE(template_of_file));
    if (ftruncate(fd, 0) == 0 && write_all(fd, template, now_ns, err) == 0)
        return 0;
    int why = errno;
    if (ftruncate(fd, 0) != 0)
        return err_set(err, why, "cannot write the recording, and cannot empty it again");
    return -1;
}
