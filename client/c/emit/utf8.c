#include "emit/utf8.h"

#include <stdbool.h>

uint32_t utf8_char(const char *text, size_t n) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (n == 1)
        return bytes[0];
    uint32_t c = bytes[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        c = c << 6 | (bytes[i] & 0x3fu);
    return c;
}

size_t utf8_bytes(const char *text, size_t size) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0)
        return 0;
    unsigned char first = (unsigned char)text[0];
    if (first < 0x80)
        return 1;
    size_t n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size < n)
        return 0;
    for (size_t i = 1; i < n; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return 0;
    uint32_t c = utf8_char(text, n);
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < least[n] || surrogate || c > 0x10ffff ? 0 : n;
}
