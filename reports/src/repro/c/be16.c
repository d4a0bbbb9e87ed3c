static unsigned be16(const unsigned char *p)
{
    return (unsigned)p[0] << 8 | p[1];
}
