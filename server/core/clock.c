#include "core/clock.h"

/* `n` digits of the number, and what comes behind them. */
static char *put_digits(char *to, uint32_t number, int n, char behind) {
    for (int i = n; i-- > 0; number /= 10)
        to[i] = (char)('0' + number % 10);
    to[n] = behind;
    return to + n + 1;
}

/* By hand: each row that is exported has one. */
void clock_rfc3339(int64_t wall_ns, char text[CLOCK_RFC3339_SIZE]) {
    int64_t s = wall_ns / NS_PER_S;
    int64_t ns = wall_ns % NS_PER_S;
    if (ns < 0) {
        ns += NS_PER_S;
        s--;
    }
    time_t seconds = (time_t)s;
    struct tm t;
    gmtime_r(&seconds, &t);
    text = put_digits(text, (uint32_t)(t.tm_year + 1900), 4, '-');
    text = put_digits(text, (uint32_t)(t.tm_mon + 1), 2, '-');
    text = put_digits(text, (uint32_t)t.tm_mday, 2, 'T');
    text = put_digits(text, (uint32_t)t.tm_hour, 2, ':');
    text = put_digits(text, (uint32_t)t.tm_min, 2, ':');
    text = put_digits(text, (uint32_t)t.tm_sec, 2, '.');
    text = put_digits(text, (uint32_t)ns, 9, 'Z');
    *text = '\0';
}
