#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
static volatile sig_atomic_t timed_out;

static void on_alarm(int number)
{
    (void)number;
    timed_out = 1;
}

/* Interrupts a call that waits, after so many milliseconds and again every tenth of a second. */
static void set_deadline(int ms)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {
        .it_interval = {.tv_usec = 100000},
        .it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000},
    };

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}
