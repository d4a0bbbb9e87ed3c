#include <stdio.h>
#include <string.h>
/* The frames that left, each beneath its call. */
static const struct { int op; const char *text; } frames_observed[] = {
@@FRAMES@@
};
static char came[sizeof frames_observed / sizeof *frames_observed];

static void compare_frame(int op, const char *link)
{
    char text[1100];
    size_t i = 0;

    snprintf(text, sizeof text, "%s %s", link, frame);
    while (frames_observed[i].text != NULL &&
           (came[i] || frames_observed[i].op != op || strcmp(frames_observed[i].text, text) != 0))
        i++;
    if (frames_observed[i].text == NULL) {
        fprintf(stderr, "#%d differs: came, and was not observed: > %s\n", op, text);
        differs = 1;
    }
    came[i] = 1;
}

/* Whether one is still to come beneath a call. */
static int is_awaited(int op)
{
    for (size_t i = 0; frames_observed[i].text != NULL; i++)
        if (!came[i] && frames_observed[i].op == op)
            return 1;
    return 0;
}

static void compare_missing_frames(void)
{
@MacWire     if (unseen)
@MacWire         return;
    for (size_t i = 0; frames_observed[i].text != NULL; i++)
        if (!came[i]) {
            fprintf(stderr, "#%d differs: observed, and did not come: > %s\n",
                    frames_observed[i].op, frames_observed[i].text);
            differs = 1;
        }
}
