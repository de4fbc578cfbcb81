#include "http/body.h"

#include "unit.h"

#include <stdio.h>
#include <zlib.h>
#include <zstd.h>

#define TEXT "the quick brown fox jumps over the lazy dog, again and again and again"

static void add_zlib(struct buf *out, struct span in, int window) {
    z_stream z = {0};
    deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY);
    size_t bound = deflateBound(&z, in.n) + 64;
    buf_reserve(out, bound);
    z.next_in = (Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)bound;
    EQ_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += z.total_out;
    deflateEnd(&z);
}

static void add_zstd(struct buf *out, struct span in) {
    size_t bound = ZSTD_compressBound(in.n);
    buf_reserve(out, bound);
    out->n += ZSTD_compress(out->p + out->n, bound, in.p, in.n, 3);
}

static void add_coding(struct buf *out, struct span in, const char *coding) {
    if (strcmp(coding, "deflate") == 0)
        add_zlib(out, in, 15);
    else if (strcmp(coding, "gzip") == 0)
        add_zlib(out, in, 31);
    else
        add_zstd(out, in);
}

static enum body_result decode(struct span wire, const char *encoding, size_t max, struct span want) {
    struct buf room = {0};
    struct span plain;
    char why[96];
    enum body_result result = body_decode(wire, span_str(encoding), max, &room, &plain, why);
    if (result == BODY_OK)
        EQ_SPAN(plain, want);
    else
        CU_ASSERT(result == BODY_TOO_LARGE || why[0]);
    buf_free(&room);
    return result;
}

static void test_identity(void) {
    EQ_INT(decode(SPAN(TEXT), NULL, 1000, SPAN(TEXT)), BODY_OK);
    EQ_INT(decode(SPAN(TEXT), "", 1000, SPAN(TEXT)), BODY_OK);
    EQ_INT(decode(SPAN(TEXT), "identity", 1000, SPAN(TEXT)), BODY_OK);
    EQ_INT(decode(SPAN(TEXT), "Identity , identity", sizeof TEXT - 1, SPAN(TEXT)), BODY_OK);
    EQ_INT(decode(SPAN(TEXT), NULL, sizeof TEXT - 2, SPAN(TEXT)), BODY_TOO_LARGE);
    EQ_INT(decode(SPAN(TEXT), "br", 1000, SPAN(TEXT)), BODY_UNKNOWN);
    EQ_INT(decode(SPAN(TEXT), "gzip, br", 1000, SPAN(TEXT)), BODY_UNKNOWN);
    EQ_INT(decode(SPAN(""), "gzip", 1000, SPAN("")), BODY_OK);
}

static void test_codings(void) {
    static const char *const codings[] = {"deflate", "gzip", "zstd", "zstd1", "x-gzip", "GZIP"};
    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        struct buf wire = {0};
        add_coding(&wire, SPAN(TEXT), strstr("x-gzip GZIP", codings[i]) ? "gzip" : codings[i]);
        EQ_INT(decode(buf_view(&wire), codings[i], sizeof TEXT - 1, SPAN(TEXT)), BODY_OK);
        EQ_INT(decode(buf_view(&wire), codings[i], sizeof TEXT - 2, SPAN(TEXT)), BODY_TOO_LARGE);
        for (size_t n = 1; n < wire.n; n++)
            EQ_INT(decode(span_of(wire.p, n), codings[i], 1000, SPAN(TEXT)), BODY_CORRUPT);
        buf_free(&wire);
    }
}

static void test_many_members(void) {
    static const char *const codings[] = {"gzip", "zstd"};
    for (size_t i = 0; i < 2; i++) {
        struct buf wire = {0}, want = {0};
        for (int k = 0; k < 300; k++) {
            char piece[32];
            int n = snprintf(piece, sizeof piece, "piece %d;", k);
            add_coding(&wire, span_of(piece, (size_t)n), codings[i]);
            buf_add(&want, piece, (size_t)n);
        }
        EQ_INT(decode(buf_view(&wire), codings[i], 100000, buf_view(&want)), BODY_OK);
        buf_str(&wire, "trailing");
        EQ_INT(decode(buf_view(&wire), codings[i], 100000, buf_view(&want)), BODY_CORRUPT);
        buf_free(&wire);
        buf_free(&want);
    }
    struct buf wire = {0};
    add_coding(&wire, SPAN(TEXT), "deflate");
    add_coding(&wire, SPAN(TEXT), "deflate");
    EQ_INT(decode(buf_view(&wire), "deflate", 1000, SPAN(TEXT)), BODY_CORRUPT);
    buf_free(&wire);
}

static void test_chained(void) {
    struct buf first = {0}, second = {0}, third = {0};
    add_coding(&first, SPAN(TEXT), "deflate");
    add_coding(&second, buf_view(&first), "gzip");
    add_coding(&third, buf_view(&second), "zstd");
    EQ_INT(decode(buf_view(&third), "deflate, gzip,\tzstd1", 1000, SPAN(TEXT)), BODY_OK);
    EQ_INT(decode(buf_view(&third), "gzip, deflate, zstd1", 1000, SPAN(TEXT)), BODY_CORRUPT);
    EQ_INT(decode(buf_view(&third), "gzip,gzip,gzip,gzip,gzip", 1000, SPAN(TEXT)), BODY_CORRUPT);
    buf_free(&first);
    buf_free(&second);
    buf_free(&third);
}

static void test_damaged(void) {
    static const char *const codings[] = {"deflate", "gzip", "zstd"};
    for (size_t i = 0; i < 3; i++) {
        struct buf wire = {0};
        add_coding(&wire, SPAN(TEXT), codings[i]);
        for (size_t at = 0; at < wire.n; at++) {
            struct buf room = {0};
            struct span plain;
            char why[96];
            wire.p[at] ^= 0x55;
            body_decode(buf_view(&wire), span_str(codings[i]), 1000, &room, &plain, why);
            wire.p[at] ^= 0x55;
            buf_free(&room);
        }
        buf_free(&wire);
    }
}

/* 256 MiB of zeros, and the same packed twice. */
static void test_bombs(void) {
    enum { PIECE = 1 << 20, PIECES = 256 };
    static const char *const codings[] = {"gzip", "zstd"};
    char *zeros = calloc(1, PIECE);
    for (size_t i = 0; i < 2; i++) {
        struct buf wire = {0}, twice = {0};
        for (int k = 0; k < PIECES; k++)
            add_coding(&wire, span_of(zeros, PIECE), codings[i]);
        add_coding(&twice, buf_view(&wire), codings[i]);
        struct buf room = {0};
        struct span plain;
        char why[96];
        EQ_INT(body_decode(buf_view(&wire), span_str(codings[i]), 5 << 20, &room, &plain, why),
               BODY_TOO_LARGE);
        CU_ASSERT(room.cap <= 16 << 20);
        EQ_INT(body_decode(buf_view(&twice), i ? SPAN("zstd, zstd") : SPAN("gzip, gzip"), 5 << 20, &room,
                           &plain, why),
               BODY_TOO_LARGE);
        CU_ASSERT(room.cap <= 16 << 20);
        buf_free(&room);
        buf_free(&wire);
        buf_free(&twice);
    }
    free(zeros);
}

UNIT_MAIN("http/body", {"identity", test_identity}, {"each coding, cut anywhere", test_codings},
          {"many members and frames", test_many_members}, {"chained", test_chained},
          {"damaged anywhere", test_damaged}, {"bombs", test_bombs})
