#include <stdlib.h>
static struct route_message added[64]; /* the routes that this program added */
static int adds;

/* Takes them away again; those that went with a link are gone. */
static void undo_routes(void)
{
    int fd = adds > 0 ? socket(PF_ROUTE, SOCK_RAW, 0) : -1;

    while (adds > 0) {
        struct route_message *m = &added[--adds];

        m->head.rtm_type = RTM_DELETE;
        if (write(fd, m, m->head.rtm_msglen) == -1 && errno != ESRCH)
            perror("a route of the lab's is left");
    }
}

/* Adds a route, and remembers it if it was not there. */
static void route_add(struct route_message *m, const char *prefix, int len)
{
    if (adds == sizeof added / sizeof *added)
        no_lab(prefix, ENOBUFS);
    if (route_send(m, prefix, len))
        added[adds++] = *m;
}
