#include <stdio.h>
#include <stdlib.h>
/* Takes a step of the lab: one command, as root. */
static void lab(const char *command)
{
    fflush(stdout);
    if (system(command) != 0) {
        fprintf(stderr, "the lab cannot be made: \"%s\" failed; run this program as root\n", command);
        exit(3);
    }
}
