#include <stdio.h>
static const char *hex(const void *bytes, size_t len)
{
    static char text[513];

    text[0] = '\0';
    for (size_t i = 0; i < len && i < 256; i++)
        snprintf(text + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    return text;
}
