/* pcap: a head of 24 bytes, then packets, each behind 16 bytes with its time and lengths. A packet is unwrapped from the outside:
 *
 *   link layer | IPv4 or IPv6 | UDP | datagram
 */
#include "decode/capture/capture.h"

#include <inttypes.h>

#define HEAD_SIZE   24
#define PACKET_HEAD 16

enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86DD, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88A8 };
enum { IP_UDP = 17, IP_HOP_BY_HOP = 0, IP_ROUTING = 43, IP_FRAGMENT = 44, IP_OPTIONS = 60 };
#define IP_EXTENSIONS_MAX 8

/* How a packet begins: number, name, bytes before the IP header, where the ether type stands (-1: none, the IP version tells). */
static const struct {
    uint32_t number;
    size_t size;
    int type_at;
} links[] = {
    {0, 4, -1},    /* BSD loopback */
    {1, 14, 12},   /* Ethernet */
    {12, 0, -1},   /* raw IP, as OpenBSD numbers it */
    {14, 0, -1},   /* and others */
    {101, 0, -1},  /* raw IP */
    {108, 4, -1},  /* OpenBSD loopback */
    {113, 16, 14}, /* Linux "any", version 1 */
    {228, 0, -1},  /* IPv4 */
    {229, 0, -1},  /* IPv6 */
    {276, 20, 0},  /* Linux "any", version 2 */
};

static ssize_t read_packet(struct capture *c, struct span bytes, bool last, struct err *err);

static bool magic_of(struct span head, bool *big_endian, bool *nanoseconds) {
    for (int big = 0; big <= 1; big++) {
        uint32_t magic = capture_u32(head.p, big != 0);
        *big_endian = big != 0;
        *nanoseconds = magic == 0xA1B23C4D;
        if (*nanoseconds || magic == 0xA1B2C3D4)
            return true;
    }
    return false;
}

bool capture_is_pcap(struct span head) {
    bool big_endian, nanoseconds;
    return head.n >= 4 && magic_of(head, &big_endian, &nanoseconds);
}

ssize_t capture_read_pcap_head(struct capture *c, struct span bytes, bool last, struct err *err) {
    (void)last;
    if (bytes.n < HEAD_SIZE)
        return 0;
    magic_of(bytes, &c->pcap.big_endian, &c->pcap.nanoseconds);
    c->pcap.link = capture_u32(bytes.p + 20, c->pcap.big_endian) & 0xFFFF;
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].number == c->pcap.link) {
            c->read = read_packet;
            return HEAD_SIZE;
        }
    return err_set(err, 0,
                   "this pcap has the link type %" PRIu32
                   ": Ethernet, loopback, raw IP and Linux `any` are read",
                   c->pcap.link);
}

/* --- layers: each takes its head off; false: the packet is not for us ---------------------------------------------------- */

static unsigned u16(const char *p) {
    return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static bool take_off(struct span *packet, size_t n) {
    if (packet->n < n)
        return false;
    *packet = span_from(*packet, n);
    return true;
}

static bool take_link(const struct capture *c, struct span *packet) {
    size_t i = 0;
    while (links[i].number != c->pcap.link)
        i++;
    if (packet->n < links[i].size)
        return false;
    unsigned type = links[i].type_at < 0 ? 0 : u16(packet->p + links[i].type_at);
    *packet = span_from(*packet, links[i].size);
    for (; (type == ETHER_VLAN || type == ETHER_QINQ) && packet->n >= 4; *packet = span_from(*packet, 4))
        type = u16(packet->p + 2);
    return links[i].type_at < 0 || type == ETHER_IPV4 || type == ETHER_IPV6;
}

static bool take_ipv4(struct capture *c, struct span *packet) {
    if (packet->n < 20)
        return false;
    size_t head = (size_t)(packet->p[0] & 0x0F) * 4, whole = u16(packet->p + 2);
    bool is_udp = packet->p[9] == IP_UDP;
    if (head < 20 || !is_udp)
        return false;
    if (u16(packet->p + 6) & 0x3FFF) { /* more follow, or this is not the first */
        c->skipped.fragments++;
        return false;
    }
    if (whole >= head && whole < packet->n)
        packet->n = whole; /* the rest is padding */
    return take_off(packet, head);
}

static bool take_ipv6(struct capture *c, struct span *packet) {
    if (packet->n < 40)
        return false;
    int next = (unsigned char)packet->p[6];
    size_t whole = 40 + u16(packet->p + 4);
    if (whole > 40 && whole < packet->n)
        packet->n = whole;
    *packet = span_from(*packet, 40);
    for (int i = 0; i < IP_EXTENSIONS_MAX && next != IP_UDP; i++) {
        if (packet->n < 8)
            return false;
        if (next == IP_FRAGMENT) {
            c->skipped.fragments += packet->p[0] == IP_UDP;
            return false;
        }
        if (next != IP_HOP_BY_HOP && next != IP_ROUTING && next != IP_OPTIONS)
            return false;
        next = (unsigned char)packet->p[0];
        if (!take_off(packet, ((size_t)(unsigned char)packet->p[1] + 1) * 8))
            return false;
    }
    return next == IP_UDP;
}

static bool take_udp(struct capture *c, struct span *packet) {
    if (packet->n < 8)
        return false;
    size_t whole = u16(packet->p + 4);
    if (u16(packet->p + 2) != (unsigned)c->port) {
        c->skipped.other_ports++;
        return false;
    }
    if (whole < 8 || whole > packet->n) {
        c->skipped.cut++;
        return false;
    }
    *packet = span_of(packet->p + 8, whole - 8);
    return true;
}

static bool unwrap(struct capture *c, struct span *packet) {
    if (!take_link(c, packet) || packet->n == 0)
        return false;
    int version = (unsigned char)packet->p[0] >> 4;
    bool is_ip = version == 4 ? take_ipv4(c, packet) : version == 6 && take_ipv6(c, packet);
    return is_ip && take_udp(c, packet);
}

static ssize_t read_packet(struct capture *c, struct span bytes, bool last, struct err *err) {
    (void)last;
    if (bytes.n < PACKET_HEAD)
        return 0;
    bool big = c->pcap.big_endian;
    int64_t seconds = capture_u32(bytes.p, big), part = capture_u32(bytes.p + 4, big);
    uint32_t n = capture_u32(bytes.p + 8, big);
    int64_t at_ns = seconds * CAPTURE_NS_PER_S + part * (c->pcap.nanoseconds ? 1 : 1000);
    if (n > CAPTURE_RECORD_MAX - PACKET_HEAD)
        return err_set(err, 0,
                       "the packet at byte %" PRIu64 " says that it has %" PRIu32 " bytes: %zu are the most",
                       c->at, n, CAPTURE_RECORD_MAX);
    if (bytes.n - PACKET_HEAD < n)
        return 0;
    struct span packet = span_of(bytes.p + PACKET_HEAD, n);
    if (unwrap(c, &packet) && c->take(c->arg, at_ns, SOURCE_UDP, packet, err) != 0)
        return -1;
    return (ssize_t)n + PACKET_HEAD;
}
