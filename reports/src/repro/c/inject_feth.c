#include <fcntl.h>
#include <net/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
/* The far end puts a frame on a feth link, by bpf(4) on its peer. */
static void inject_feth(const char *peer, const void *frame, size_t len)
{
    struct ifreq with = {.ifr_name = ""};
    char path[32];
    int fd = -1;
    unsigned complete = 1;

    for (int i = 0; fd == -1 && i < 256; i++) {
        snprintf(path, sizeof path, "/dev/bpf%d", i);
        fd = open(path, O_RDWR);
    }
    snprintf(with.ifr_name, sizeof with.ifr_name, "%s", peer);
    if (fd == -1 || ioctl(fd, BIOCSETIF, &with) == -1 || ioctl(fd, BIOCSHDRCMPLT, &complete) == -1)
        no_lab("bpf", errno);
    if (write(fd, frame, len) == -1)
        perror("    (the frame did not arrive)");
    close(fd);
}
