#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
static int under_way;            /* how many packets loopback has taken and not handed over */
static char heard[IF_NAMESIZE];  /* the link of the last frame */
static const char *awaited;      /* a link of which a frame is waited for, until there is one */
@!Observed static int latest; /* the last step that was looked at */

/* A packet socket (packet(7)): it sees what passes each link of this network, as tcpdump(8) does. */
static void watch_wire(void)
{
    struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int room = 4 << 20;

    (void)look; /* there may be no call */
    wire = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) == -1)
        setsockopt(wire, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (wire != -1 && bind(wire, (struct sockaddr *)&all, sizeof all) == -1) {
        close(wire);
        wire = -1;
    }
@Observed     if (wire == -1) { /* calls alone are no evidence of what left */
@Observed         fputs("not tried: no packet socket is to be had, and no frame can be seen\n", stderr);
@Observed         exit(2);
@Observed     }
}

/* Whether the frame is one that was sent before and was not answered. */
static int is_again(const char *link)
{
    static unsigned long long past[512];
    static size_t kept;
    unsigned long long hash = frame_seq;

    for (size_t i = 0; link[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)link[i]) * 1099511628211u;
    for (size_t i = 0; frame[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)frame[i]) * 1099511628211u;
    for (size_t i = 0; i < kept; i++)
        if (past[i] == hash)
            return 1;
    if (kept < sizeof past / sizeof *past)
        past[kept++] = hash;
    return 0;
}

/* Links with a server. This program's is another TCP than sockeye's: its windows and acknowledgments
   decide how data is cut, so that there only what begins and ends a connection is compared. */
static const char *const served[] = {@@SERVED@@NULL};

static int of_server(const char *link, int what)
{
    char *flags = strstr(frame, " TCP "), *len;
    size_t i = 0;

    while (served[i] != NULL && strcmp(served[i], link) != 0)
        i++;
    flags = flags == NULL || served[i] == NULL ? NULL : strstr(flags, " [");
    len = flags == NULL ? NULL : strstr(flags, "] ");
    if (len == NULL)
        return what;
    len[1] = '\0';
    return strcspn(flags, "SFR") < strlen(flags) ? what : NEVER;
}

/* Prints the next frame, beneath the call that caused it; whether there was one. */
static int look_once(int op)
{
    static unsigned char bytes[65536 + 64];
    struct sockaddr_ll from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len = recvfrom(wire, bytes, sizeof bytes, MSG_DONTWAIT, (struct sockaddr *)&from,
                           &from_len);
    int out = from.sll_pkttype == PACKET_OUTGOING, is_lo = 0, what;

@!Observed     (void)op;
    if (len == -1)
        return errno == ENETDOWN; /* a link went down, which is said once */
    if (if_indextoname((unsigned)from.sll_ifindex, heard) == NULL)
        snprintf(heard, sizeof heard, "if%d", from.sll_ifindex);
    if (awaited != NULL && strcmp(heard, awaited) == 0)
        awaited = NULL;
    is_lo = strcmp(heard, "lo") == 0;
    if (is_lo)
        under_way += out ? 1 : -1;
    what = of_server(heard, say_frame(ntohs(from.sll_protocol), bytes, (size_t)len));
    /* Loopback shows each packet twice. */
    if (what == NEVER || (is_lo && !out) || (out && what == ONCE && is_again(heard)))
        return 1;
    printf("    %c %s %s\n", out ? '>' : '<', heard, frame);
@Observed     if (out)
@Observed         compare_frame(op, heard);
    return 1;
}

/* Prints what has passed the links, until all has that the call has caused. */
static void look(int op)
{
    struct pollfd more = {.fd = wire, .events = POLLIN};
    int saved = errno, moved = wire != -1;
@Observed     int patience = 100; /* of 10 ms: what waits for an answer of the link's comes behind it */

    latest = op;
    while (moved) {
        moved = 0;
@FarEnd         answer_all();
        while (look_once(op))
            moved = 1;
        moved = moved || (under_way > 0 && poll(&more, 1, 20) == 1);
@Observed         if (!moved && is_awaited(op) && patience-- > 0) {
@Observed             poll(&more, 1, 10);
@Observed             moved = 1;
@Observed         }
    }
    under_way = 0;
    errno = saved;
}
