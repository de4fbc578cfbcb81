#include "emit/metrics.h"

void statwit_health(struct statwit_metrics *metrics, struct statwit_health *health) {
    *health = (struct statwit_health){0};
    if (!metrics)
        return;
    if (metrics->config.aggregating)
        health->metrics += aggregate_n_metrics(&metrics->aggregate);
    if (metrics->config.sends_datagrams)
        outbox_count(&metrics->outbox, &health->metrics, &health->waiting_bytes);
    if (metrics->config.backend == BACKEND_DATADOG)
        health->waiting_bytes = intake_waiting_bytes(&metrics->intake);
    health_read(&metrics->health, health);
}
