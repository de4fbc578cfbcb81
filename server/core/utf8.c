#include "core/utf8.h"

/* A first byte tells the character's length, and the range of its second byte, which is narrower
 * than 80..BF where a shorter form, a surrogate or something above U+10FFFF would result. */
struct lead {
    size_t length; /* 0: no character starts with it */
    unsigned char low, high;
};

static struct lead lead_of(unsigned char byte) {
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4)
        return (struct lead){0, 0, 0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
}

/* How many bytes at s are the beginning of the character that `lead` promises. */
static size_t fitting(struct span s, struct lead lead) {
    unsigned char low = lead.low, high = lead.high;
    size_t n = 1;
    for (; n < lead.length && n < s.n; n++) {
        unsigned char byte = (unsigned char)s.p[n];
        if (byte < low || byte > high)
            break;
        low = 0x80;
        high = 0xBF;
    }
    return n;
}

size_t utf8_length(struct span s) {
    struct lead lead = lead_of((unsigned char)s.p[0]);
    return lead.length && fitting(s, lead) == lead.length ? lead.length : 0;
}

size_t utf8_invalid_length(struct span s) {
    struct lead lead = lead_of((unsigned char)s.p[0]);
    return lead.length ? fitting(s, lead) : 1;
}

struct span utf8_mended(struct span s, size_t *taken) {
    size_t n = utf8_length(s);
    *taken = n ? n : utf8_invalid_length(s);
    return n ? span_of(s.p, n) : SPAN(UTF8_REPLACEMENT);
}

/* Texts are short, and hardly any is not: so in pieces that may overlap, without a branch for each byte. */
static bool is_ascii(struct span s) {
    uint64_t all = 0, eight;
    uint32_t four[2] = {0, 0};
    if (s.n >= sizeof eight) {
        for (size_t i = 0; i + sizeof eight < s.n; i += sizeof eight) {
            memcpy(&eight, s.p + i, sizeof eight);
            all |= eight;
        }
        memcpy(&eight, s.p + s.n - sizeof eight, sizeof eight);
        return !((all | eight) & 0x8080808080808080);
    }
    if (s.n >= sizeof four[0]) {
        memcpy(&four[0], s.p, sizeof four[0]);
        memcpy(&four[1], s.p + s.n - sizeof four[0], sizeof four[0]);
        return !((four[0] | four[1]) & 0x80808080);
    }
    for (size_t i = 0; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return !(all & 0x80);
}

bool utf8_valid(struct span s) {
    if (is_ascii(s))
        return true;
    for (size_t i = 0; i < s.n;) {
        uint64_t eight;
        if (s.n - i >= sizeof eight) {
            memcpy(&eight, s.p + i, sizeof eight);
            if (!(eight & 0x8080808080808080)) {
                i += sizeof eight;
                continue;
            }
        }
        size_t n = (unsigned char)s.p[i] < 0x80 ? 1 : utf8_length(span_from(s, i));
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

bool utf8_visible(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } others[] = {
        {0, 0x1F},        {0x7F, 0x9F},     {0xAD, 0xAD},       {0x61C, 0x61C},
        {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E},   {0x2060, 0x206F},
        {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0] && c >= others[i].first; i++)
        if (c <= others[i].last)
            return false;
    return true;
}

uint32_t utf8_decode(struct span s, size_t length) {
    static const unsigned char head_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t point = (unsigned char)s.p[0] & head_bits[length];
    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)s.p[i] & 0x3F);
    return point;
}
