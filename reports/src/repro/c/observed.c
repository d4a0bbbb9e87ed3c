#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
/* Stand for any descriptor, and for the process's own number; no EAI_ value is one. */
enum { DESCRIPTOR = -1000, PROCESS = -1001 };

/* What was observed: each call's return value and errno, and the first thing that it wrote where
   another run writes it again. */
static const struct observation { int op; long long ret; const char *error, *value; } observed[] = {
@@OBSERVED@@
};
static const struct observation *expected; /* of the call that was made last */
static size_t compared;                    /* how many calls were */
static int shown;                          /* whether the last one wrote anything */
static int differs;                        /* whether anything else happened than was observed */

/* A call that was to write something has. */
static void compare_silence(void)
{
    if (expected != NULL && expected->value != NULL && !shown) {
        fprintf(stderr, "#%d differs: observed was %s\n", expected->op, expected->value);
        differs = 1;
    }
    shown = 0;
}

static int is_other(long long ret, long long wanted)
{
    return wanted == DESCRIPTOR ? ret < 0 : ret != (wanted == PROCESS ? getpid() : wanted);
}

static void compare(int op, long long ret, const char *error)
{
    compare_silence();
    expected = NULL;
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++)
        if (observed[i].op == op)
            expected = &observed[i];
    compared++;
    if (expected == NULL) {
        fprintf(stderr, "#%d differs: this call was not observed\n", op);
        differs = 1;
    } else if (is_other(ret, expected->ret) || strcmp(expected->error, error) != 0) {
        fprintf(stderr, "#%d differs: observed was %lld %s\n", op, expected->ret, expected->error);
        differs = 1;
    }
}

@Wire static void compare_missing_frames(void);
@Wire static void look(int op);
@Wire static void nothing_lost(void);
@Wire static int latest; /* the last step that was looked at */
@Wire 
/* The last line, and the exit status. */
static int verdict(void)
{
    compare_silence();
    if (compared != sizeof observed / sizeof *observed)
        differs = 1;
@Wire     look(latest);
@Wire     nothing_lost();
@Wire     compare_missing_frames();
    if (!differs)
@MacWire         puts(unseen ? "the calls agree; the wire was not looked at"
@MacWire                     : "the calls and the frames agree");
@WireLinux         puts("the calls and the frames agree");
@!Wire         puts("the calls agree; the wire was not looked at");
    puts(differs ? "not reproduced" : "REPRODUCED");
    return differs;
}
