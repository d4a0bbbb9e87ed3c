#include <stdio.h>
#include <string.h>
static void compare_value(const char *text)
{
    if (expected != NULL && expected->value != NULL && !shown &&
        strcmp(expected->value, text) != 0) {
        fprintf(stderr, "#%d differs: observed was %s\n", expected->op, expected->value);
        differs = 1;
    }
    shown = 1;
}
