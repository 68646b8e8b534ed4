/* openat2(2): resolution that stays beneath, links refused, structs of other sizes. */
#include "guest.h"
#include <linux/openat2.h>

static long open_how(int d, const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags, .resolve = resolve};
    long fd = syscall(SYS_openat2, d, path, &how, sizeof how);
    if (fd >= 0)
        close(fd);
    return fd < 0 ? -1 : 0;
}

int main(void) {
    SHOW(mkdir("d", 0755));
    put_file("d/file", "x");
    put_file("outside", "x");
    SHOW(symlink("file", "d/link"));
    SHOW(symlink("../outside", "d/escape"));
    SHOW(symlink("/etc/passwd", "d/absolute"));
    int d = SHOW(open("d", O_PATH));
    SHOW(open_how(d, "file", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "link", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "escape", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "absolute", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "../outside", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "/etc/passwd", O_RDONLY, RESOLVE_BENEATH));
    SHOW(open_how(d, "link", O_RDONLY, RESOLVE_NO_SYMLINKS));
    SHOW(open_how(d, "/file", O_RDONLY, RESOLVE_IN_ROOT));
    SHOW(open_how(d, "../../file", O_RDONLY, RESOLVE_IN_ROOT));
    SHOW(open_how(d, "file", O_RDONLY, 1UL << 40));
    SHOW(open_how(d, "file", 1UL << 40, 0));
    struct open_how how = {.flags = O_RDONLY, .mode = 0600};
    SHOW(syscall(SYS_openat2, d, "file", &how, sizeof how));
    SHOW(syscall(SYS_openat2, d, "file", &how, 8));
    return 0;
}
