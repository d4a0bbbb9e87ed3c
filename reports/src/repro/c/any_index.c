@Observed enum { INDEX = -1000 }; /* stands for any index of an interface, as DESCRIPTOR for any descriptor */
