/* argv -> command. */
#include "command/command.h"
#include <fcntl.h>
#include <unistd.h>

/* A standard stream that is closed becomes /dev/null: else a socket would get its number, and our words or lines. */
static void open_standard_streams(void) {
    int fd;
    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
        ;
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv) {
    open_standard_streams();
    return command_main(argc, argv);
}
