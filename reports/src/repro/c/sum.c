#include <stddef.h>
/* The sum of RFC 1071, on top of another; a checksum is its complement. */
static unsigned sum_of(const unsigned char *p, size_t len, unsigned sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 == 0 ? (unsigned)p[i] << 8 : p[i];
    while (sum >> 16 != 0)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum;
}
