#include <net/if_dl.h>
/* An interface, and a link-layer address on it if there is one. */
static void append_link(struct route_message *m, unsigned index, const char *mac)
{
    struct sockaddr_dl dl = {.sdl_len = sizeof dl, .sdl_family = AF_LINK};
    unsigned b[6];

    dl.sdl_index = (unsigned short)index;
    dl.sdl_type = 6; /* IFT_ETHER */
    if (mac != NULL && sscanf(mac, "%x:%x:%x:%x:%x:%x", b, b + 1, b + 2, b + 3, b + 4, b + 5) == 6) {
        dl.sdl_alen = 6;
        for (int i = 0; i < 6; i++)
            dl.sdl_data[i] = (char)b[i];
    }
    append(m, RTA_GATEWAY, &dl);
}
