#include <stdlib.h>
/* Adds the route. If somebody else has one to there, that one stays and the program ends. */
static void route_send(struct route_message *m, const char *prefix, int len)
{
    int fd = socket(PF_ROUTE, SOCK_RAW, 0);
    ssize_t sent;

    shutdown(fd, SHUT_RD);
    sent = write(fd, m, m->head.rtm_msglen);
    if (sent == -1 && errno == EEXIST && m->head.rtm_index != 0 &&
        route_get(prefix, len, m->head.rtm_index) == m->head.rtm_index)
        sent = 0; /* it is the lab's already */
    if (sent == -1 && errno == EEXIST) {
        fprintf(stderr, "not tried: this host has a route to %s already, which the lab would take\n",
                prefix);
        exit(2);
    }
    if (sent == -1)
        no_lab(prefix, errno);
    close(fd);
}
