#include <errno.h>
#include <stdio.h>
#include <string.h>
/* One line for a call that returns 0 where it fails, and errno. */
static void index_result(int op, const char *call, long long ret)
{
    int error = ret == 0 ? errno : 0;

    if (error != 0)
        printf("#%d %s = 0 %s (%s)\n", op, call, errno_name(error), strerror(error));
    else
        printf("#%d %s = %lld\n", op, call, ret);
@Observed     compare(op, ret, error != 0 ? errno_name(error) : "");
@Wire     look(op);
}
