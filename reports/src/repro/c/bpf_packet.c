#include <net/bpf.h>
#include <stdio.h>
#include <string.h>
enum { SHORTEST_HEADER = 18 }; /* SIZEOF_BPF_HDR, which the SDK keeps to itself */

/* The next packet of what one read of BPF gave: behind a header, each at a multiple of four (bpf(4)).
   NULL where none is left. */
static const unsigned char *bpf_packet(const unsigned char **at, size_t *left, size_t *len)
{
    const unsigned char *record = *at;
    struct bpf_hdr head = {.bh_hdrlen = 0};
    size_t whole;

    if (*left == 0)
        return NULL;
    memcpy(&head, record, *left < sizeof head ? *left : sizeof head);
    whole = head.bh_hdrlen + (size_t)head.bh_caplen;
    if (head.bh_hdrlen < SHORTEST_HEADER || whole > *left || head.bh_caplen != head.bh_datalen) {
        fputs("differs: what BPF gave is not whole: frames are lost\n", stderr);
@Observed         differs = 1;
        *left = 0;
        return NULL;
    }
    *len = head.bh_caplen;
    *at += BPF_WORDALIGN(whole);
    *left = BPF_WORDALIGN(whole) < *left ? *left - BPF_WORDALIGN(whole) : 0; /* the last is not padded */
    return record + head.bh_hdrlen;
}
