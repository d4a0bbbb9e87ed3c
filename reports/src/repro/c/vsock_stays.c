#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
/* Without a transport of the machine's own (vsock_loopback) Linux hands what is for it to its hypervisor, whom
   nobody wants to speak to. Where there is one, its address can be bound. */
static void vsock_stays(void)
{
    struct sockaddr_vm local = {.svm_family = AF_VSOCK, .svm_port = VMADDR_PORT_ANY, .svm_cid = 1};
    int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

    if (fd == -1 || bind(fd, (struct sockaddr *)&local, sizeof local) == -1) {
        fprintf(stderr, "not tried: no vsock of this kernel stays on this machine\n");
        exit(2);
    }
    close(fd);
}
