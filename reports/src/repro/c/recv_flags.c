#include <string.h>
#include <sys/socket.h>
/* The flags that recvmsg set. */
static void recv_flags(int flags)
{
    static const struct { int bit; const char *name; } names[] = {
#ifdef MSG_CMSG_CLOEXEC
        {MSG_CMSG_CLOEXEC, "MSG_CMSG_CLOEXEC"},
#endif
        {MSG_CTRUNC, "MSG_CTRUNC"}, {MSG_EOR, "MSG_EOR"},
#ifdef MSG_ERRQUEUE
        {MSG_ERRQUEUE, "MSG_ERRQUEUE"},
#endif
        {MSG_OOB, "MSG_OOB"},
        {MSG_TRUNC, "MSG_TRUNC"},
    };
    char text[96] = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flags & names[i].bit)
            strcat(strcat(text, *text ? "|" : ""), names[i].name);
    if (*text)
        value("flags %s", text);
}
