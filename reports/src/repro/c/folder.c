#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
@ReadOnly #include <sched.h>
@ReadOnly #include <sys/mount.h>
/* The folder of the Unix sockets: a new one, and gone at the end. */
static char folder[] = "/tmp/sockeye-XXXXXX";

static int remove_one(const char *path, const struct stat *as, int type, struct FTW *at)
{
    (void)as;
    if (type == FTW_DNR && chmod(path, 0700) == 0)
        return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (at->level > 0 || strcmp(path, ".") != 0)
        remove(path);
    return 0;
}

static void leave_folder(void)
{
    nftw(".", remove_one, 8, FTW_DEPTH | FTW_PHYS);
    if (chdir("/") == 0) {
@ReadOnly         umount2(folder, MNT_DETACH);
        rmdir(folder);
    }
}

static void enter_folder(void)
{
    if (mkdtemp(folder) == NULL) {
        perror("not tried: no folder can be made for the sockets");
        exit(2);
    }
@ReadOnly     /* A file system of its own, which nobody else sees. */
@ReadOnly     if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1
@ReadOnly         || mount("sockeye", folder, "tmpfs", 0, "size=1m") == -1) {
@ReadOnly         perror("not tried: no file system can be mounted for the sockets");
@ReadOnly         rmdir(folder);
@ReadOnly         exit(2);
@ReadOnly     }
    if (chdir(folder) == -1) {
        perror("not tried: the folder of the sockets cannot be entered");
        exit(2);
    }
    atexit(leave_folder);
}
