#include "emit/curl.h"

#include "emit/error.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define SONAME "libcurl.so.4"

static struct curl table;
static char failure[200];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The static binary has libcurl inside: there is nothing that it could load. */
#ifdef STATWIT_LINKED_CURL
static bool fill_table(void) {
    table = (struct curl){curl_global_init,   curl_easy_init,    curl_easy_setopt,
                          curl_easy_getinfo,  curl_easy_perform, curl_easy_cleanup,
                          curl_easy_strerror, curl_slist_append, curl_slist_free_all};
    return true;
}
#else
static bool fill_table(void) {
    /* Never closed: see the header. */
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(failure, sizeof failure, "cannot load " SONAME ", which HTTP needs (%s): install libcurl4",
                 dlerror());
        return false;
    }
    const struct {
        const char *name;
        void *slot;
    } wanted[] = {
        {"curl_global_init", &table.global_init},       {"curl_easy_init", &table.easy_init},
        {"curl_easy_setopt", &table.easy_setopt},       {"curl_easy_getinfo", &table.easy_getinfo},
        {"curl_easy_perform", &table.easy_perform},     {"curl_easy_cleanup", &table.easy_cleanup},
        {"curl_easy_strerror", &table.easy_strerror},   {"curl_slist_append", &table.slist_append},
        {"curl_slist_free_all", &table.slist_free_all},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        /* POSIX's own way around ISO C's ban on turning an object pointer into a function pointer. */
        *(void **)wanted[i].slot = dlsym(library, wanted[i].name);
        if (!*(void **)wanted[i].slot) {
            snprintf(failure, sizeof failure, SONAME " has no %s: it is not the libcurl that was expected",
                     wanted[i].name);
            return false;
        }
    }
    return true;
}
#endif

static void load(void) {
    if (fill_table() && table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        snprintf(failure, sizeof failure, "libcurl cannot be initialised");
}

const struct curl *curl_load(struct statwit_error *error) {
    pthread_once(&once, load);
    if (!failure[0])
        return &table;
    error_set(error, STATWIT_SYSTEM, "%s", failure);
    return NULL;
}
