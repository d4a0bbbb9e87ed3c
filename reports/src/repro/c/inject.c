/* The far end puts a frame on the link; on one that is down it is lost. */
static void inject(int wire, const void *frame, size_t len)
{
    if (write(wire, frame, len) == -1)
        printf("    (the frame did not arrive: %s)\n", strerror(errno));
}
