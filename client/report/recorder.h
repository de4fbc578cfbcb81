/* What a recorder is, for the files of this folder. */
#ifndef CLIENT_REPORT_RECORDER_H
#define CLIENT_REPORT_RECORDER_H

#include "emit/curl.h"
#include <pthread.h>
#include <sys/types.h>

struct statwit_recorder {
    char *url, *token, *ca_file;
    int timeout_ms;
    pthread_mutex_t lock; /* one request at a time */
    const struct curl *curl;
    CURL *handle;
    pid_t pid; /* whose handle it is: a child of fork opens one of its own */
};

#endif
