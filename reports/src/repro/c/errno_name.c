#include <errno.h>
#include <stddef.h>
#include <stdio.h>
/* An errno by its name. */
static const char *errno_name(int error)
{
    static const struct { int value; const char *name; } names[] = {
#define NAME(e) {e, #e}
        NAME(E2BIG), NAME(EACCES), NAME(EADDRINUSE), NAME(EADDRNOTAVAIL), NAME(EAFNOSUPPORT),
        NAME(EAGAIN), NAME(EALREADY), NAME(EBADF), NAME(EBADMSG), NAME(EBUSY), NAME(ECANCELED),
        NAME(ECONNABORTED), NAME(ECONNREFUSED), NAME(ECONNRESET), NAME(EDESTADDRREQ), NAME(EDOM),
        NAME(EEXIST), NAME(EFAULT), NAME(EFBIG), NAME(EHOSTDOWN), NAME(EHOSTUNREACH),
        NAME(EINPROGRESS), NAME(EINTR), NAME(EINVAL), NAME(EIO), NAME(EISCONN), NAME(EISDIR),
        NAME(ELOOP), NAME(EMFILE), NAME(EMSGSIZE), NAME(ENAMETOOLONG), NAME(ENETDOWN),
        NAME(ENETRESET), NAME(ENETUNREACH), NAME(ENFILE), NAME(ENOBUFS), NAME(ENODEV),
        NAME(ENOENT), NAME(ENOMEM), NAME(ENOPROTOOPT), NAME(ENOSPC), NAME(ENOSYS),
        NAME(ENOTCONN), NAME(ENOTDIR), NAME(ENOTSOCK), NAME(ENOTTY), NAME(ENXIO),
        NAME(EOPNOTSUPP), NAME(EPERM), NAME(EPFNOSUPPORT), NAME(EPIPE), NAME(EPROTO),
        NAME(EPROTONOSUPPORT), NAME(EPROTOTYPE), NAME(ERANGE), NAME(EROFS), NAME(ESHUTDOWN),
        NAME(ESOCKTNOSUPPORT), NAME(ESRCH), NAME(ESTALE), NAME(ETIMEDOUT), NAME(ETOOMANYREFS),
        NAME(EXDEV),
#ifdef ENODATA
        NAME(ENODATA),
#endif
#ifdef ENONET
        NAME(ENONET),
#endif
#ifdef ENOTSUP
        NAME(ENOTSUP),
#endif
#ifdef EREMOTEIO
        NAME(EREMOTEIO),
#endif
#undef NAME
    };
    static char other[32];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].value == error)
            return names[i].name;
    snprintf(other, sizeof other, "errno %d", error);
    return other;
}
