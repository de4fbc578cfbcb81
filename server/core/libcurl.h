/* libcurl, for the few who ask others over HTTP: loaded when it is first needed, or linked into the static binary.
 *
 * Ownership: the table lives as long as the process, and so does the library: its TLS library could not be unloaded.
 * Errors: NULL with err, which says who needs it and what to install.
 * Threads: any.
 * Source: decision 13.
 */
#ifndef CORE_LIBCURL_H
#define CORE_LIBCURL_H

#include "core/err.h"

#include <curl/curl.h>

struct libcurl {
    CURLcode (*global_init)(long);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    CURLcode (*easy_perform)(CURL *);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
};

const struct libcurl *libcurl_load(const char *needed_by, struct err *err);

#endif
