#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
/* The case acts for this user: root alone may, where there is such a user. */
static void need_user(uid_t uid)
{
    if (geteuid() == 0 && seteuid(uid) == 0 && seteuid(0) == 0)
        return;
    fprintf(stderr, "not tried: the program cannot act for user %u: %s\n", (unsigned)uid,
            strerror(geteuid() == 0 ? errno : EPERM));
    exit(2);
}
