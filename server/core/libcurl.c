#include "core/libcurl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#define SONAME "libcurl.so.4"

static struct libcurl table;
static char missing[160]; /* the function that the library lacks; or why it is not there at all */
static bool absent, uninitialised;
static pthread_once_t once = PTHREAD_ONCE_INIT;

#ifdef STATWIT_LINKED_CURL
static bool fill_table(void) {
    table = (struct libcurl){curl_global_init,   curl_easy_init,    curl_easy_setopt,
                             curl_easy_getinfo,  curl_easy_perform, curl_easy_cleanup,
                             curl_easy_strerror, curl_slist_append, curl_slist_free_all};
    return true;
}
#else
static bool fill_table(void) {
    void *library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
    absent = library == NULL;
    if (absent) {
        snprintf(missing, sizeof missing, "%s", dlerror());
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
            snprintf(missing, sizeof missing, "%s", wanted[i].name);
            return false;
        }
    }
    return true;
}
#endif

static void load_library(void) {
    uninitialised = fill_table() && table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK;
}

const struct libcurl *libcurl_load(const char *needed_by, struct err *err) {
    pthread_once(&once, load_library);
    if (absent)
        err_set(err, 0, "cannot load " SONAME ", which %s needs (%s): install libcurl4", needed_by, missing);
    else if (missing[0])
        err_set(err, 0, SONAME " has no %s: it is not the libcurl that was expected", missing);
    else if (uninitialised)
        err_set(err, 0, "libcurl cannot be initialised");
    else
        return &table;
    return NULL;
}
