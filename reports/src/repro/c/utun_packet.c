#include <string.h>
/* The packet that one read of a utun gave; NULL if it is none. */
static const unsigned char *utun_packet(const unsigned char *bytes, size_t *len)
{
    unsigned family;

    if (*len < sizeof family)
        return NULL;
    memcpy(&family, bytes, sizeof family);
    *len -= sizeof family;
    bytes += sizeof family;
    return family != 0 && family == utun_family(bytes, *len) ? bytes : NULL;
}
