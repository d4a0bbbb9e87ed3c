#include <string.h>
#include <sys/socket.h>
/* An option's value: an int if it has the size of one. */
static void option_value(const void *bytes, socklen_t len)
{
    int number;

    if (len == sizeof number) {
        memcpy(&number, bytes, sizeof number);
        value("%d", number);
    } else {
        value("%s", hex(bytes, len));
    }
}
