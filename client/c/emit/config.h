/* The settings of a client: the options, completed from the environment and with defaults.
 *
 * Ownership: everything in it is copied; config_free frees it. Immutable once made.
 * Errors: config_make fills the error; then nothing is left to be freed.
 */
#ifndef CLIENT_EMIT_CONFIG_H
#define CLIENT_EMIT_CONFIG_H

#include "emit/line.h"
#include "emit/wire.h"

enum backend { BACKEND_DUMMY, BACKEND_LOGGING, BACKEND_STATSD, BACKEND_DOGSTATSD, BACKEND_DATADOG };

#define CONFIG_ALLOCATIONS 64

struct config {
    enum backend backend;
    struct statwit_options options; /* no string in it is NULL but those that mean "none" */
    const char *wire_tags;          /* of the environment, cleaned, joined by commas; "" */
    const char *wire_fields;        /* |c:… |e:…; "" */
    bool aggregating;               /* options.aggregate on a backend that can */
    bool sends_datagrams;
    void *allocations[CONFIG_ALLOCATIONS];
    size_t n_allocations;
    bool failed; /* an allocation */
};

int config_make(struct config *config, const struct statwit_options *options, struct wire *wire,
                struct statwit_error *error);
/* A copy that lives as long as the config; NULL for NULL. */
char *config_string(struct config *config, const char *string);
/* bytes that live as long as the config; NULL: memory is out, and failed is set. */
void *config_alloc(struct config *config, size_t size);
void config_free(struct config *config);

/* environment.c: fills what the options left out. */
void environment_apply(struct config *config);

#endif
