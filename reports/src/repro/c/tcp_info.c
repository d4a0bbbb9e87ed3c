#include <string.h>
#include <sys/socket.h>
/* What no clock and no counter decides of struct tcp_info. */
static void tcp_info(const unsigned char *bytes, socklen_t len)
{
    static const struct { const char *name; socklen_t at; } words[] = {
        {"snd_mss", 16}, {"pmtu", 60}, {"advmss", 84},
    };
    char text[160];
    unsigned number;

    if (len < 8)
        return;
    int at = snprintf(text, sizeof text,
                      "state %d, options %d, snd_wscale %d, rcv_wscale %d, fastopen %d", bytes[0],
                      bytes[5], bytes[6] & 15, bytes[6] >> 4, bytes[7] >> 1 & 3);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].at + sizeof number <= len) {
            memcpy(&number, bytes + words[i].at, sizeof number);
            at += snprintf(text + at, sizeof text - (size_t)at, ", %s %u", words[i].name, number);
        }
    value("%s", text);
}
