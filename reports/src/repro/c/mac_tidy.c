#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
/* What this program made goes, and nothing else. */
static void tidy(void)
{
@MacUndo     undo_routes();
@Feth     for (int link = 0; link < (int)(sizeof links / sizeof *links); link++)
@Feth         feth_destroy(link);
}

static void on_signal(int number)
{
    tidy();
    _exit(128 + number);
}

static void tidy_at_the_end(void)
{
    atexit(tidy);
    signal(SIGHUP, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
}
