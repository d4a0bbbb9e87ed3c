#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>
/* Acts with all that is permitted but these; capset(2), which the C library has no function for. */
static int act_without(unsigned capabilities)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];

    if (syscall(SYS_capget, &head, sets) == -1)
        return -1;
    sets[0].effective = sets[0].permitted & ~capabilities;
    return (int)syscall(SYS_capset, &head, sets);
}
