#include <stdio.h>
#include <string.h>
#include <sys/types.h>
/* What was received, the first 32 bytes of it, as C writes it. */
static void data(const unsigned char *bytes, size_t room, ssize_t ret)
{
    size_t len = ret < 0 ? 0 : (size_t)ret < room ? (size_t)ret : room;
    char text[160] = "\"", *end = text + 1;

    if (ret < 0)
        return;
    for (size_t i = 0; i < len && i < 32; i++)
        if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '"' && bytes[i] != '\\')
            *end++ = (char)bytes[i];
        else
            end += snprintf(end, 5, "\\%03o", bytes[i]);
    strcpy(end, len > 32 ? "\"..." : "\"");
    value("%s", text);
}
