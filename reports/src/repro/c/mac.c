#include <stdio.h>
static void parse_mac(const char *text, unsigned char *mac)
{
    sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5);
}
