/* Access is decided by owner, group and others, and by the search right of each directory. */
#include "guest.h"

int main(void) {
    SHOW(mkdir("open", 0777));
    SHOW(chmod("open", 0777));
    put_file("secret", "s");
    SHOW(chmod("secret", 0600));
    SHOW(mkdir("closed", 0700));
    put_file("closed/inner", "i");
    CHECK(chmod(".", 0755) == 0);
    if (geteuid() != 0) /* the owner without rights sees what a stranger sees */
        CHECK(chmod("secret", 0) == 0 && chmod("closed", 0) == 0 && chmod(".", 0555) == 0);
    become_nobody();
    SHOW(open("secret", O_RDONLY));
    SHOW(open("secret", O_WRONLY));
    SHOW(access("secret", R_OK));
    SHOW(access("secret", F_OK));
    SHOW(open("closed/inner", O_RDONLY));
    SHOW(open("closed", O_RDONLY));
    SHOW(access("closed/missing", F_OK));
    SHOW(open("new", O_WRONLY | O_CREAT, 0600));
    SHOW(mkdir("new", 0700));
    SHOW(unlink("open"));
    SHOW(unlink("secret"));
    SHOW(rename("secret", "open/secret"));
    SHOW(link("open", "x"));
    SHOW(symlink("x", "y"));
    int fd = SHOW(open("open/mine", O_RDWR | O_CREAT, 0));
    SHOW(write(fd, "x", 1));
    SHOW(open("open/mine", O_RDONLY));
    SHOW(chmod("open/mine", 0400));
    SHOW(open("open/mine", O_RDONLY) >= 0);
    SHOW(open("open/mine", O_RDWR));
    SHOW(truncate("open/mine", 0));
    SHOW(mkdir("open/d", 0300));
    SHOW(open("open/d", O_RDONLY));
    SHOW(chdir("open/d"));
    SHOW(chown("open", 0, 0));
    SHOW(chdir(".."));
    return 0;
}
