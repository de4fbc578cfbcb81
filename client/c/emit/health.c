#include "emit/health.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define QUIET_NS 10000000000

int64_t clock_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void health_init(struct health *health, const struct statwit_options *options) {
    pthread_mutex_init(&health->lock, NULL);
    health->log = options->log;
    health->context = options->context;
}

void health_drop(struct health *health, enum drop drop, uint64_t n, const char *format, ...) {
    if (n == 0)
        return;
    health_add(&health->dropped[drop], n);
    long long now = clock_monotonic_ns(), told = atomic_load(&health->told_at_ns[drop]);
    if (told != 0 && now - told < QUIET_NS)
        return;
    if (!atomic_compare_exchange_strong(&health->told_at_ns[drop], &told, now))
        return;
    char why[sizeof health->last_trouble], text[sizeof why + 64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&health->lock);
    memcpy(health->last_trouble, why, sizeof why);
    pthread_mutex_unlock(&health->lock);
    if (!health->log)
        return;
    snprintf(text, sizeof text, "Unable to record backend metric: %s (%llu lost so far)", why,
             (unsigned long long)atomic_load(&health->dropped[drop]));
    health->log(health->context, text);
}

void health_log(struct health *health, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (health->log)
        health->log(health->context, text);
    else
        fprintf(stderr, "%s\n", text);
}

void health_read(struct health *health, struct statwit_health *into) {
    into->metrics += atomic_load(&health->metrics);
    into->events += atomic_load(&health->events);
    into->checks += atomic_load(&health->checks);
    into->sampled_out = atomic_load(&health->sampled_out);
    into->packets_sent = atomic_load(&health->packets_sent);
    into->bytes_sent = atomic_load(&health->bytes_sent);
    into->dropped_invalid = atomic_load(&health->dropped[DROP_INVALID]);
    into->dropped_large = atomic_load(&health->dropped[DROP_LARGE]);
    into->dropped_full = atomic_load(&health->dropped[DROP_FULL]);
    into->dropped_refused = atomic_load(&health->dropped[DROP_REFUSED]);
    into->dropped_late = atomic_load(&health->dropped[DROP_LATE]);
    into->retries = atomic_load(&health->retries);
    pthread_mutex_lock(&health->lock);
    memcpy(into->last_trouble, health->last_trouble, sizeof into->last_trouble);
    pthread_mutex_unlock(&health->lock);
}
