static void attribute(struct request *q, int type, const void *data, size_t len)
{
    struct rtattr head = {.rta_len = (unsigned short)RTA_LENGTH(len)};
    size_t at = NLMSG_ALIGN(q->header.nlmsg_len) - sizeof q->header;

    head.rta_type = (unsigned short)type;
    memcpy(q->rest + at, &head, sizeof head);
    memcpy(q->rest + at + sizeof head, data, len);
    q->header.nlmsg_len = (unsigned)(sizeof q->header + at + RTA_LENGTH(len));
}
