#include <stddef.h>
#include <string.h>
@FarError /* The last frame of each link's of which an error can tell. */
@FarError static struct { size_t len; unsigned char bytes[65536]; } last[@@LINKS@@];
@FarError 
@FarError /* Whether an error may be sent about a packet: no error, nothing that the kernel says unasked or to
@FarError    find a neighbour, no fragment but the first (RFC 1122 3.2.2, RFC 4443 2.4 (e)). */
@FarError static int can_be_quoted(const unsigned char *p, size_t len, const struct carried *c)
@FarError {
@FarError     static const unsigned char v4[] = {3, 5, 11, 12}, igmp[] = {0x12, 0x16, 0x17, 0x22},
@FarError         v6[] = {1, 2, 3, 4, 131, 132, 133, 135, 136, 137, 143};
@FarError 
@FarError     if (c->is_later)
@FarError         return 0;
@FarError     if (c->at >= len)
@FarError         return 1;
@FarError     return !((c->protocol == 1 && memchr(v4, p[c->at], sizeof v4)) ||
@FarError              (c->protocol == 2 && memchr(igmp, p[c->at], sizeof igmp)) ||
@FarError              (c->protocol == 58 && memchr(v6, p[c->at], sizeof v6)));
@FarError }

/* The host has sent a frame on a link. */
static void hears(int link, const unsigned char *f, size_t len)
{
    size_t head = is_tap[link] ? 14 : 0;
    const unsigned char *p = f + head;
    struct carried c;

    if (len <= head || len > 65536 || (head > 0 && be16(f + 12) != 0x0800 && be16(f + 12) != 0x86dd))
        return;
    len -= head;
    if (len < (p[0] >> 4 == 4 ? 20 : 40))
        return;
    c = carried(p, len);
@FarError     if (can_be_quoted(p, len, &c)) {
@FarError         last[link].len = head + len;
@FarError         memcpy(last[link].bytes, f, head + len);
@FarError     }
@FarConnections     if (c.protocol == 6 && !c.is_later)
@FarConnections         hears_segment(link, head > 0 ? f : NULL, p, len, c.at);
}
