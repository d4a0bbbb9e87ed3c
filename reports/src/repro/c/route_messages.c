#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
static const char *message_name(unsigned type)
{
    static char number[16];

    switch (type) {
    case NLMSG_NOOP: return "NLMSG_NOOP";
    case NLMSG_ERROR: return "NLMSG_ERROR";
    case NLMSG_DONE: return "NLMSG_DONE";
    case NLMSG_OVERRUN: return "NLMSG_OVERRUN";
    case RTM_NEWLINK: return "RTM_NEWLINK";
    case RTM_NEWADDR: return "RTM_NEWADDR";
    case RTM_NEWROUTE: return "RTM_NEWROUTE";
    case RTM_NEWNEIGH: return "RTM_NEWNEIGH";
    case RTM_NEWRULE: return "RTM_NEWRULE";
    }
    snprintf(number, sizeof number, "%u", type);
    return number;
}

/* What rtnetlink said: neither in which order of numbers, nor to whom. */
static void route_messages(const unsigned char *bytes, size_t room, ssize_t ret)
{
    size_t left = ret < 0 ? 0 : (size_t)ret < room ? (size_t)ret : room, at = 0;
    char text[960] = "[";
    struct nlmsghdr head;

    if (ret < 0)
        return;
    while (left > 0 && strlen(text) < sizeof text - 128) {
        char *end = text + strlen(text);
        const char *comma = at > 0 ? ", " : "";
        size_t next;
        int error;

        if (left < sizeof head) {
            sprintf(end, "%s%u bytes", comma, (unsigned)left);
            break;
        }
        memcpy(&head, bytes + at, sizeof head);
        end += sprintf(end, "%s{nlmsg_len=%u, nlmsg_type=%s", comma, head.nlmsg_len,
                       message_name(head.nlmsg_type));
        if (head.nlmsg_type == NLMSG_ERROR && left >= sizeof head + sizeof error) {
            memcpy(&error, bytes + at + sizeof head, sizeof error);
            end += sprintf(end, ", error=%s", error == 0 ? "0" : errno_name(-error));
        }
        strcpy(end, "}");
        next = NLMSG_ALIGN(head.nlmsg_len < sizeof head ? sizeof head : head.nlmsg_len);
        next = next < left ? next : left;
        at += next;
        left -= next;
    }
    value("%s]", text);
}
