#include "decode/frame.h"

#include "guard.h"
#include "jsonl.h"
#include "unit.h"

struct seen {
    size_t n;
    char text[4096]; /* payloads, each followed by '|' */
    size_t n_text;
    size_t bytes;
};

static void payload(void *arg, struct span bytes) {
    struct seen *seen = arg;
    seen->n++;
    seen->bytes += bytes.n;
    if (bytes.n + 1 < sizeof seen->text - seen->n_text) {
        memcpy(seen->text + seen->n_text, bytes.p, bytes.n);
        seen->n_text += bytes.n;
        seen->text[seen->n_text++] = '|';
    }
}

static void check_case(void *arg, const json_t *fixture) {
    (void)arg;
    struct frame f = {0};
    struct seen seen = {0};
    enum frame_result result = FRAME_OK;
    const json_t *chunks = json_object_get(fixture, "chunks_b64"), *want = json_object_get(fixture, "expect");
    for (size_t i = 0; i < json_array_size(chunks) && result == FRAME_OK; i++) {
        struct span chunk = jsonl_base64(json_string_value(json_array_get(chunks, i)));
        result = frame_feed(&f, guard_end(chunk), payload, &seen);
    }
    struct seen expected = {0};
    const json_t *frames = json_object_get(want, "frames");
    for (size_t i = 0; i < json_array_size(frames); i++)
        payload(&expected, jsonl_bytes(json_array_get(frames, i)));
    EQ_INT(seen.n, expected.n);
    EQ_SPAN(span_of(seen.text, seen.n_text), span_of(expected.text, expected.n_text));
    EQ_INT(result == FRAME_BAD,
           strcmp(json_string_value(json_object_get(want, "connection")), "closed_by_server") == 0);
    frame_free(&f);
}

static void test_fixtures(void) {
    CU_ASSERT(jsonl_each("fixtures/dogstatsd/framing.jsonl", check_case, NULL) >= 4);
}

/* Three frames cut at every pair of places. */
static void test_every_cut(void) {
    static const char stream[] = "\5\0\0\0a:1|c"
                                 "\1\0\0\0x"
                                 "\14\0\0\0b:2|c\nc:3|c\n";
    const size_t n = sizeof stream - 1;
    for (size_t i = 0; i <= n; i++)
        for (size_t j = i; j <= n; j++) {
            struct frame f = {0};
            struct seen seen = {0};
            frame_feed(&f, guard_end(span_of(stream, i)), payload, &seen);
            frame_feed(&f, guard_end(span_of(stream + i, j - i)), payload, &seen);
            EQ_INT(frame_feed(&f, guard_end(span_of(stream + j, n - j)), payload, &seen), FRAME_OK);
            EQ_SPAN(span_of(seen.text, seen.n_text), SPAN("a:1|c|x|b:2|c\nc:3|c\n|"));
            EQ_INT(frame_pending(&f), 0);
            frame_free(&f);
        }
}

static void test_pending(void) {
    struct frame f = {0};
    struct seen seen = {0};
    EQ_INT(frame_pending(&f), 0);
    frame_feed(&f, SPAN("\5\0\0"), payload, &seen);
    EQ_INT(frame_pending(&f), 3);
    frame_feed(&f, SPAN("\0ab"), payload, &seen);
    EQ_INT(frame_pending(&f), 6);
    frame_feed(&f, SPAN("cde\1"), payload, &seen);
    EQ_INT(seen.n, 1);
    EQ_INT(frame_pending(&f), 1);
    frame_free(&f);
    EQ_INT(frame_pending(&f), 0);
}

static void test_bad_lengths(void) {
    static const struct {
        const char head[5];
        enum frame_result result;
    } table[] = {
        {"\0\0\0\0", FRAME_BAD},         {"\1\0\0\0", FRAME_OK},  {"\xff\xff\0\0", FRAME_OK},
        {"\0\0\1\0", FRAME_BAD},         {"\0\0\0\5", FRAME_BAD}, /* big-endian */
        {"\xff\xff\xff\xff", FRAME_BAD},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct frame f = {0};
        struct seen seen = {0};
        EQ_INT(frame_feed(&f, span_of(table[i].head, 4), payload, &seen), table[i].result);
        EQ_INT(seen.n, 0);
        frame_free(&f);
    }
}

static void test_largest(void) {
    static char stream[4 + FRAME_MAX];
    memset(stream, 'x', sizeof stream);
    memcpy(stream, "\xff\xff\0\0", 4);
    struct frame f = {0};
    struct seen seen = {0};
    EQ_INT(frame_feed(&f, span_of(stream, sizeof stream), payload, &seen), FRAME_OK);
    EQ_INT(seen.bytes, FRAME_MAX);
    for (size_t i = 0; i < sizeof stream; i += 1000) {
        size_t n = sizeof stream - i < 1000 ? sizeof stream - i : 1000;
        EQ_INT(frame_feed(&f, span_of(stream + i, n), payload, &seen), FRAME_OK);
    }
    EQ_INT(seen.bytes, 2 * FRAME_MAX);
    EQ_INT(seen.n, 2);
    frame_free(&f);
}

/* The likely cause is told: the bytes themselves were thrown away, and "bad frame" helps nobody. */
static void test_faults_are_explained(void) {
    static const struct {
        struct span stream;
        bool reset;
        const char *why;
        size_t offset, n_rest;
    } table[] = {
        {{"a:1|c\nb:2|c\n", 12}, false, "no length in front: the first 4 bytes are text, 'a:1|'", 0, 12},
        {{"\na:1|c", 6}, false, "no length in front: the first 4 bytes are text, '\\na:1'", 0, 6},
        {{"12\r\na:1|c", 9}, false, "no length in front: the first 4 bytes are text, '12\\r\\n'", 0, 9},
        {{"_e{1,1}:a|b", 11}, false, "no length in front: the first 4 bytes are text, '_e{1'", 0, 11},
        {{"caf\xc3\xa9:1|c", 9}, false, "no length in front: the first 4 bytes are text, 'caf\\xc3'", 0, 9},
        {{"\xf0\x9f\x98\x80:1|c", 8},
         false,
         "no length in front: the first 4 bytes are text, '\\xf0\\x9f\\x98\\x80'",
         0,
         8},
        {{"a:1", 3}, false, "no length in front: the first 3 bytes are text, 'a:1'", 0, 3},
        {{"\5\0\0\0a:1|cb:2|c", 14},
         false,
         "no length in front: after 1 good frame the next 4 bytes are text, 'b:2|'",
         0,
         5},
        {{"\1\0\0\0x\1\0\0\0yzzzzz", 15},
         false,
         "no length in front: after 2 good frames the next 4 bytes are text, 'zzzz'",
         0,
         5},
        {{"\0\0\0\5a:1|c", 9},
         false,
         "big-endian length: the first 4 bytes, 00 00 00 05, are 5 in big-endian order, and the order is little-endian",
         0,
         9},
        {{"\0\0\5\0a", 5},
         false,
         "big-endian length: the first 4 bytes, 00 00 05 00, are 1280 in big-endian order, and the order is little-endian",
         0,
         5},
        {{"\0\0\0\0a:1|c", 9},
         false,
         "a length of 0: the first 4 bytes are 0, and a frame holds at least one byte",
         0,
         9},
        {{"\0\0\1\1", 4},
         true,
         "big-endian length: the first 4 bytes, 00 00 01 01, are 257 in big-endian order, and the order is little-endian",
         0,
         4},
        {{"\0\1\1\0a", 5},
         false,
         "a length above the limit: the first 4 bytes, 00 01 01 00, are the length 65792, and 65535 bytes are the most",
         0,
         5},
        {{"\xff\xff\xff\xff", 4},
         false,
         "a length above the limit: the first 4 bytes, ff ff ff ff, are the length 4294967295, and 65535 bytes are the most",
         0,
         4},
        {{"\5\0", 2}, false, "cut inside a length: the connection ended after 2 of its 4 bytes", 2, 2},
        {{"!", 1}, false, "cut inside a length: the connection ended after 1 of its 4 bytes", 1, 1},
        {{"\5\0\0", 3}, true, "cut inside a length: the connection was reset after 3 of its 4 bytes", 3, 3},
        {{"\5\0\0\0", 4}, false, "cut inside a frame: the connection ended after 0 of its 5 bytes", 4, 4},
        {{"\5\0\0\0a:1", 7}, false, "cut inside a frame: the connection ended after 3 of its 5 bytes", 7, 7},
        {{"\5\0\0\0a:1", 7},
         true,
         "cut inside a frame: the connection was reset after 3 of its 5 bytes",
         7,
         7},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct frame f = {0};
        struct seen seen = {0};
        char rest[FRAME_KEPT];
        frame_feed(&f, guard_end(table[i].stream), payload, &seen);
        struct frame_fault fault = frame_explain(&f, table[i].reset);
        EQ_STR(fault.why, table[i].why);
        EQ_INT(fault.offset, table[i].offset);
        CU_ASSERT(strncmp(fault.why, fault.cause, strlen(fault.cause)) == 0);
        size_t n = frame_rest(&f, rest);
        EQ_SPAN(span_of(rest, n), span_from(table[i].stream, table[i].stream.n - table[i].n_rest));
        frame_free(&f);
    }
}

static void test_the_rest_is_bounded(void) {
    static char stream[1 << 16];
    memset(stream, 'x', sizeof stream);
    for (int whole = 0; whole < 2; whole++) {
        struct frame f = {0};
        struct seen seen = {0};
        char rest[FRAME_KEPT];
        if (whole)
            memcpy(stream, "\xff\xff\0\0", 4);
        frame_feed(&f, span_of(stream, 5000), payload, &seen);
        EQ_INT(frame_rest(&f, rest), FRAME_KEPT);
        EQ_SPAN(span_of(rest, FRAME_KEPT), span_of(stream, FRAME_KEPT));
        frame_free(&f);
    }
}

UNIT_MAIN("decode/frame", {"splits as the Agent splits", test_fixtures},
          {"frames cut anywhere", test_every_cut}, {"tells what is unfinished", test_pending},
          {"refuses lengths no Agent takes", test_bad_lengths}, {"takes the largest frame", test_largest},
          {"faults are explained", test_faults_are_explained},
          {"the rest is bounded", test_the_rest_is_bounded})
