#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
/* The descriptors in the order in which they are made: an event's data is the number of one. */
static const char *const made[] = {
@@MADE@@
};

/* The events that epoll_wait gave, in that order: it has none of its own. */
static void ready(const struct epoll_event *events, int count)
{
    static const struct { uint32_t bit; const char *name; } names[] = {
#define NAME(e) {e, #e}
        NAME(EPOLLIN), NAME(EPOLLPRI), NAME(EPOLLOUT), NAME(EPOLLERR), NAME(EPOLLHUP),
        NAME(EPOLLRDHUP), NAME(EPOLLRDNORM), NAME(EPOLLRDBAND), NAME(EPOLLWRNORM),
        NAME(EPOLLWRBAND), NAME(EPOLLMSG),
#undef NAME
    };

    for (size_t n = 0; n < sizeof made / sizeof *made; n++)
        for (int i = 0; i < count; i++) {
            char set[160] = "", text[256];

            if (events[i].data.u64 != n)
                continue;
            for (size_t j = 0; j < sizeof names / sizeof *names; j++)
                if (events[i].events & names[j].bit)
                    strcat(strcat(set, *set ? "|" : ""), names[j].name);
            snprintf(text, sizeof text, "%s %s", made[n], *set ? set : "0");
            listed(text);
        }
@Observed     list_ends();
}
