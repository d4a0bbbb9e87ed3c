#include <stdio.h>
#include <stdlib.h>
#include <string.h>
@MacLinks static const char *const called[] = {@@CALLED@@}; /* what the case calls its links */
@MacLinks 
/* The last frame: by which link, and whether the host sent it. */
static struct {
    const char *link;
    int out, protocol;
    size_t len;
    const unsigned char *bytes;
} heard;

/* Frames that were read and not shown yet, each behind its head. */
struct kept { int link, out; size_t len; };
static unsigned char kept[8 << 20];
static size_t kept_from, kept_to;

/* Keeps a frame of a link's; of loopback, whose number is -1, a packet. */
static void keep(int link, int out, const unsigned char *bytes, size_t len)
{
    struct kept head = {link, out, len};

    if (sizeof kept - kept_to < sizeof head + len) {
        fputs("not tried: more frames came than this program keeps\n", stderr);
        exit(2);
    }
    memcpy(kept + kept_to, &head, sizeof head);
    memcpy(kept + kept_to + sizeof head, bytes, len);
    kept_to += sizeof head + len;
}

/* Takes the next frame; whether there was one. */
static int next_frame(void)
{
    struct kept head;

    if (kept_from == kept_to) {
        kept_from = kept_to = 0;
        return 0;
    }
    memcpy(&head, kept + kept_from, sizeof head);
    heard.bytes = kept + kept_from + sizeof head;
    kept_from += sizeof head + head.len;
    heard.link = "lo";
    heard.out = head.out;
    heard.len = head.len;
    heard.protocol = head.len > 0 && heard.bytes[0] >> 4 == 6 ? 0x86dd : 0x0800;
@MacLinks     if (head.link >= 0)
@MacLinks         heard.link = called[head.link];
@Feth     if (head.link >= 0 && links[head.link].peer[0] != '\0') { /* of Ethernet */
@Feth         heard.protocol = head.len < 14 ? 0 : (int)be16(heard.bytes + 12);
@Feth         heard.bytes += head.len < 14 ? head.len : 14;
@Feth         heard.len -= head.len < 14 ? head.len : 14;
@Feth     }
    return 1;
}
