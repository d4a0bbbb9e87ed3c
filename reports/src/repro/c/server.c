#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
/* The servers, each of which takes these steps on each connection, and then stays. */
enum { STAY, EXPECT, TAKE, END, SEND, SHUTDOWN, CLOSE, RESET, VANISH, PAUSE, DIAL };
#define PORTS(from, to) ((size_t)(from) << 16 | (to))
static const struct { int what; size_t len; const char *bytes; int first; } steps[] = {
@@STEPS@@
};
static struct { int port, window, first, link, fast_open, listener; } services[] = {
@@SERVICES@@
};
enum {
    SERVICES = sizeof services / sizeof *services,
    STEPS = sizeof steps / sizeof *steps,
    LINKS = @@LINKS@@
};
static struct { int fd, service, step, resumed; size_t done, seen; } connections[32];
static char tails[32][@@LONGEST@@]; /* what came last on each, for EXPECT */
static int connected;
static int dialled[STEPS]; /* the sockets that DIAL connects */
static int near_end[LINKS], served_end[LINKS], vanished[LINKS]; /* the links' descriptors */

static void listen_all(void)
{
    for (int i = 0; i < SERVICES; i++) {
        struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(services[i].port)};
        int off = 0, fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);

        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
        if (services[i].window != 65535)
            setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &services[i].window, sizeof(int));
        if (services[i].fast_open) {
            write_file("/proc/sys/net/ipv4/tcp_fastopen", "3");
            setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &(int){16}, sizeof(int));
        }
        if (bind(fd, (struct sockaddr *)&any, sizeof any) == -1 || listen(fd, 16) == -1)
            lab_failed("a server");
        services[i].listener = fd;
    }
    for (int i = 0; i < STEPS; i++) {
        struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(steps[i].len >> 16)};

        if (steps[i].what != DIAL)
            continue;
        dialled[i] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(dialled[i], IPPROTO_IPV6, IPV6_V6ONLY, &(int){0}, sizeof(int));
        if (bind(dialled[i], (struct sockaddr *)&own, sizeof own) == -1)
            lab_failed("a server");
    }
}

/* Carries packets between the two ends of each link; whether there were any. */
static int carry(void)
{
    static unsigned char packet[65536];
    int moved = 0;

    for (int i = 0; i < LINKS; i++) {
        ssize_t len;

        while (near_end[i] > 0 && served_end[i] > 0 && !vanished[i] &&
               ((len = read(near_end[i], packet, sizeof packet)) > 0
                    ? write(served_end[i], packet, len)
                    : (len = read(served_end[i], packet, sizeof packet)) > 0
                          ? write(near_end[i], packet, len)
                          : -1) != -1)
            moved = 1;
    }
    return moved;
}

/* Reads up to the end of the bytes that are waited for: one by one, since a read ends at an urgent
   mark. */
static int expect_bytes(int c, const char *bytes, size_t wanted)
{
    char byte;

    while (recv(connections[c].fd, &byte, 1, MSG_DONTWAIT) == 1) {
        if (connections[c].seen == wanted)
            memmove(tails[c], tails[c] + 1, --connections[c].seen);
        tails[c][connections[c].seen++] = byte;
        if (connections[c].seen == wanted && memcmp(tails[c], bytes, wanted) == 0) {
            connections[c].seen = 0;
            return 1;
        }
    }
    return 0;
}

/* Opens a connection to the host that this one is with: once for each step that does. */
static void dial(int c)
{
    int step = connections[c].step;
    struct sockaddr_in6 peer;
    socklen_t len = sizeof peer;

    if (connected == 32 || getpeername(connections[c].fd, (struct sockaddr *)&peer, &len) == -1)
        return;
    peer.sin6_port = htons(steps[step].len & 65535);
    connect(dialled[step], (struct sockaddr *)&peer, len);
    connections[connected].fd = dialled[step];
    connections[connected].service = connections[c].service;
    connections[connected++].step = steps[step].first;
}

/* Takes the next step of a connection; whether anything was done. */
static int advance(int c)
{
    static char room[65536];
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    int fd = connections[c].fd, what = steps[connections[c].step].what, finished = 0;
    size_t len = steps[connections[c].step].len, left = len - connections[c].done;
    const char *bytes = steps[connections[c].step].bytes;
    ssize_t n = 0;

    switch (what) {
    case EXPECT:
        finished = expect_bytes(c, bytes, len);
        break;
    case TAKE:
        n = recv(fd, room, left < sizeof room ? left : sizeof room, MSG_DONTWAIT);
        finished = n > 0 && (size_t)n == left;
        break;
    case END:
        finished = recv(fd, room, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
        break;
    case SEND:
        n = send(fd, bytes + connections[c].done, left, MSG_DONTWAIT | MSG_NOSIGNAL);
        finished = n > 0 && (size_t)n == left;
        break;
    case SHUTDOWN:
        finished = 1;
        shutdown(fd, SHUT_WR);
        break;
    case RESET:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
        /* fall through */
    case CLOSE:
        carry(); /* what was sent arrives first */
        close(fd);
        connections[c].fd = -1;
        return 1;
    case VANISH:
        carry();
        vanished[services[connections[c].service].link] = 1;
        finished = 1;
        break;
    case DIAL:
        dial(c);
        finished = 1;
        break;
    case PAUSE:
        finished = connections[c].resumed > 0;
        connections[c].resumed -= finished;
        break;
    }
    connections[c].done += n > 0 ? (size_t)n : 0;
    if (finished) {
        connections[c].step++;
        connections[c].done = 0;
    }
    return finished || n > 0;
}

static int serve_once(void)
{
    int moved = carry(), on = 1;

    for (int i = 0; i < SERVICES; i++) {
        int fd = connected < 32 ? accept(services[i].listener, NULL, NULL) : -1;

        if (fd == -1)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on); /* in its place */
        connections[connected].fd = fd;
        connections[connected].service = i;
        connections[connected++].step = services[i].first;
        moved = 1;
    }
    for (int c = 0; c < connected; c++)
        while (connections[c].fd != -1 && advance(c))
            moved = 1;
    return moved;
}

/* The far end does what there is to do, until a millisecond passes with nothing. */
static void serve_all(void)
{
    int saved = errno;

    do
        while (serve_once())
            continue;
    while (poll(NULL, 0, 1) == 0 && serve_once());
    errno = saved;
}
