static int wire = -1; /* a packet socket, if one is to be had */
