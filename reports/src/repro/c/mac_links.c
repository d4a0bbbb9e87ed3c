#include <net/if.h>
/* The lab's links, by number. None has a name before this program has made it. */
static struct {
    char name[IF_NAMESIZE], peer[IF_NAMESIZE]; /* a utun has no peer */
    unsigned index;
    int fd; /* its far end: the utun, which goes when it is closed, or BPF on the peer; else -1 */
    int made;                                  /* whether this program made the two feth */
} links[@@LINKS@@];
