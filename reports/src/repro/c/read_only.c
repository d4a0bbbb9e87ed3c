/* Nothing is made in the folder, or taken away, from now on. */
static void make_read_only(void)
{
    if (mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == -1)
        lab_failed("mount -o remount,ro");
}
