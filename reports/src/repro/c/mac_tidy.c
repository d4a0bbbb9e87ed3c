#include <stdlib.h>
static void tidy(void)
{
@@TIDY@@
}
