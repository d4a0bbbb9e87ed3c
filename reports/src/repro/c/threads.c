#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
/* The calls of other threads, in the order in which they begin. */
static struct caller {
    int op, joined;
    pthread_t thread;
    atomic_int tid, returned, told;
} callers[@@THREADS@@];
static size_t began;
static _Thread_local struct caller *own;

static void pause_a_bit(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

/* Right before a thread's call. */
static void begins(void)
{
    char self[64] = "";
    const char *last;

    if (readlink("/proc/thread-self", self, sizeof self - 1) > 0 && (last = strrchr(self, '/')) != NULL)
        own->tid = atoi(last + 1);
}

/* Right behind it: what it gave is told when the others are at rest. */
static void returns(void)
{
    int saved = errno;

    own->returned = 1;
    while (!own->told)
        pause_a_bit();
    errno = saved;
}

/* Whether a thread waits in its call; proc(5), /proc/pid/stat. */
static int waits(const struct caller *c)
{
    char path[64], text[128] = "", *end;
    FILE *stat;

    if (!c->tid)
        return 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", c->tid);
    stat = fopen(path, "r");
    if (stat == NULL)
        return 0;
    if (fgets(text, sizeof text, stat) == NULL)
        text[0] = '\0';
    fclose(stat);
    end = strrchr(text, ')');
    return end != NULL && end[1] == ' ' && end[2] == 'S';
}

/* Waits until each has returned or waits in its call, and tells what has returned. */
static void rest(int op)
{
    for (int moved = 1, looks = 0; moved || looks < 2; looks++) {
        moved = 0;
        for (size_t i = 0; i < began; i++)
            while (!callers[i].returned && !waits(&callers[i])) {
                moved = 1;
                pause_a_bit();
            }
@Wire         look(op);
@!Wire         (void)op;
@FarEnd         answer_all();
@Server         serve_all();
    }
    for (size_t i = 0; i < began; i++)
        if (callers[i].returned && !callers[i].joined) {
            callers[i].told = callers[i].joined = 1;
            pthread_join(callers[i].thread, NULL);
        }
}

/* Has a thread make a call; the next step is taken when it waits or has returned. */
static void begin(int op, const char *what, void *(*call)(void *))
{
    struct caller *c = &callers[began++];
    sigset_t alarm, before;

    printf("#%d %s <unfinished ...>\n", op, what);
    c->op = op;
    sigemptyset(&alarm); /* that is for the first thread */
    sigaddset(&alarm, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &alarm, &before);
    if (pthread_create(&c->thread, NULL, call, c) != 0) {
        fputs("not tried: no thread can be made\n", stderr);
        exit(2);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    rest(op);
}

/* Waits for a call that has begun. */
static void finish(int op)
{
    for (size_t i = 0; i < began; i++)
        while (callers[i].op == op && !callers[i].joined) {
            if (timed_out) {
                fprintf(stderr, "#%d differs: the call of a thread has not returned\n", op);
                puts("not reproduced");
                exit(1);
            }
            rest(op);
            pause_a_bit();
        }
}

/* Waits for all of them. */
static void finish_all(void)
{
    for (size_t i = 0; i < began; i++)
        finish(callers[i].op);
}
