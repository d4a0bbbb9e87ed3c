#include <stdarg.h>
#include <stdio.h>
/* What a call wrote through its pointers, beneath its line. */
static void value(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("    -> %s\n", text);
@Observed     compare_value(text);
}
