#include "command/when.h"

#include "core/clock.h"
#include "core/moment.h"
#include <stdio.h>

static void show_day(const struct when *w, int64_t wall_ns, char day[16], struct tm *t) {
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    if (!(w->utc ? gmtime_r(&seconds, t) : localtime_r(&seconds, t)))
        *t = (struct tm){0};
    if (strftime(day, 16, "%Y-%m-%d", t) == 0)
        day[0] = '\0';
}

void when_begin(struct when *w, bool utc) {
    struct tm t;
    tzset(); /* localtime_r need not look at TZ */
    w->utc = utc;
    show_day(w, clock_wall_ns(), w->today, &t);
}

struct span when_show(const struct when *w, struct span rfc3339, char text[WHEN_SIZE]) {
    int64_t wall_ns;
    struct tm t;
    char day[16];
    if (!moment_parse_time(rfc3339, &wall_ns))
        return rfc3339;
    show_day(w, wall_ns, day, &t);
    bool today = strcmp(day, w->today) == 0;
    int n = snprintf(text, WHEN_SIZE, "%s%s%02d:%02d:%02d.%06d%s", today ? "" : day, today ? "" : " ",
                     t.tm_hour, t.tm_min, t.tm_sec, (int)(wall_ns % NS_PER_S / 1000), w->utc ? "Z" : "");
    return span_of(text, n < WHEN_SIZE ? (size_t)n : WHEN_SIZE - 1);
}
