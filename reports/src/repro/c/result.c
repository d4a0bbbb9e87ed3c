#include <errno.h>
#include <stdio.h>
@Deadline #include <stdlib.h>
#include <string.h>
/* One line for a call: what it returned, and errno. */
static void result(int op, const char *call, long long ret)
{
    int error = ret == -1 ? errno : 0;
@Observed,Pipe     char what[64];

@Acting     end_acting();
@Deadline     if (error == EINTR && timed_out) {
@Deadline         printf("#%d %s = hung\n", op, call);
@Deadline,Observed         compare(op, -1, "hung");
@Deadline,Observed,Wire         look(op);
@Deadline,Observed         exit(verdict());
@Deadline,!Observed         puts("no verdict: nothing was observed that this could be compared with");
@Deadline,!Observed         exit(0);
@Deadline     }
    if (ret == -1)
        printf("#%d %s = -1 %s (%s)\n", op, call, errno_name(error), strerror(error));
    else
        printf("#%d %s = %lld\n", op, call, ret);
@Pipe     if (pipe_broke)
@Pipe         printf("    -> SIGPIPE\n");
@Observed,!Pipe     compare(op, ret, ret == -1 ? errno_name(error) : "");
@Observed,Pipe     snprintf(what, sizeof what, "%s%s", ret == -1 ? errno_name(error) : "",
@Observed,Pipe              pipe_broke ? " SIGPIPE" : "");
@Observed,Pipe     compare(op, ret, what);
@Pipe     pipe_broke = 0;
@FarEnd     answer_all();
@Server     serve_all();
@Wire     look(op);
}
