#include <stddef.h>
#include <string.h>
/* A TCP segment of a far end's; seq, ack: how far they are beyond the right ones. */
struct segment {
    int flags, seq, ack, window, tos, checksum_wrong;
    const char *options; /* in relative: where in them a number stands to which is added, and what: */
    size_t options_len;  /* T the host's last time, S its first sequence number */
    const char *relative;
    const void *data;
    size_t len;
};

/* Of the connection between those ends, or else that of the host's last segment. */
static void send_segment(int op, int link, const struct between *ends, const struct segment *what)
{
    unsigned char from[16] = {0}, to[16] = {0}, eth[12], *tcp = made + BODY;
    struct way way = {.link = link, .protocol = 6, .ttl = 64, .tos = what->tos,
                      .checksum_wrong = what->checksum_wrong};
    struct connection wanted = {.link = link}, *c;
    size_t header = 20 + what->options_len;
    unsigned seq, ack = 0, end, number;
    const char *at;

@AnswerAll     answer_all();
@MacWire     answer_all();
    if (ends != NULL && !lay(&way, ends, from, to, eth)) {
        sends_nothing(op, "a socket has no port yet");
        return;
    }
    if (ends != NULL) {
        wanted.is_v6 = (unsigned char)way.is_v6;
        memcpy(wanted.ends, from, way.is_v6 ? 16 : 4);
        memcpy(wanted.ends + 16, &ends->from_port, 2);
        memcpy(wanted.ends + 18, to, way.is_v6 ? 16 : 4);
        memcpy(wanted.ends + 34, &ends->to_port, 2);
    }
    c = ends != NULL ? connection_of(&wanted) : answered[link].of;
    if (c == NULL) {
        sends_nothing(op, "the host has sent no TCP segment there that it could answer");
        return;
    }
    if (ends == NULL) { /* back to the sender */
        way.is_v6 = c->is_v6;
        way.eth = eth;
        memcpy(eth, answered[link].eth + 6, 6);
        memcpy(eth + 6, answered[link].eth, 6);
    }
    way.from = c->ends;
    way.to = c->ends + 18;
    seq = c->next + (unsigned)what->seq;
    if (what->flags & 16 || what->ack != 0)
        ack = (c->is_heard ? c->end : 0) + (unsigned)what->ack;
    memset(tcp, 0, header);
    memcpy(tcp, c->ends + 16, 2);
    memcpy(tcp + 2, c->ends + 34, 2);
    put16(tcp + 4, seq >> 16);
    put16(tcp + 6, seq & 0xffff);
    put16(tcp + 8, ack >> 16);
    put16(tcp + 10, ack & 0xffff);
    tcp[12] = (unsigned char)(header / 4 << 4);
    tcp[13] = (unsigned char)what->flags;
    put16(tcp + 14, (unsigned)what->window);
    if (what->options_len > 0)
        memcpy(tcp + 20, what->options, what->options_len);
    for (at = what->relative; at != NULL && *at != 0; at += 2) {
        number = be32(tcp + 20 + *at) + (at[1] == 'T' ? c->time : c->is_heard ? c->first : 0);
        put16(tcp + 20 + *at, number >> 16);
        put16(tcp + 22 + *at, number & 0xffff);
    }
    memcpy(tcp + header, what->data, what->len);
    send_made(&way, header + what->len);
    end = seq + (what->flags & 1) + (what->flags >> 1 & 1) + (unsigned)what->len;
    if (what->seq == 0)
        c->next = end;
    if (is_behind(end, c->most))
        c->most = end;
}
