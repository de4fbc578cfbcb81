/* For LD_PRELOAD: the clock of the wall is three days back while the file CLOCK_BACK_IF exists, three days ahead while
 * CLOCK_AHEAD_IF does; with CLOCK_STOPPED_AT it stands at that second. The monotonic clock goes on as it is, as with a real
 * jump.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define JUMP_S (3 * 86400)

static time_t shift_s(void) {
    const char *back = getenv("CLOCK_BACK_IF"), *ahead = getenv("CLOCK_AHEAD_IF");
    return back && access(back, F_OK) == 0 ? -JUMP_S : ahead && access(ahead, F_OK) == 0 ? JUMP_S : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return result;
    const char *stopped_at = getenv("CLOCK_STOPPED_AT");
    if (stopped_at)
        *now = (struct timespec){.tv_sec = atoll(stopped_at)};
    else
        now->tv_sec += shift_s();
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    (void)zone;
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to) {
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (to)
        *to = precise.tv_sec;
    return precise.tv_sec;
}
