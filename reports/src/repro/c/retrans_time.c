#include <stdio.h>
/* Address resolution on the link asks again after so many milliseconds. */
static void retrans_time(const char *link, int ms)
{
    char path[128], text[16];

    snprintf(text, sizeof text, "%d", ms);
    snprintf(path, sizeof path, "/proc/sys/net/ipv4/neigh/%s/retrans_time_ms", link);
    write_file(path, text);
    snprintf(path, sizeof path, "/proc/sys/net/ipv6/neigh/%s/retrans_time_ms", link);
    write_file(path, text);
}
