#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
static char frame[1024];   /* what was said of the last frame */
static unsigned frame_seq; /* its sequence number, if it is of TCP */

static void say(const char *format, ...)
{
    size_t used = strlen(frame);
    va_list args;

    va_start(args, format);
    vsnprintf(frame + used, sizeof frame - used, format, args);
    va_end(args);
}

static void say_ip(int family, const unsigned char *ip)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(family, ip, text, sizeof text);
    say("%s", text);
}

/* The host's own choice from 32768 on (ip(7), ip_local_port_range). */
static void say_ports(const unsigned char *p)
{
    for (int i = 0; i < 4; i += 2)
        if (be16(p + i) < 32768)
            say("%s%u", i ? " > " : " ", be16(p + i));
        else
            say(i ? " > eph" : " eph");
}

/* How many bytes, and the first 32 of them. */
static void say_data(const unsigned char *p, size_t len)
{
    say(" len %zu \"", len);
    for (size_t i = 0; i < len && i < 32; i++)
        say(p[i] >= ' ' && p[i] <= '~' && p[i] != '"' && p[i] != '\\' ? "%c" : "\\%03o", p[i]);
    say(len > 32 ? "\"..." : "\"");
}

/* What of a frame is compared: nothing, if the host says it unasked or when its clock tells it to;
   once, if it is sent again until it is answered; or always. */
enum { NEVER, ONCE, ALWAYS };

@TcpOptions /* All but the host's clock. */
@TcpOptions static void say_options(const unsigned char *p, size_t len, int acknowledges)
@TcpOptions {
@TcpOptions     const char *before = " [";
@TcpOptions     size_t size;
@TcpOptions
@TcpOptions     for (size_t i = 0; i < len; i += size, before = ",") {
@TcpOptions         size = p[i] < 2 ? 1 : i + 1 < len ? p[i + 1] : 0;
@TcpOptions         say("%s", before);
@TcpOptions         if ((p[i] > 1 && size < 2) || i + size > len || p[i] == 0) {
@TcpOptions             say(p[i] == 0 ? "eol" : "malformed");
@TcpOptions             size = len - i;
@TcpOptions         } else if (p[i] == 1) {
@TcpOptions             say("nop");
@TcpOptions         } else if (p[i] == 2 && size == 4) {
@TcpOptions             say("mss %u", be16(p + i + 2));
@TcpOptions         } else if (p[i] == 3 && size == 3) {
@TcpOptions             say("wscale"); /* how far follows the host's memory, as windows do */
@TcpOptions         } else if (p[i] == 4 && size == 2) {
@TcpOptions             say("sackOK");
@TcpOptions         } else if (p[i] == 5 && size % 8 == 2) {
@TcpOptions             say("sack");
@TcpOptions             for (size_t at = i + 2; at < i + size; at += 8)
@TcpOptions                 say(" %d:%d", beyond_first(p + at), beyond_first(p + at + 4));
@TcpOptions         } else if (p[i] == 8 && size == 10) {
@TcpOptions             say("TS");
@TcpOptions             if (acknowledges)
@TcpOptions                 say(" ecr %u", (unsigned)be16(p + i + 6) << 16 | be16(p + i + 8));
@TcpOptions         } else {
@TcpOptions             say("kind %d len %zu", p[i], size);
@TcpOptions         }
@TcpOptions     }
@TcpOptions     if (*before == ',')
@TcpOptions         say("]");
@TcpOptions }
@TcpOptions
static int say_tcp(const unsigned char *p, size_t len)
{
    size_t header = p[12] >> 4 < 5 ? 20 : (p[12] >> 4) * 4u, i = 20;
    int flags = p[13];

    if (header > len)
        header = len;
    say(" TCP");
    say_ports(p);
    say(" [%s%s%s%s%s%s%s]", flags & 2 ? "S" : "", flags & 1 ? "F" : "", flags & 4 ? "R" : "",
        flags & 32 ? "U" : "", flags & 64 ? "E" : "", flags & 128 ? "W" : "", flags & 16 ? "." : "");
    frame_seq = be16(p + 4) << 16 | be16(p + 6);
@TcpOptions     if (tells_options) {
@TcpOptions         if (flags & 16)
@TcpOptions             say(" ack %d", beyond_first(p + 8));
@TcpOptions         say_options(p + 20, header - 20, flags & 16);
@TcpOptions         say_data(p + header, len - header);
@TcpOptions         return flags & 7 || header < len ? ONCE : ALWAYS; /* a challenge is an acknowledgment again */
@TcpOptions     }
    while (flags & 2 && i + 4 <= header && p[i] != 0) {
        if (p[i] == 2)
            say(" mss %u", be16(p + i + 2));
        i += p[i] == 1 || p[i + 1] < 2 ? 1 : p[i + 1];
    }
    say_data(p + header, len - header);
    return flags & 7 || header < len ? ONCE : NEVER; /* acknowledgments follow a clock */
}

static int say_icmp6(const unsigned char *p, size_t len, const unsigned char *from,
                     const unsigned char *to)
{
    static const unsigned char nobody[16], all[16] = {0xff, 2, [15] = 1};

    say(" ICMPv6 type %d code %d", p[0], p[1]);
    if ((p[0] == 135 || p[0] == 136) && len >= 24) {
        say(" target ");
        say_ip(AF_INET6, p + 8);
        if (p[0] == 135)
            return memcmp(from, nobody, 16) == 0 ? NEVER : ONCE;
        return !(p[4] & 0x40) && memcmp(to, all, 16) == 0 ? NEVER : ALWAYS;
    }
    if (p[0] == 128 || p[0] == 129)
        say_data(p + 8, len - 8);
    else
        say(" len %zu", len - 8); /* an error's quote has a flow label, an ID, a checksum */
    return p[0] == 133 || p[0] == 143 || p[0] == 131 || p[0] == 132 ? NEVER : ALWAYS;
}

static int say_body(int protocol, const unsigned char *p, size_t len, const unsigned char *from,
                    const unsigned char *to)
{
    if (protocol == 6 && len >= 20)
        return say_tcp(p, len);
    if (protocol == 58 && len >= 8)
        return say_icmp6(p, len, from, to);
    if (protocol == 17 && len >= 8) {
        say(" UDP");
        say_ports(p);
        if (be16(p) == 53 || be16(p + 2) == 53) /* an ID, and what was asked */
            say(" len %zu", len - 8);
        else
            say_data(p + 8, len - 8);
    } else if (protocol == 1 && len >= 8) {
        say(" ICMP type %d code %d", p[0], p[1]);
        if (p[0] == 8 || p[0] == 0)
            say_data(p + 8, len - 8);
        else
            say(" len %zu", len - 8);
    } else {
        say(" protocol %d", protocol);
        say_data(p, len);
        if (protocol == 2 && len >= 8 && (p[0] == 0x12 || p[0] == 0x16 || p[0] == 0x17 || p[0] == 0x22))
            return NEVER;
    }
    return ALWAYS;
}

static int say_ipv4(const unsigned char *p, size_t len)
{
    static const unsigned char other[16] = {1};
    size_t header = len < 20 ? 0 : (p[0] & 15) * 4u, end = len < 20 ? 0 : be16(p + 2);
    unsigned offset = len < 20 ? 0 : (be16(p + 6) & 0x1fff) * 8;

    if (header < 20 || header > len)
        return say("IPv4 malformed"), ALWAYS;
    if (end < header || end > len)
        end = len;
    say("IPv4 ");
    say_ip(AF_INET, p + 12);
    say(" > ");
    say_ip(AF_INET, p + 16);
    say(" ttl %d%s%s", p[8], p[6] & 0x40 ? " DF" : "", p[6] & 0x20 ? " MF" : "");
    if (p[6] & 0x20 || offset != 0)
        say(" frag %u+%zu", offset, end - header);
    if (p[1] != 0)
        say(" tos 0x%02x", p[1]);
    if (header > 20)
        say(" options %zu", header - 20);
    if (offset == 0)
        return say_body(p[9], p + header, end - header, other, other);
    say_data(p + header, end - header);
    return ALWAYS;
}

static int say_ipv6(const unsigned char *p, size_t len)
{
    size_t at = 40, end = len < 40 ? 0 : 40 + be16(p + 4);
    unsigned offset = 0;
    int next = len < 40 ? 0 : p[6];

    if (len < 40)
        return say("IPv6 malformed"), ALWAYS;
    if (end == 40 || end > len)
        end = len;
    say("IPv6 ");
    say_ip(AF_INET6, p + 8);
    say(" > ");
    say_ip(AF_INET6, p + 24);
    say(" hlim %d", p[7]);
    if (be16(p) >> 4 & 0xff)
        say(" tclass 0x%02x", be16(p) >> 4 & 0xff);
    while (at + 8 <= end && (next == 0 || next == 43 || next == 60 || next == 44) && offset == 0) {
        size_t size = next == 44 ? 8 : (p[at + 1] + 1) * 8u;

        if (next == 44) {
            offset = be16(p + at + 2) & 0xfff8;
            say(" frag %u+%zu%s", offset, end - at - 8, p[at + 3] & 1 ? " MF" : "");
        } else {
            say(" header %d", next);
        }
        next = p[at];
        at = at + size < end ? at + size : end;
    }
    if (offset == 0)
        return say_body(next, p + at, end - at, p + 8, p + 24);
    say_data(p + at, end - at);
    return ALWAYS;
}

/* Says in one line what does not change from run to run: no IDs, sequence numbers, checksums,
   link-layer addresses. */
static int say_frame(int protocol, const unsigned char *p, size_t len)
{
    frame[0] = '\0';
    frame_seq = 0;
    if (protocol == 0x0806 && len >= 28) {
        say("ARP %s ", be16(p + 6) == 1 ? "who-has" : "is-at");
        say_ip(AF_INET, p + (be16(p + 6) == 1 ? 24 : 14));
        say(" tell ");
        say_ip(AF_INET, p + (be16(p + 6) == 1 ? 14 : 24));
        return memcmp(p + 14, p + 24, 4) == 0 ? NEVER : be16(p + 6) == 1 ? ONCE : ALWAYS;
    }
    if (len > 0 && p[0] >> 4 == 4)
        return say_ipv4(p, len);
    if (len > 0 && p[0] >> 4 == 6)
        return say_ipv6(p, len);
    say("protocol 0x%04x", protocol);
    say_data(p, len);
    return ALWAYS;
}
