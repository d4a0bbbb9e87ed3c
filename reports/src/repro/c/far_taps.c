static const char is_tap[] = {@@TAPS@@}; /* whether a link's frames have a header of Ethernet */
