#include <stdlib.h>
/*
 * Adds a route; 0 if the lab has it already. If somebody else has one to there, that one stays and the
 * program ends.
 */
static int route_send(struct route_message *m, const char *prefix, int len)
{
    int fd = socket(PF_ROUTE, SOCK_RAW, 0);
    ssize_t sent;
    int ours;

    shutdown(fd, SHUT_RD);
    sent = write(fd, m, m->head.rtm_msglen);
    ours = sent == -1 && errno == EEXIST && m->head.rtm_index != 0 &&
           route_get(prefix, len, m->head.rtm_index) == m->head.rtm_index;
    if (sent == -1 && !ours && errno == EEXIST) {
        fprintf(stderr, "not tried: this host has a route to %s already, which the lab would take\n",
                prefix);
        exit(2);
    }
    if (sent == -1 && !ours)
        no_lab(prefix, errno);
    close(fd);
    return sent != -1;
}
