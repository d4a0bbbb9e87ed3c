#include <stddef.h>
/* Fills a buffer with the count of 32-bit words, so that any piece tells where it came from. */
static void pattern(unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (unsigned char)(i / 4 >> (8 * (3 - i % 4)));
}
