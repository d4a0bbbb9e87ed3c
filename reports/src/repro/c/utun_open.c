#include <net/if_utun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/kern_control.h>
#include <sys/socket.h>
#include <sys/sys_domain.h>
/* A utun link, which exists as long as its descriptor is open. */
static int utun_open(unsigned unit)
{
    struct sockaddr_ctl at = {.sc_len = sizeof at, .sc_family = AF_SYSTEM};
    struct ctl_info info = {.ctl_name = UTUN_CONTROL_NAME};
    int fd = socket(PF_SYSTEM, SOCK_DGRAM, SYSPROTO_CONTROL);

    if (fd == -1 || ioctl(fd, CTLIOCGINFO, &info) == -1) {
        perror("the lab cannot be made: utun");
        exit(3);
    }
    at.ss_sysaddr = AF_SYS_CONTROL;
    at.sc_id = info.ctl_id;
    at.sc_unit = unit + 1;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == -1) {
        perror("the lab cannot be made: utun (run this program as root)");
        exit(3);
    }
    return fd;
}
