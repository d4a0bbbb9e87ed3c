#include <stdio.h>
#include <string.h>
@Observed static char list[1 << 19]; /* what the call wrote, a line each */
@Observed 
/* One of several things that a call wrote, beneath its line. */
static void listed(const char *text)
{
@Observed     size_t len = strlen(list);
@Observed 
    printf("    -> %s\n", text);
@Observed     snprintf(list + len, sizeof list - len, "%s%s", len == 0 ? "" : "\n", text);
}
@Observed 
@Observed /* That was the last of them, if there was any: they are compared together. */
@Observed static void list_ends(void)
@Observed {
@Observed     compare_value(list);
@Observed     list[0] = '\0';
@Observed }
