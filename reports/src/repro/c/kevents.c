#include <stdint.h>
#include <string.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/types.h>
/* The events that kevent gave, in the order of the changes that asked for them. */
static void kevents(const struct kevent *events, int count, int changes)
{
    static const struct { int bit; const char *name; } names[] = {
        {EV_EOF, "EV_EOF"}, {EV_ERROR, "EV_ERROR"}, {EV_OOBAND, "EV_OOBAND"}, {EV_ADD, "EV_ADD"},
        {EV_ENABLE, "EV_ENABLE"}, {EV_DISABLE, "EV_DISABLE"}, {EV_ONESHOT, "EV_ONESHOT"},
        {EV_CLEAR, "EV_CLEAR"}, {EV_RECEIPT, "EV_RECEIPT"}, {EV_DISPATCH, "EV_DISPATCH"},
    };
    static const char *filters[] = {"EVFILT_READ", "EVFILT_WRITE", "EVFILT_EXCEPT"};

    for (int k = 0; k < changes * count; k++) {
        const struct kevent *e = &events[k % count];
        const char *filter = filters[e->filter == EVFILT_READ ? 0 : e->filter == EVFILT_WRITE ? 1 : 2];
        const char *fflags = e->fflags & NOTE_LOWAT ? "NOTE_LOWAT" : "";
        char flags[128] = "", both[32] = "";

        if (e->udata != (void *)(uintptr_t)(k / count))
            continue;
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (e->flags & names[i].bit)
                strcat(strcat(flags, *flags ? "|" : ""), names[i].name);
        if (e->flags & EV_EOF && e->fflags != 0)
            fflags = errno_name((int)e->fflags);
        else if (e->fflags & NOTE_OOB)
            fflags = strcat(strcat(strcpy(both, fflags), *fflags ? "|" : ""), "NOTE_OOB");
        if (e->flags & EV_ERROR)
            value("%s %s %s %s", filter, *flags ? flags : "0", *fflags ? fflags : "0",
                  errno_name((int)e->data));
        else
            value("%s %s %s %lld", filter, *flags ? flags : "0", *fflags ? fflags : "0",
                  (long long)e->data);
    }
}
