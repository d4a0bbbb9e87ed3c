#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stdio.h>
/* A machine and a port of it, as vsock(7) has them. */
static void vsock_address(const void *name)
{
    static const char *const cids[] = {
        "VMADDR_CID_HYPERVISOR", "VMADDR_CID_LOCAL", "VMADDR_CID_HOST",
    };
    const struct sockaddr_vm *vm = name;
    char cid[16], port[16] = "VMADDR_PORT_ANY";

    snprintf(cid, sizeof cid, "%u", vm->svm_cid);
    if (vm->svm_port != VMADDR_PORT_ANY)
        snprintf(port, sizeof port, "%u", vm->svm_port);
    value("{AF_VSOCK %s:%s}",
          vm->svm_cid == VMADDR_CID_ANY ? "VMADDR_CID_ANY"
          : vm->svm_cid < 3             ? cids[vm->svm_cid]
                                        : cid,
          port);
}
