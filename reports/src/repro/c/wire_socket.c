@WireLinux static int wire = -1; /* a packet socket, if one is to be had */
@MacWire static int unseen; /* whether nobody may look: without root there is no BPF */

static void look(int op);
