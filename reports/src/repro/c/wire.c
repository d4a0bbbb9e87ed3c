#include <errno.h>
#include <stdio.h>
#include <string.h>
static const char *awaited; /* a link of which a frame is waited for, until there is one */
@!Observed static int latest; /* the last step that was looked at */

/* Whether the frame is one that was sent before and was not answered. */
static int is_again(const char *link)
{
    static unsigned long long past[512];
    static size_t kept;
    unsigned long long hash = frame_seq;

    for (size_t i = 0; link[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)link[i]) * 1099511628211u;
    for (size_t i = 0; frame[i] != '\0'; i++)
        hash = (hash ^ (unsigned char)frame[i]) * 1099511628211u;
    for (size_t i = 0; i < kept; i++)
        if (past[i] == hash)
            return 1;
    if (kept < sizeof past / sizeof *past)
        past[kept++] = hash;
    return 0;
}

/* Links with a server. This program's is another TCP than sockeye's: its windows and acknowledgments
   decide how data is cut, so that there only what begins and ends a connection is compared. */
static const char *const served[] = {@@SERVED@@NULL};

static int of_server(const char *link, int what)
{
    char *flags = strstr(frame, " TCP "), *len;
    size_t i = 0;

    while (served[i] != NULL && strcmp(served[i], link) != 0)
        i++;
    flags = flags == NULL || served[i] == NULL ? NULL : strstr(flags, " [");
    len = flags == NULL ? NULL : strstr(flags, "] ");
    if (len == NULL)
        return what;
    len[1] = '\0';
    return strcspn(flags, "SFR") < strlen(flags) ? what : NEVER;
}

/* Prints the next frame, beneath the call that caused it; whether there was one. */
static int look_once(int op)
{
    const char *link;
    int what;

@!Observed     (void)op;
    if (!next_frame())
        return 0;
    link = heard.link;
    if (awaited != NULL && strcmp(link, awaited) == 0)
        awaited = NULL;
@TcpOptions     tell_options(link, heard.out);
    what = of_server(link, say_frame(heard.protocol, heard.bytes, heard.len));
@MacWire     if (is_of_mdns())
@MacWire         what = NEVER;
    if (what == NEVER || (heard.out && what == ONCE && is_again(link)))
        return 1;
    printf("    %c %s %s\n", heard.out ? '>' : '<', link, frame);
@Observed     if (heard.out)
@Observed         compare_frame(op, link);
    return 1;
}

/* Prints what has passed the links, until all has that the call has caused. */
static void look(int op)
{
    int saved = errno, moved = 1;
@Observed     int patience = 100; /* of 10 ms: what waits for an answer of the link's comes behind it */

    latest = op;
@MacWire     if (unseen)
@MacWire         return;
    while (moved) {
        moved = 0;
@FarEnd         answer_all();
        while (look_once(op))
            moved = 1;
        moved = moved || comes_more();
@Observed         if (!moved && is_awaited(op) && patience-- > 0) {
@Observed             wait_more(10);
@Observed             moved = 1;
@Observed         }
    }
    errno = saved;
}
