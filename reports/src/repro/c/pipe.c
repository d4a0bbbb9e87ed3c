#include <signal.h>
#include <stddef.h>
static volatile sig_atomic_t pipe_broke;

static void on_pipe(int number)
{
    (void)number;
    pipe_broke = 1;
}

/* SIGPIPE is reported and does not end the program. */
static void catch_pipe(void)
{
    struct sigaction action = {.sa_handler = on_pipe};

    sigaction(SIGPIPE, &action, NULL);
}
