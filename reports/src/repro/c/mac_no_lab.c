#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Ends the program: without its lab nothing can be said. */
static void no_lab(const char *what, int error)
{
    fprintf(stderr, "not tried: the lab cannot be made: %s: %s%s\n", what, strerror(error),
            error == EPERM ? "; run this program as root" : "");
    exit(2);
}
