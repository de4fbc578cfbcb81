/* All clients there ever were, and fork: every lock is held across it, so that the child finds nothing half
 * done. */
#include "emit/metrics.h"
#include "emit/random.h"

static struct statwit_metrics *clients;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void before_fork(void) {
    pthread_mutex_lock(&lock);
    scope_before_fork();
    for (struct statwit_metrics *metrics = clients; metrics; metrics = metrics->next) {
        pthread_mutex_lock(&metrics->telemetry.lock);
        if (metrics->config.aggregating)
            aggregate_before_fork(&metrics->aggregate);
        if (metrics->config.sends_datagrams)
            outbox_before_fork(&metrics->outbox);
        if (metrics->config.backend == BACKEND_DATADOG)
            intake_before_fork(&metrics->intake);
        pthread_mutex_lock(&metrics->health.lock);
    }
}

static void after_fork(bool child) {
    for (struct statwit_metrics *metrics = clients; metrics; metrics = metrics->next) {
        pthread_mutex_unlock(&metrics->health.lock);
        if (metrics->config.aggregating)
            aggregate_after_fork(&metrics->aggregate, child);
        if (metrics->config.sends_datagrams)
            outbox_after_fork(&metrics->outbox, child);
        if (metrics->config.backend == BACKEND_DATADOG)
            intake_after_fork(&metrics->intake, child);
        if (child)
            telemetry_after_fork(metrics);
        pthread_mutex_unlock(&metrics->telemetry.lock);
    }
    scope_after_fork(child);
    pthread_mutex_unlock(&lock);
    if (child)
        random_reseed();
}

static void after_fork_in_parent(void) {
    after_fork(false);
}

static void after_fork_in_child(void) {
    after_fork(true);
}

static void watch_fork(void) {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void clients_add(struct statwit_metrics *metrics) {
    pthread_once(&once, watch_fork);
    pthread_mutex_lock(&lock);
    metrics->next = clients;
    clients = metrics;
    pthread_mutex_unlock(&lock);
}
