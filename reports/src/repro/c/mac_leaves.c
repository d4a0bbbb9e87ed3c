#include <stdio.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
/* To whom the calls send without naming an interface; a length of 0 is the default route. */
static const struct { const char *ip; int len; } destinations[] = {
@@DESTINATIONS@@
};

/* Whether an interface is loopback, or the lab's. */
static int is_ours(unsigned index)
{
    char name[IF_NAMESIZE] = "";

    if (if_indextoname(index, name) == NULL || strcmp(name, "lo0") == 0)
        return 1;
@MacLinks     for (size_t i = 0; i < sizeof links / sizeof *links; i++)
@MacLinks         if (strcmp(name, links[i].name) == 0)
@MacLinks             return 1;
    return 0;
}

/* Ends the program before anything of it leaves by an interface that it did not make. */
static void nothing_leaves(void)
{
    char name[IF_NAMESIZE];

    for (size_t i = 0; i < sizeof destinations / sizeof *destinations; i++) {
        unsigned index = route_get(destinations[i].ip, destinations[i].len, 0);

        if (index == 0 || is_ours(index))
            continue;
        fprintf(stderr, "not tried: %s would be reached by %s, which this program did not make\n",
                destinations[i].ip, if_indextoname(index, name) ? name : "another interface");
        exit(2);
    }
}
