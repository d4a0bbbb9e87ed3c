#include <stddef.h>
#include <stdio.h>
#include <string.h>
enum { DESCRIPTOR = -1000 }; /* stands for any descriptor, and is no EAI_ value */

/* What was observed: each call's return value and errno, and what it wrote where that is one word. */
static const struct observation { int op; long long ret; const char *error, *value; } observed[] = {
@@OBSERVED@@
};
static const struct observation *expected; /* of the call that was made last */
static int differs;                        /* whether anything else happened than was observed */

static void compare(int op, long long ret, const char *error)
{
    expected = NULL;
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        if (observed[i].op == op)
            expected = &observed[i];
    if (expected == NULL) {
        fprintf(stderr, "#%d differs: this call was not observed\n", op);
        differs = 1;
    } else if ((expected->ret == DESCRIPTOR ? ret < 0 : expected->ret != ret) ||
               strcmp(expected->error, error) != 0) {
        fprintf(stderr, "#%d differs: observed was %lld %s\n", op, expected->ret, expected->error);
        differs = 1;
    }
}
