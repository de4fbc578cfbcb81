/* What calls on a recorder or a session that is not there report: why it could not be opened. */
#include "emit/error.h"
#include "report/recorder.h"
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct statwit_error newest; /* why the newest one could not be opened */

void missing_keep(const struct statwit_error *why, struct statwit_error *error) {
    pthread_mutex_lock(&lock);
    newest = *why;
    pthread_mutex_unlock(&lock);
    if (error)
        *error = *why;
}

int missing_tell(struct statwit_error *error) {
    pthread_mutex_lock(&lock);
    struct statwit_error why = newest;
    pthread_mutex_unlock(&lock);
    if (!why.text[0])
        error_set(&why, STATWIT_INVALID, "there is no recorder or session: NULL was given");
    if (error)
        *error = why;
    return -1;
}
