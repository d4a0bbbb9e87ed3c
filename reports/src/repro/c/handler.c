/* A signal does nothing but end a wait. */
static void do_nothing(int number)
{
    (void)number;
}
