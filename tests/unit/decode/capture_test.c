/* Captures: each format, in pieces of every size, cut at every byte, packed, and what is none. */
#include "decode/capture.h"

#include "core/buf.h"
#include "unit.h"
#include <string.h>
#include <zstd.h>

#define PORT 8125

/* "TIME SOURCE DATAGRAM\n" for each. */
static int note(void *arg, int64_t at_ns, enum source source, struct span datagram, struct err *err) {
    (void)err;
    buf_printf(arg, "%lld %s ", (long long)at_ns, source_word(source));
    buf_span(arg, datagram);
    buf_char(arg, '\n');
    return 0;
}

static int refuse_all(void *arg, int64_t at_ns, enum source source, struct span datagram, struct err *err) {
    (void)arg, (void)at_ns, (void)source, (void)datagram;
    return err_set(err, 0, "the disk is full");
}

struct outcome {
    struct buf notes;
    struct err err;
    int failed;
    struct capture_skipped skipped;
};

static struct outcome read_in_pieces(struct span file, size_t piece) {
    struct outcome o = {.failed = 0};
    struct capture *c = capture_new(PORT, note, &o.notes);
    for (size_t i = 0; i < file.n && !o.failed; i += piece) {
        size_t n = file.n - i < piece ? file.n - i : piece;
        char *copy = malloc(n); /* so that an overread is seen */
        memcpy(copy, file.p + i, n);
        o.failed = capture_feed(c, span_of(copy, n), &o.err);
        free(copy);
    }
    o.failed = o.failed || capture_end(c, &o.err);
    o.skipped = capture_skipped(c);
    capture_free(c);
    return o;
}

static void expect_notes(struct span file, const char *notes) {
    for (size_t piece = 1; piece < file.n + 2; piece += piece < 40 ? 1 : file.n / 3 + 1) {
        struct outcome o = read_in_pieces(file, piece);
        if (o.failed)
            fprintf(stderr, "in pieces of %zu: %s\n", piece, o.err.text);
        CU_ASSERT_EQUAL(o.failed, 0);
        EQ_STR(o.notes.p ? o.notes.p : "", notes);
        buf_free(&o.notes);
    }
}

static void expect_error(struct span file, const char *words) {
    struct outcome o = read_in_pieces(file, 7);
    CU_ASSERT(o.failed != 0);
    if (!strstr(o.err.text, words))
        fprintf(stderr, "'%s' is not in '%s'\n", words, o.err.text);
    CU_ASSERT(strstr(o.err.text, words) != NULL);
    buf_free(&o.notes);
}

/* --- text ------------------------------------------------------------------------------------------------------------ */

static void test_text(void) {
    expect_notes(SPAN("1700000000.25\ta:1|c\n# no\n\n0\tb:2|g\r\n3.0000000019\tc:\t|s"),
                 "1700000000250000000 udp a:1|c\n0 udp b:2|g\r\n3000000001 udp c:\t|s\n");
    expect_notes(SPAN(""), "");
    expect_notes(SPAN("1\t\n"), "1000000000 udp \n");
    static const struct span wrong[] = {{"1 a:1|c", 7},          {"\ta:1|c", 6},    {"-1\ta:1|c", 8},
                                        {"1.\ta:1|c", 8},        {"1e9\ta:1|c", 9}, {"1.5.1\ta", 7},
                                        {"9999999999999\ta", 15}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        expect_error(wrong[i], "line 1 is not SECONDS, a tab and a DogStatsD line");
    struct buf longer = {0};
    for (size_t i = 0; i <= CAPTURE_RECORD_MAX; i++)
        buf_char(&longer, 'x');
    expect_error(buf_view(&longer), "the record at byte 0 is longer than 1048576 bytes");
    buf_free(&longer);
}

/* --- what the Agent writes ---------------------------------------------------------------------------------------------- */

static void put_varint(struct buf *b, uint64_t n) {
    for (; n >= 0x80; n >>= 7)
        buf_char(b, (char)(n | 0x80));
    buf_char(b, (char)n);
}

static void put_u32(struct buf *b, uint32_t n) {
    for (int i = 0; i < 4; i++)
        buf_char(b, (char)(n >> 8 * i));
}

static void put_message(struct buf *file, uint64_t time, struct span payload, uint64_t size) {
    struct buf m = {0};
    buf_char(&m, 1 << 3);
    put_varint(&m, time);
    buf_char(&m, 2 << 3);
    put_varint(&m, size);
    buf_char(&m, 3 << 3 | 2);
    put_varint(&m, payload.n);
    buf_span(&m, payload);
    buf_str(&m, "\x20\x11\x32\x02xy"); /* pid, ancillary */
    put_u32(file, (uint32_t)m.n);
    buf_span(file, buf_view(&m));
    buf_free(&m);
}

static struct buf agent_file(int version) {
    struct buf file = {0};
    uint64_t unit = version < 3 ? 1 : 1000000000;
    buf_add(&file, "\xD4\x74\xD0\x60\xF0\xFF\0\0", 8);
    file.p[4] = (char)(0xF0 | version);
    put_message(&file, 1700000000 * unit + (version == 3), SPAN("a:1|c\nb:2|g"), 11);
    put_message(&file, 1700000001 * unit, SPAN("c:3|c#####"), 5);
    return file;
}

static void test_agent(void) {
    for (int version = 1; version <= 3; version++) {
        struct buf file = agent_file(version);
        const char *notes =
            version == 3 ? "1700000000000000001 unixgram a:1|c\nb:2|g\n1700000001000000000 unixgram c:3|c\n"
                         : "1700000000000000000 unixgram a:1|c\nb:2|g\n1700000001000000000 unixgram c:3|c\n";
        expect_notes(buf_view(&file), notes);
        unsigned char first = (unsigned char)file.p[8]; /* bytes of the first record */
        for (size_t n = 9; n < file.n; n++) {
            struct outcome o = read_in_pieces(span_of(file.p, n), n);
            CU_ASSERT(o.failed == 0 || strstr(o.err.text, "the file is cut short: the record at byte"));
            CU_ASSERT((o.failed == 0) == (n == 8 + 4 + (size_t)first));
            buf_free(&o.notes);
        }
        put_u32(&file, 0);
        buf_str(&file, "the state of the tagger, of any length");
        expect_notes(buf_view(&file), notes);
        buf_free(&file);
    }
}

static void test_wrong_agent(void) {
    struct buf file = agent_file(4);
    expect_error(buf_view(&file), "this is a capture of version 4: versions 1 to 3 are read");
    buf_free(&file);
    file = agent_file(3);
    file.p[12] = (char)0xFF;
    expect_error(buf_view(&file), "the record at byte 8 is no message of a capture");
    memcpy(file.p + 8, "\xFF\xFF\xFF\x7F", 4);
    expect_error(buf_view(&file),
                 "the record at byte 8 says that it has 2147483647 bytes: 1048576 are the most");
    buf_free(&file);
    file = agent_file(0);
    file.n = 8;
    put_message(&file, UINT64_MAX, SPAN("a:1|c"), 5);
    expect_error(buf_view(&file), "the record at byte 8 has the time -1");
    buf_free(&file);
}

/* --- pcap ------------------------------------------------------------------------------------------------------------- */

static void put_pcap_head(struct buf *file, uint32_t magic, uint32_t link) {
    put_u32(file, magic);
    put_u32(file, 2 | 4 << 16);
    put_u32(file, 0);
    put_u32(file, 0);
    put_u32(file, 65535);
    put_u32(file, link);
}

static void put_u16(struct buf *b, unsigned n) {
    buf_char(b, (char)(n >> 8));
    buf_char(b, (char)n);
}

static void put_udp(struct buf *b, unsigned port, struct span datagram) {
    put_u16(b, 40000);
    put_u16(b, port);
    put_u16(b, 8 + (unsigned)datagram.n);
    put_u16(b, 0);
    buf_span(b, datagram);
}

static void put_ipv4(struct buf *b, unsigned fragment, unsigned port, struct span datagram) {
    buf_str(b, "\x45");
    buf_char(b, 0);
    put_u16(b, 28 + (unsigned)datagram.n);
    put_u16(b, 1);
    put_u16(b, fragment);
    buf_str(b, "\x40\x11");
    buf_add(b, "\0\0\x7F\0\0\1\x7F\0\0\1", 10);
    put_udp(b, port, datagram);
}

static void put_ipv6(struct buf *b, bool options, struct span datagram) {
    char addresses[32] = {0};
    buf_add(b, "\x60\0\0\0", 4);
    put_u16(b, (options ? 16 : 8) + (unsigned)datagram.n);
    buf_char(b, options ? 60 : 17);
    buf_char(b, 64);
    buf_add(b, addresses, sizeof addresses);
    if (options)
        buf_add(b, "\x11\0\0\0\0\0\0\0", 8);
    put_udp(b, PORT, datagram);
}

static void put_packet(struct buf *file, uint32_t seconds, uint32_t part, struct span before,
                       const struct buf *ip, size_t cut, const char *after) {
    size_t n = before.n + ip->n - cut + strlen(after);
    put_u32(file, seconds);
    put_u32(file, part);
    put_u32(file, (uint32_t)n);
    put_u32(file, (uint32_t)(n + cut));
    buf_span(file, before);
    buf_add(file, ip->p, ip->n - cut);
    buf_str(file, after);
}

#define ETHERNET(type) SPAN("\1\2\3\4\5\6\1\2\3\4\5\6" type)

static void test_pcap(void) {
    struct buf file = {0}, v4 = {0}, v6 = {0}, options = {0}, other = {0}, fragment = {0};
    put_ipv4(&v4, 0x4000, PORT, SPAN("a:1|c"));
    put_ipv4(&other, 0, 53, SPAN("a:2|c"));
    put_ipv4(&fragment, 0x2000, PORT, SPAN("a:3|c"));
    put_ipv6(&v6, false, SPAN("b:1|c"));
    put_ipv6(&options, true, SPAN("b:2|c"));
    put_pcap_head(&file, 0xA1B2C3D4, 1);
    put_packet(&file, 17, 250000, ETHERNET("\x08\0"), &v4, 0, "");
    put_packet(&file, 18, 0, ETHERNET("\x81\0\0\1\x08\0"), &v4, 0, "padding");
    put_packet(&file, 19, 0, ETHERNET("\x86\xDD"), &v6, 0, "");
    put_packet(&file, 20, 0, ETHERNET("\x86\xDD"), &options, 0, "");
    put_packet(&file, 21, 0, ETHERNET("\x08\0"), &other, 0, "");
    put_packet(&file, 22, 0, ETHERNET("\x08\0"), &fragment, 0, "");
    put_packet(&file, 23, 0, ETHERNET("\x08\0"), &v4, 2, "");
    put_packet(&file, 24, 0, ETHERNET("\x08\6"), &v4, 0, ""); /* ARP */
    const char *notes =
        "17250000000 udp a:1|c\n18000000000 udp a:1|c\n19000000000 udp b:1|c\n20000000000 udp b:2|c\n";
    expect_notes(buf_view(&file), notes);
    struct outcome o = read_in_pieces(buf_view(&file), 100);
    EQ_INT(o.skipped.other_ports, 1);
    EQ_INT(o.skipped.fragments, 1);
    EQ_INT(o.skipped.cut, 1);
    buf_free(&o.notes);
    file.n--;
    expect_error(buf_view(&file), "the file is cut short: the record at byte");
    buf_free(&file);
    put_pcap_head(&file, 0xA1B23C4D, 101); /* raw IP, nanoseconds */
    put_packet(&file, 17, 5, SPAN(""), &v4, 0, "");
    expect_notes(buf_view(&file), "17000000005 udp a:1|c\n");
    buf_free(&file);
    put_pcap_head(&file, 0xA1B2C3D4, 113);
    put_packet(&file, 17, 5, SPAN("\0\0\3\4\0\6\0\0\0\0\0\0\0\0\x08\0"), &v4, 0, "");
    expect_notes(buf_view(&file), "17000005000 udp a:1|c\n");
    buf_free(&file);
    put_pcap_head(&file, 0xA1B2C3D4, 127);
    expect_error(buf_view(&file),
                 "this pcap has the link type 127: Ethernet, loopback, raw IP and Linux `any` are read");
    buf_free(&file);
    expect_error(SPAN("\x0A\x0D\x0D\x0A\x1C\0\0\0\x4D\x3C\x2B\x1A"), "this is a pcapng, which is not read");
    buf_free(&v4);
    buf_free(&v6);
    buf_free(&options);
    buf_free(&other);
    buf_free(&fragment);
}

/* Each packet cut at each byte, and each byte of it another: nothing is read beyond it. */
static void test_broken_packets(void) {
    struct buf ip = {0};
    put_ipv6(&ip, true, SPAN("b:2|c"));
    for (size_t i = 0; i < ip.n; i++)
        for (unsigned k = 0; k < 2; k++) {
            struct buf file = {0}, broken = {0};
            buf_span(&broken, buf_view(&ip));
            broken.p[i] = (char)(k ? 0xFF : 0);
            put_pcap_head(&file, 0xA1B2C3D4, 101);
            put_packet(&file, 17, 5, SPAN(""), &broken, k ? 0 : i, "");
            struct outcome o = read_in_pieces(buf_view(&file), file.n);
            CU_ASSERT_EQUAL(o.failed, 0);
            buf_free(&o.notes);
            buf_free(&file);
            buf_free(&broken);
        }
    buf_free(&ip);
}

/* --- packed ----------------------------------------------------------------------------------------------------------- */

static struct buf packed(struct span plain) {
    struct buf file = {0};
    buf_reserve(&file, ZSTD_compressBound(plain.n));
    file.n = ZSTD_compress(file.p, ZSTD_compressBound(plain.n), plain.p, plain.n, 1);
    return file;
}

static void test_packed(void) {
    struct buf text = packed(SPAN("1\ta:1|c\n")), agent = agent_file(3), file = packed(buf_view(&agent));
    expect_notes(buf_view(&text), "1000000000 udp a:1|c\n");
    expect_notes(buf_view(&file),
                 "1700000000000000001 unixgram a:1|c\nb:2|g\n1700000001000000000 unixgram c:3|c\n");
    file.n--;
    expect_error(buf_view(&file), "cut short");
    file.p[file.n / 2] ^= 0x55;
    file.p[6] ^= 0x55;
    struct outcome o = read_in_pieces(buf_view(&file), 5);
    CU_ASSERT(o.failed != 0);
    buf_free(&o.notes);
    buf_free(&text);
    buf_free(&agent);
    buf_free(&file);
}

static void test_bomb(void) {
    struct buf plain = {.max = 200 << 20};
    while (plain.n < (100 << 20))
        buf_str(&plain, "# nothing, again and again, in lines of a comment\n");
    struct buf file = packed(buf_view(&plain));
    expect_error(buf_view(&file), "the file unpacks to more than 1000 times its size: that is no capture");
    buf_free(&plain);
    buf_free(&file);
}

static void test_take_fails(void) {
    struct err err = {0};
    struct capture *c = capture_new(PORT, refuse_all, NULL);
    CU_ASSERT(capture_feed(c, SPAN("1\ta:1|c\n2\tb:1|c\n"), &err) != 0);
    EQ_STR(err.text, "the disk is full");
    capture_free(c);
}

UNIT_MAIN("decode/capture", {"lines with the time at which each arrived", test_text},
          {"what the Agent's dogstatsd-capture writes, of each version", test_agent},
          {"captures that are none, or of a newer version, say where", test_wrong_agent},
          {"UDP over IPv4 and IPv6 in a pcap", test_pcap},
          {"broken packets are skipped", test_broken_packets}, {"each of them packed with zstd", test_packed},
          {"a bomb is refused", test_bomb}, {"an error of the taker ends it", test_take_fails})
