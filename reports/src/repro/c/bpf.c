#include <errno.h>
#include <fcntl.h>
#include <net/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
enum { BPF_ROOM = 1 << 18 };
static unsigned bpf_room; /* of a device's buffer: each read asks for all of it */

/* BPF (bpf(4)) on an interface, by the first device that nobody has; -1 if there is none. Of a far end
   frames to whomever are wanted, and what is written is not read back. */
static int bpf_open(const char *interface, int is_far_end)
{
    struct ifreq with = {.ifr_name = ""};
    unsigned on = 1, off = 0;
    char path[32];
    int fd = -1, error;

    for (int i = 0; fd == -1 && i < 256; i++) {
        snprintf(path, sizeof path, "/dev/bpf%d", i);
        fd = open(path, O_RDWR | O_NONBLOCK);
        if (fd == -1 && errno != EBUSY)
            return -1;
    }
    snprintf(with.ifr_name, sizeof with.ifr_name, "%s", interface);
    bpf_room = BPF_ROOM; /* before there is an interface; the kernel may give less */
    if (ioctl(fd, BIOCSBLEN, &bpf_room) != -1 && ioctl(fd, BIOCGBLEN, &bpf_room) != -1 &&
        ioctl(fd, BIOCSETIF, &with) != -1 && ioctl(fd, BIOCIMMEDIATE, &on) != -1 &&
        ioctl(fd, BIOCSHDRCMPLT, &on) != -1 &&
        (!is_far_end || (ioctl(fd, BIOCSSEESENT, &off) != -1 && ioctl(fd, BIOCPROMISC, NULL) != -1)))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}
