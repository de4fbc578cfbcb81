#include "core/retry.h"

#include "core/clock.h"

#define PAUSE_MIN_NS NS_PER_MS
#define PAUSE_MAX_NS (32 * NS_PER_MS)

struct retry retry_begin(void) {
    return (struct retry){.until = clock_mono_ns() + RETRY_MS * NS_PER_MS};
}

bool retry_lasts(struct retry *r) {
    if (clock_mono_ns() >= r->until)
        return false;
    if (r->pause > 0)
        nanosleep(&(struct timespec){.tv_nsec = r->pause}, NULL);
    r->pause = r->pause == 0 ? PAUSE_MIN_NS : r->pause < PAUSE_MAX_NS ? 2 * r->pause : PAUSE_MAX_NS;
    return true;
}
