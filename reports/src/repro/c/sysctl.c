#include <stdio.h>
#include <stdlib.h>
/* As "sysctl -w" does, in the network that this program has made. A kernel without the setting ends it. */
static void set_sysctl(const char *path, const char *value)
{
    if (access(path, W_OK) != 0) {
        printf("this kernel has no %s that may be set\n", path);
        exit(2);
    }
    write_file(path, value);
}
