static int far_end[@@LINKS@@]; /* the links' descriptors, by number */
