#include "core/folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *folder_temporary(size_t max) {
    const char *given = getenv("TMPDIR");
    return given && *given && strlen(given) <= max ? given : "/tmp";
}

int folder_private(const char *where, const char *purpose, char *path, size_t size, struct err *err) {
    int n = snprintf(path, size, "%s/statwit-XXXXXX", where);
    bool fits = n > 0 && (size_t)n < size;
    if (fits && mkdtemp(path))
        return 0;
    int why = fits ? errno : ENAMETOOLONG;
    path[0] = '\0';
    return err_set(err, why, "cannot make a folder for %s in %.200s", purpose, where);
}
