#include <netdb.h>
#include <stdio.h>
/* One line for a call whose errors are those of names. */
static void looked_up(int op, const char *call, int ret)
{
    static const struct { int value; const char *name; } names[] = {
#define NAME(e) {e, #e}
        NAME(EAI_AGAIN), NAME(EAI_BADFLAGS), NAME(EAI_FAIL), NAME(EAI_FAMILY), NAME(EAI_MEMORY),
        NAME(EAI_NONAME), NAME(EAI_OVERFLOW), NAME(EAI_SERVICE), NAME(EAI_SOCKTYPE),
        NAME(EAI_SYSTEM),
#ifdef EAI_NODATA
        NAME(EAI_NODATA),
#endif
#ifdef EAI_ADDRFAMILY
        NAME(EAI_ADDRFAMILY),
#endif
#undef NAME
    };
    char other[32];
    const char *name = other;

    snprintf(other, sizeof other, "EAI %d", ret);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].value == ret)
            name = names[i].name;
    if (ret == 0)
        printf("#%d %s = 0\n", op, call);
    else
        printf("#%d %s = %d %s (%s)\n", op, call, ret, name, gai_strerror(ret));
@Observed     compare(op, ret, ret == 0 ? "" : name);
@Wire     look(op);
}
