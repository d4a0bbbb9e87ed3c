/* Reads what the host has sent to the links' far ends, and answers what asks. */
static void answer_all(void)
{
    static unsigned char f[65536];
    int saved = errno;

    for (size_t i = 0; i < sizeof answering / sizeof *answering;) {
        int link = answering[i].link;
        ssize_t len = read(far_end[link], f, sizeof f);
        size_t size;

@FarHeard         if (len > 0)
@FarHeard             hears(link, f, (size_t)len);
        size = answer(link, f, len);
        if (size > 0 && write(far_end[link], f, size) == -1)
            break;
        if (len <= 0)
            i++;
    }
    errno = saved;
}
