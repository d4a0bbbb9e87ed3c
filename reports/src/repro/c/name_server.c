#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
/* What the name server answers: to which question, by which message over UDP and over TCP, none
   where it is silent. The ID is the query's, or another one. Other names do not exist. */
static const struct {
    int other_id;
    size_t asked;
    const char *question;
    size_t len;
    const char *message;
    size_t whole_len;
    const char *whole;
} answers[] = {
@@ANSWERS@@
};
static int near_name_end, served_name_end; /* the link's descriptors */
static int queries = -1, streams = -1;     /* where it listens */
static size_t taken; /* how much it reads of a connection before it closes it; 0: it answers */

/* Over UDP, and over TCP unless `take` is -1. */
static void listen_for_queries(int take)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(53)};
    int off = 0;

    queries = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    setsockopt(queries, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(queries, (struct sockaddr *)&any, sizeof any) == -1)
        lab_failed("the name server");
    if (take == -1)
        return;
    taken = (size_t)take;
    streams = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(streams, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(streams, (struct sockaddr *)&any, sizeof any) == -1 || listen(streams, 4) == -1)
        lab_failed("the name server");
}

/* Makes the answer to a query; its length, or 0. */
static size_t answer_to(const unsigned char *query, size_t len, int whole, unsigned char *answer)
{
    size_t end = 12;

    while (end < len && query[end] != 0)
        end += query[end] + 1u;
    end += 5; /* the root, the type, the class */
    if (end > len)
        return 0;
    memcpy(answer, query, end);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t same = 0, size = whole ? answers[i].whole_len : answers[i].len;

        while (same < end - 12 && same < answers[i].asked &&
               tolower(query[12 + same]) == tolower((unsigned char)answers[i].question[same]))
            same++;
        if (same != end - 12 || same != answers[i].asked)
            continue;
        if (size < 2)
            return 0;
        memcpy(answer + 2, (whole ? answers[i].whole : answers[i].message) + 2, size - 2);
        answer[1] ^= (unsigned char)answers[i].other_id;
        return size;
    }
    memcpy(answer + 2, "\201\203\0\1\0\0\0\0\0\0", 10); /* NXDOMAIN */
    return end;
}

/* Answers the queries of one connection, each behind its length, until the host closes. */
static void answer_stream(int fd)
{
    unsigned char query[2 + 65536], answer[2 + 4096];

    if (taken > 0)
        recv(fd, query, taken, MSG_WAITALL);
    while (taken == 0 && recv(fd, query, 2, MSG_WAITALL) == 2) {
        size_t len = (size_t)query[0] << 8 | query[1];

        if (recv(fd, query + 2, len, MSG_WAITALL) != (ssize_t)len)
            break;
        len = answer_to(query + 2, len, 1, answer + 2);
        answer[0] = (unsigned char)(len >> 8);
        answer[1] = (unsigned char)len;
        if (len > 0 && send(fd, answer, len + 2, MSG_NOSIGNAL) == -1)
            break;
    }
    close(fd);
}

/* Carries packets between the two ends of the link. */
static void carry_packets(int from, int to)
{
    static unsigned char packet[65536];
    ssize_t len;

    while ((len = read(from, packet, sizeof packet)) > 0)
        if (write(to, packet, (size_t)len) == -1)
            return;
}

/* Answers in a process of its own, since the calls that ask wait for it. */
static void answer_queries(void)
{
    static unsigned char query[65536], answer[4096];
    struct pollfd fds[] = {{.fd = near_name_end, .events = POLLIN},
                           {.fd = served_name_end, .events = POLLIN},
                           {.fd = queries, .events = POLLIN},
                           {.fd = streams, .events = POLLIN}};
    pid_t parent = getpid(), child = fork();

    if (child == -1)
        lab_failed("a process for the name server");
    if (child > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    while (getppid() == parent && poll(fds, sizeof fds / sizeof *fds, -1) != -1) {
        struct sockaddr_in6 from;
        socklen_t from_len = sizeof from;
        ssize_t len;

        carry_packets(near_name_end, served_name_end);
        carry_packets(served_name_end, near_name_end);
        while ((len = recvfrom(queries, query, sizeof query, 0, (struct sockaddr *)&from,
                               &from_len)) > 0) {
            size_t size = answer_to(query, (size_t)len, 0, answer);

            if (size > 0)
                sendto(queries, answer, size, 0, (struct sockaddr *)&from, from_len);
            from_len = sizeof from;
        }
        if (fds[3].revents & POLLIN) {
            int fd = accept(streams, NULL, NULL);

            if (fd != -1 && fork() == 0) {
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                answer_stream(fd);
                _exit(0);
            }
            close(fd);
        }
    }
    _exit(0);
}
