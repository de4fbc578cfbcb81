/* libcurl, loaded when first needed: linking it would cost every start of a program 6 ms and 3 MB, also those
 * that never speak HTTP.
 *
 * Ownership: the table lives as long as the process; the library is never unloaded (its TLS library could not be).
 * Threads: any; loading and curl_global_init happen once.
 */
#ifndef CLIENT_EMIT_CURL_H
#define CLIENT_EMIT_CURL_H

#include "statwit.h"
#include <curl/curl.h>

struct curl {
    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *handle, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *handle, CURLINFO info, ...);
    CURLcode (*easy_perform)(CURL *handle);
    void (*easy_cleanup)(CURL *handle);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *line);
    void (*slist_free_all)(struct curl_slist *list);
};

/* NULL and an error when there is no libcurl.so.4, or not all of it. */
const struct curl *curl_load(struct statwit_error *error);

#endif
