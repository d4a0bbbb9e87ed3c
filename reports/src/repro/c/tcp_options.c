#include <string.h>
/* Links whose far end sends segments by hand. Its numbers begin with this one, so that what the host says of them
   is the same each time, and its clock is the program's. */
static const char *const by_hand[] = {@@BY_HAND@@NULL};
static const unsigned far_first = 1000000;
static int tells_options; /* of the frame that is said next: the host's by such a link */

static void tell_options(const char *link, int by_host)
{
    size_t i = 0;

    while (by_hand[i] != NULL && strcmp(by_hand[i], link) != 0)
        i++;
    tells_options = by_host && by_hand[i] != NULL;
}

static int beyond_first(const unsigned char *p)
{
    return (int)(((unsigned)be16(p) << 16 | be16(p + 2)) - far_first);
}
