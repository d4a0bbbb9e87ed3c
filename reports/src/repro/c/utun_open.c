#include <fcntl.h>
#include <net/if_utun.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/socket.h>
#include <sys/sys_domain.h>
/* A utun that nobody has: the kernel chooses its number. It exists as long as its descriptor is open. */
static void utun_open(int link)
{
    struct sockaddr_ctl at = {.sc_len = sizeof at, .sc_family = AF_SYSTEM};
    struct ctl_info info = {.ctl_name = UTUN_CONTROL_NAME};
    socklen_t len = sizeof links[link].name;
    unsigned pending = 256; /* how many packets may wait to be read, each in a read of its own */
    int fd = socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL);

    if (fd == -1 || ioctl(fd, CTLIOCGINFO, &info) == -1)
        no_lab("a utun", errno);
    at.ss_sysaddr = AF_SYS_CONTROL;
    at.sc_id = info.ctl_id;
    at.sc_unit = 0;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == -1 ||
        getsockopt(fd, SYSPROTO_CONTROL, UTUN_OPT_IFNAME, links[link].name, &len) == -1 ||
        setsockopt(fd, SYSPROTO_CONTROL, UTUN_OPT_MAX_PENDING_PACKETS, &pending, sizeof pending) == -1 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
        no_lab("a utun", errno);
    links[link].index = if_nametoindex(links[link].name);
    links[link].fd = fd;
}
