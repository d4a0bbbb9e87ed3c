#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* The descriptor of a file without a name that has these bytes, at its start. */
static int file_of(const void *bytes, size_t len)
{
    FILE *file = tmpfile();
    int fd = -1;

    if (file != NULL && fwrite(bytes, 1, len, file) == len && fflush(file) == 0)
        fd = fcntl(fileno(file), F_DUPFD_CLOEXEC, 0);
    if (fd == -1 || fclose(file) != 0 || lseek(fd, 0, SEEK_SET) == -1) {
        fputs("not tried: no file can be made\n", stderr);
        exit(2);
    }
    return fd;
}
