#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* Takes a step of the lab: one command, as root. */
static void lab(const char *format, ...)
{
    char command[256];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    fflush(stdout);
    if (system(command) != 0) {
        fprintf(stderr, "not tried: the lab cannot be made: \"%s\" failed\n", command);
        exit(2);
    }
}
