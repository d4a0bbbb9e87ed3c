#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
static pthread_t actor;
static volatile int acts; /* whether the far ends act in a thread of their own */

static void *act(void *unused)
{
    sigset_t all;

    (void)unused;
    sigfillset(&all); /* they are for the call */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (acts) {
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
@FarEnd         answer_all();
@Server         serve_all();
    }
    return NULL;
}

/* The next call may block: the links' far ends act meanwhile. */
static void begin_acting(void)
{
    acts = 1;
    if (pthread_create(&actor, NULL, act, NULL) != 0)
        acts = 0;
}

static void end_acting(void)
{
    int saved = errno;

    if (!acts)
        return;
    acts = 0;
    pthread_join(actor, NULL);
    errno = saved;
}
