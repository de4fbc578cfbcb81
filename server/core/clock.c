#include "core/clock.h"

#include <stdio.h>

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
    snprintf(text, CLOCK_RFC3339_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
             (unsigned)(t.tm_year + 1900) % 10000u, (unsigned)(t.tm_mon + 1) % 100u,
             (unsigned)t.tm_mday % 100u, (unsigned)t.tm_hour % 100u, (unsigned)t.tm_min % 100u,
             (unsigned)t.tm_sec % 100u, (unsigned)ns % 1000000000u);
}
