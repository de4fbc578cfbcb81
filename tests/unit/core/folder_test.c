#include "core/folder.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void only_this_user_enters(void) {
    char path[64], other[64];
    struct err err = {0};
    struct stat st = {0};
    EQ_INT(folder_private("/tmp", "a test", path, sizeof path, &err), 0);
    EQ_INT(folder_private("/tmp", "a test", other, sizeof other, &err), 0);
    CU_ASSERT(strcmp(path, other) != 0);
    EQ_INT(stat(path, &st), 0);
    EQ_INT(st.st_mode, S_IFDIR | 0700);
    EQ_INT(rmdir(path), 0);
    EQ_INT(rmdir(other), 0);
}

static void what_cannot_be_made_is_told(void) {
    char path[64], little[16];
    struct err err = {0}, cut = {0};
    EQ_INT(folder_private("/nowhere", "a test", path, sizeof path, &err), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "cannot make a folder for a test in /nowhere: No such file"));
    EQ_INT(path[0], '\0');
    EQ_INT(folder_private("/tmp", "a test", little, sizeof little, &cut), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(cut.text, "File name too long"));
}

static void a_long_tmpdir_gives_way(void) {
    setenv("TMPDIR", "/var/tmp", 1);
    CU_ASSERT_STRING_EQUAL(folder_temporary(8), "/var/tmp");
    CU_ASSERT_STRING_EQUAL(folder_temporary(7), "/tmp");
    setenv("TMPDIR", "", 1);
    CU_ASSERT_STRING_EQUAL(folder_temporary(8), "/tmp");
}

UNIT_MAIN("core/folder", {"only this user enters", only_this_user_enters},
          {"what cannot be made is told", what_cannot_be_made_is_told},
          {"a long TMPDIR gives way to /tmp", a_long_tmpdir_gives_way})
