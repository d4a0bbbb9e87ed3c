#include <errno.h>
#include <net/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
static int loopback = -1; /* BPF on lo0 */

/* A frame that the host sent; of loopback, whose number is -1, a packet behind its family. */
static void take(int link, const unsigned char *bytes, size_t len)
{
@FarEnd     static unsigned char f[65536];
@FarEnd     size_t size;
@FarEnd 
    if (link == -1 && len > 4 && is_of_a_socket(bytes + 4, len - 4))
        keep(link, 1, bytes + 4, len - 4);
    if (link == -1)
        return;
    keep(link, 1, bytes, len);
@FarHeard     hears(link, bytes, len);
@FarEnd     memcpy(f, bytes, len < sizeof f ? len : sizeof f);
@FarEnd     size = len < sizeof f ? answer(link, f, (ssize_t)len) : 0;
@FarEnd     if (size > 0)
@FarEnd         far_write(link, f, size);
}

/* Reads what has come to a far end. A utun gives a packet with each read, BPF as many as it has. */
static void hear(int link, int fd, int is_utun)
{
    static unsigned char bytes[BPF_ROOM];
    ssize_t got;

    while (fd != -1 && (got = read(fd, bytes, is_utun ? sizeof bytes : bpf_room)) > 0) {
        const unsigned char *at = bytes, *packet;
        size_t left = (size_t)got, len = left;

@UtunOpen         if (is_utun && (packet = utun_packet(bytes, &len)) != NULL)
@UtunOpen             take(link, packet, len);
        while (!is_utun && (packet = bpf_packet(&at, &left, &len)) != NULL)
            take(link, packet, len);
    }
}

static void hear_all(void)
{
    int saved = errno;

    remember_sockets();
    hear(-1, loopback, 0);
@MacLinks     for (int link = 0; link < (int)(sizeof links / sizeof *links); link++)
@MacLinks         hear(link, links[link].fd, links[link].peer[0] == '\0');
    errno = saved;
}
@FarEnd 
@FarEnd /* Reads what the host has sent to the links' far ends, and answers what asks. */
@FarEnd static void answer_all(void)
@FarEnd {
@FarEnd     hear_all();
@FarEnd }

/* Waits for another frame; whether one came. */
static int wait_more(int ms)
{
    for (int i = 0; i <= ms * 5 && kept_from == kept_to; i++) {
        nanosleep(&(struct timespec){.tv_nsec = i > 0 ? 200000 : 0}, NULL);
        hear_all();
    }
    return kept_from != kept_to;
}

/* Whether what a call has caused may not have passed yet: links send from threads of their own. */
static int comes_more(void)
{
    return wait_more(3);
}

/* What passes loopback is seen by BPF; the links' far ends are this program. */
static void watch_wire(void)
{
    (void)look; /* there may be no call */
    loopback = bpf_open("lo0", 0);
@MacLinks     if (loopback == -1)
@MacLinks         no_lab("BPF on lo0", errno);
    unseen = loopback == -1;
    while (comes_more())
        kept_from = kept_to; /* what was said while the lab was made */
}

@Observed /* Frames for which BPF had no room were not seen, so that nothing can be said. */
@Observed static void nothing_lost(void)
@Observed {
@Observed     struct bpf_stat lost = {.bs_drop = 0};
@Observed,Feth 
@Observed,Feth     for (size_t i = 0; i < sizeof links / sizeof *links; i++)
@Observed,Feth         if (links[i].peer[0] != '\0' && ioctl(links[i].fd, BIOCGSTATS, &lost) != -1 &&
@Observed,Feth             lost.bs_drop > 0)
@Observed,Feth             break;
@Observed     if (lost.bs_drop == 0 && ioctl(loopback, BIOCGSTATS, &lost) == -1)
@Observed         lost.bs_drop = 0;
@Observed     if (lost.bs_drop > 0) {
@Observed         fprintf(stderr, "not tried: BPF had no room for %u frames\n", lost.bs_drop);
@Observed         exit(2);
@Observed     }
@Observed }
@Observed 
/* Whether the last frame is another program's: the host's own answers about names (RFC 6762). */
static int is_of_mdns(void)
{
    const char *at = strstr(frame, " UDP 5353 > 5353 len ");

    return at != NULL && at < strchr(frame, '"');
}
