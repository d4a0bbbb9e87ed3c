static int wire = -1; /* a packet socket, if one is to be had */

static void look(int op);
