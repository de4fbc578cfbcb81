/* Values of options that name hosts and ports. */
#include "command/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HOST_MAX 150

bool option_is_host(const char *text) {
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
    size_t n = strlen(text);
    const char *colon = strchr(text, ':');
    bool has_port = colon && !strchr(colon + 1, ':'); /* an IPv6 address has two colons at least */
    return n > 0 && n < HOST_MAX && strspn(text, good) == n && !has_port;
}

int64_t option_parse_ports(const char *text) {
    int first, last, end = 0;
    if (!isdigit((unsigned char)text[0]) || sscanf(text, "%5d-%n%5d%n", &first, &end, &last, &end) != 2 ||
        text[end])
        return -1;
    const char *second = strchr(text, '-') + 1;
    return isdigit((unsigned char)*second) && first >= 1 && last <= 65535 && first <= last
               ? first << 16 | last
               : -1;
}
