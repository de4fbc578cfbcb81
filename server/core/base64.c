#include "core/base64.h"

static int digit_of(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(struct span text, struct buf *to) {
    unsigned bits = 0, n = 0, n_padding = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\n' || c == '\r')
            continue;
        int digit = c == '=' ? 0 : digit_of(c);
        n_padding += c == '=';
        if (digit < 0 || (c != '=' && n_padding > 0) || (c == '=' && n % 4 < 2))
            return false;
        bits = bits << 6 | (unsigned)digit;
        if (++n % 4 == 0) {
            const char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
            buf_add(to, bytes, 3 - (n_padding < 3 ? n_padding : 3));
            bits = 0;
            if (n_padding > 0 && i + 1 < text.n && text.p[i + 1] != '\n' && text.p[i + 1] != '\r')
                return false;
        }
    }
    return n % 4 == 0 && n_padding <= 2 && !to->failed;
}
