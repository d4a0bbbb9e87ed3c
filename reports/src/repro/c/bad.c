#include <stddef.h>
#include <sys/mman.h>
/* A page that can be neither read nor written. */
static void *bad(void)
{
    static void *page;

    if (page == NULL)
        page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
    return page;
}
