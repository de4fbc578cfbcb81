#include "http/body.h"

#include <stdio.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#define PIECE ((size_t)64 << 10) /* bytes of output asked for at a time */

static enum body_result corrupt(char why[96], const char *coding, const char *what) {
    snprintf(why, 96, "%s: %s", coding, what);
    return BODY_CORRUPT;
}

/* Room for a piece more; never past max + 1, where the one byte tells that there is too much. */
static size_t room_for_piece(struct buf *out) {
    size_t left = out->max - 1 - out->n;
    size_t n = left < PIECE ? left : PIECE;
    return n && buf_reserve(out, n) ? n : 0;
}

/* --- zlib and gzip --------------------------------------------------------------------------------------- */

#define WINDOW_ZLIB 15
#define WINDOW_GZIP (15 + 16)

/* One zlib stream, or gzip members one after the other until the input ends. */
static enum body_result inflate_all(struct span in, int window, struct buf *out, char why[96]) {
    const char *coding = window == WINDOW_ZLIB ? "zlib" : "gzip";
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.p, .avail_in = (uInt)in.n};
    if (inflateInit2(&z, window) != Z_OK)
        return BODY_TOO_LARGE;
    enum body_result result = BODY_OK;
    for (;;) {
        size_t room = room_for_piece(out);
        if (room == 0) {
            result = BODY_TOO_LARGE;
            break;
        }
        z.next_out = (Bytef *)out->p + out->n;
        z.avail_out = (uInt)room;
        int status = inflate(&z, Z_NO_FLUSH);
        out->n += room - z.avail_out;
        if (status == Z_STREAM_END) {
            if (z.avail_in == 0)
                break;
            if (window == WINDOW_ZLIB || inflateReset(&z) != Z_OK) {
                result = corrupt(why, coding, "data after the end of the stream");
                break;
            }
        } else if (status != Z_OK) {
            result = corrupt(why, coding,
                             status == Z_BUF_ERROR ? "unexpected EOF"
                             : z.msg               ? z.msg
                                                   : "invalid data");
            break;
        }
    }
    inflateEnd(&z);
    return result;
}

/* --- zstd ------------------------------------------------------------------------------------------------ */

static enum body_result zstd_all(struct span in, struct buf *out, char why[96]) {
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (!stream)
        return BODY_TOO_LARGE;
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, BODY_ZSTD_WINDOW_LOG);
    ZSTD_inBuffer from = {in.p, in.n, 0};
    enum body_result result = BODY_OK;
    size_t wanted = 1; /* 0: a frame is complete */
    bool full = false; /* the last call filled its room: there may be more without more input */
    while (from.pos < from.size || (wanted && full)) {
        size_t room = room_for_piece(out);
        if (room == 0) {
            result = BODY_TOO_LARGE;
            break;
        }
        ZSTD_outBuffer to = {out->p + out->n, room, 0};
        wanted = ZSTD_decompressStream(stream, &to, &from);
        if (ZSTD_isError(wanted)) {
            result = corrupt(why, "zstd", ZSTD_getErrorName(wanted));
            break;
        }
        out->n += to.pos;
        full = to.pos == room;
    }
    if (result == BODY_OK && wanted)
        result = corrupt(why, "zstd", "unexpected EOF");
    ZSTD_freeDStream(stream);
    return result;
}

/* --- lists ----------------------------------------------------------------------------------------------- */

enum coding { CODING_IDENTITY, CODING_ZLIB, CODING_GZIP, CODING_ZSTD, CODING_UNKNOWN };

static enum coding coding_of(struct span word) {
    static const struct {
        const char *word;
        enum coding coding;
    } codings[] = {
        {"", CODING_IDENTITY},  {"identity", CODING_IDENTITY}, {"deflate", CODING_ZLIB},
        {"gzip", CODING_GZIP},  {"x-gzip", CODING_GZIP},       {"zstd", CODING_ZSTD},
        {"zstd1", CODING_ZSTD},
    };
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++)
        if (strlen(codings[i].word) == word.n && strncasecmp(codings[i].word, word.p, word.n) == 0)
            return codings[i].coding;
    return CODING_UNKNOWN;
}

/* Takes the last word off the list. */
static struct span last_word(struct span *list) {
    size_t from = list->n;
    while (from > 0 && list->p[from - 1] != ',')
        from--;
    struct span word = span_from(*list, from);
    list->n = from > 0 ? from - 1 : 0;
    while (word.n && (word.p[0] == ' ' || word.p[0] == '\t'))
        word = span_from(word, 1);
    while (word.n && (word.p[word.n - 1] == ' ' || word.p[word.n - 1] == '\t'))
        word.n--;
    return word;
}

static enum body_result undo(enum coding coding, struct span in, struct buf *out, char why[96]) {
    switch (coding) {
    case CODING_ZLIB:
        return inflate_all(in, WINDOW_ZLIB, out, why);
    case CODING_GZIP:
        return inflate_all(in, WINDOW_GZIP, out, why);
    default:
        return zstd_all(in, out, why);
    }
}

enum body_result body_decode(struct span wire, struct span encoding, size_t max, struct buf *room,
                             struct span *plain, char why[96]) {
    int n_codings = 0;
    why[0] = '\0';
    *plain = wire;
    while (encoding.n) {
        struct span word = last_word(&encoding);
        enum coding coding = coding_of(word);
        if (coding == CODING_IDENTITY)
            continue;
        if (coding == CODING_UNKNOWN || ++n_codings > BODY_CODINGS_MAX) {
            snprintf(why, 96, "unsupported Content-Encoding: %.*s", word.n < 40 ? (int)word.n : 40, word.p);
            return BODY_UNKNOWN;
        }
        if (plain->n == 0) /* nothing stays nothing */
            continue;
        struct buf out = {.max = max + 2};
        enum body_result result = undo(coding, *plain, &out, why);
        buf_free(room);
        *room = out;
        *plain = buf_view(room);
        if (result == BODY_OK && room->n > max)
            result = BODY_TOO_LARGE;
        if (result != BODY_OK)
            return result;
    }
    return plain->n > max ? BODY_TOO_LARGE : BODY_OK;
}
