/* openat2(2) with RESOLVE_CACHED: what is remembered can be opened, for the rest EAGAIN. */
#include "guest.h"
#include <linux/openat2.h>

static int open_cached(const char *path, uint64_t flags, uint64_t resolve) {
    struct open_how how = {.flags = flags, .resolve = resolve | RESOLVE_CACHED};
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

int main(void) {
    CHECK(mkdir("d", 0755) == 0 && mkdir("d/e", 0755) == 0 && symlink("d/e", "link") == 0);
    put_file("d/e/file", "text");
    struct stat status;
    CHECK(stat("d/e/file", &status) == 0 && stat("link/file", &status) == 0);
    SHOW_OK(open_cached("d/e/file", O_RDONLY, 0));
    SHOW_OK(open_cached("d/e/../e/./file", O_RDONLY, 0));
    SHOW_OK(open_cached("link/file", O_RDONLY, 0));
    SHOW_OK(open_cached("link/file", O_RDONLY, RESOLVE_NO_SYMLINKS));
    SHOW_OK(open_cached("d/e", O_RDONLY | O_DIRECTORY, RESOLVE_BENEATH));
    SHOW_OK(open_cached(".", O_PATH, 0));
    SHOW_OK(open_cached("d/e/file", O_WRONLY, 0));
    SHOW(open_cached("d/e/file", O_WRONLY | O_TRUNC, 0));
    SHOW(open_cached("d/e/file", O_WRONLY | O_CREAT, 0));
    SHOW(open_cached("d/e", O_WRONLY | O_TMPFILE, 0));
    SHOW(open_cached("d/e/file/x", O_RDONLY, 0));
    SHOW(open_cached("d/e/file", O_RDONLY | O_DIRECTORY, 0));
    SHOW(open_cached("link", O_RDONLY | O_NOFOLLOW, 0));
    SHOW(open_cached("../x", O_RDONLY, RESOLVE_BENEATH));
    SHOW(access("none", F_OK));
    SHOW(open_cached("none", O_RDONLY, 0));
    SHOW(open_cached("", O_RDONLY, 0));
}
