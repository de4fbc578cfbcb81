#include "core/log.h"

#include "unit.h"
#include <fcntl.h>
#include <pty.h>
#include <sys/mman.h>
#include <unistd.h>

static char output[16384];

/* What log_line writes when stderr is fd; fd is read back from its start, or as a terminal's other end. */
static const char *log_to(int fd, int read_fd, enum log_level level, const char *text) {
    fflush(stderr);
    int saved = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
    log_line(level, "%s", text);
    dup2(saved, STDERR_FILENO);
    close(saved);
    if (fd == read_fd)
        lseek(fd, 0, SEEK_SET);
    ssize_t n = read(read_fd, output, sizeof output - 1);
    output[n > 0 ? n : 0] = '\0';
    return output;
}

static const char *logged(enum log_level level, const char *text) {
    int fd = memfd_create("log", MFD_CLOEXEC);
    log_to(fd, fd, level, text);
    close(fd);
    return output;
}

static void test_format(void) {
    EQ_STR(logged(LOG_ERROR, "no port"), "statwit: error: no port\n");
    EQ_STR(logged(LOG_WARNING, "small buffer"), "statwit: warning: small buffer\n");
    EQ_STR(logged(LOG_INFO, ""), "statwit: info: \n");
}

static void test_level(void) {
    EQ_STR(logged(LOG_DEBUG, "x"), "");
    log_set_level(LOG_DEBUG);
    EQ_STR(logged(LOG_DEBUG, "x"), "statwit: debug: x\n");
    log_set_level(LOG_ERROR);
    EQ_STR(logged(LOG_WARNING, "x"), "");
    log_set_level(LOG_INFO);
    EQ_INT(log_level_of("error"), LOG_ERROR);
    EQ_INT(log_level_of("debug"), LOG_DEBUG);
    EQ_INT(log_level_of("loud"), -1);
    EQ_INT(log_level_of(""), -1);
}

static void test_control_characters(void) {
    static const struct {
        const char *text, *shown;
    } table[] = {
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\033[2J\033]0;title\a", "\\x1b[2J\\x1b]0;title\\x07"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "2J",
         "\\xc2\\x9b2J"}, /* U+009B, a terminal command in one character */
        {"\x9b"
         "2J",
         "\\x9b2J"}, /* the same in an 8-bit terminal */
        {"\xff\xc3", "\\xff\\xc3"},
        {"\xc2\xa0\xc3\xa9\xe2\x82\xac", "\xc2\xa0\xc3\xa9\xe2\x82\xac"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char want[128];
        snprintf(want, sizeof want, "statwit: info: %s\n", table[i].shown);
        EQ_STR(logged(LOG_INFO, table[i].text), want);
    }
}

static void test_long(void) {
    static char text[100000];
    memset(text, '\1', sizeof text - 1);
    const char *line = logged(LOG_INFO, text);
    CU_ASSERT(strlen(line) > 4000 && strlen(line) < sizeof output - 1);
    CU_ASSERT(line[strlen(line) - 1] == '\n');
}

static void test_colour(void) {
    int terminal, program;
    CU_ASSERT_FATAL(openpty(&terminal, &program, NULL, NULL, NULL) == 0);
    unsetenv("NO_COLOR");
    EQ_STR(log_to(program, terminal, LOG_WARNING, "x"), "\033[1;33mstatwit: warning:\033[0m x\r\n");
    setenv("NO_COLOR", "1", 1);
    EQ_STR(log_to(program, terminal, LOG_WARNING, "x"), "statwit: warning: x\r\n");
    setenv("NO_COLOR", "", 1); /* empty counts as not set */
    EQ_STR(log_to(program, terminal, LOG_ERROR, "x"), "\033[1;31mstatwit: error:\033[0m x\r\n");
    unsetenv("NO_COLOR");
    close(program);
    close(terminal);
}

UNIT_MAIN("core/log", {"one line with its level", test_format}, {"levels", test_level},
          {"nothing drives the terminal", test_control_characters}, {"long lines are cut", test_long},
          {"colour on a terminal only", test_colour})
