/* Shared subtrees: types, peer groups, and what follows a mount, a bind, a move and an unmount. */
#include "mounts.h"

static void types(void) {
    make_directories("t");
    CHECK(mount("t", "t", "tmpfs", 0, NULL) == 0);
    SHOW(mount(NULL, "t", NULL, MS_SHARED | MS_SLAVE, NULL));
    SHOW(mount(NULL, "t", NULL, MS_SHARED | MS_NOEXEC, NULL));
    SHOW(mount(NULL, "t", NULL, MS_SHARED | MS_SILENT, NULL));
    make_directories("t/a t/b t/c t/d");
    SHOW(mount(NULL, "t/a", NULL, MS_SHARED, NULL));
    CHECK(mount("t", "t/a", NULL, MS_BIND, NULL) == 0);
    show_mounts("shared, and bound inside of itself");
    SHOW(mount(NULL, "t/a", NULL, MS_SLAVE, NULL));
    show_mounts("slave");
    SHOW(mount(NULL, "t/a", NULL, MS_SHARED, NULL));
    show_mounts("slave and shared");
    SHOW(mount(NULL, "t/a", NULL, MS_SLAVE, NULL));
    show_mounts("only slave again");
    SHOW(mount(NULL, "t/a", NULL, MS_PRIVATE, NULL));
    SHOW(mount(NULL, "t", NULL, MS_SLAVE, NULL));
    show_mounts("a slave of nobody is private");
    SHOW(mount(NULL, "t/a", NULL, MS_UNBINDABLE, NULL));
    show_mounts("unbindable");
    SHOW(mount("t/a", "t/b", NULL, MS_BIND, NULL));
    SHOW(mount(NULL, "t/a", NULL, MS_SLAVE, NULL));
    show_mounts("unbindable, then slave");
    SHOW(mount(NULL, "t", NULL, MS_SHARED | MS_REC, NULL));
    show_mounts("shared as a whole");
    SHOW(umount2("t", MNT_DETACH));
}

static void follow(void) {
    make_directories("s p q r v");
    CHECK(mount("s", "s", "tmpfs", 0, NULL) == 0);
    make_directories("s/x s/y s/x/in");
    CHECK(mount(NULL, "s", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("s", "p", NULL, MS_BIND, NULL) == 0);
    CHECK(mount("s", "q", NULL, MS_BIND, NULL) == 0);
    CHECK(mount("s", "r", NULL, MS_BIND, NULL) == 0);
    CHECK(mount("s/y", "v", NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, "q", NULL, MS_SLAVE, NULL) == 0);
    CHECK(mount(NULL, "r", NULL, MS_SLAVE, NULL) == 0);
    CHECK(mount(NULL, "r", NULL, MS_SHARED, NULL) == 0);
    CHECK(mkdir("r2", 0755) == 0);
    CHECK(mount("r", "r2", NULL, MS_BIND, NULL) == 0);
    show_mounts("a group with slaves");
    CHECK(mount("one", "s/x", "tmpfs", 0, NULL) == 0);
    show_mounts("a new mount");
    CHECK(mount("two", "q/y", "tmpfs", 0, NULL) == 0);
    CHECK(mount("three", "r2/y", "tmpfs", 0, NULL) == 0);
    show_mounts("mounts in slaves");
    CHECK(umount("p/x") == 0);
    show_mounts("unmounted in a peer");
    CHECK(mount("four", "v", "tmpfs", 0, NULL) == 0);
    show_mounts("mounted at the root of a peer that shows a part");
    SHOW(umount2("s/y", MNT_DETACH));
    show_mounts("and unmounted elsewhere");
    for (int i = 0; i < 3; i++)
        umount2("v", MNT_DETACH);
    for (int i = 0; i < 3; i++)
        umount2("r2", MNT_DETACH), umount2("r", MNT_DETACH), umount2("q", MNT_DETACH);
    SHOW(umount2("p", MNT_DETACH));
    SHOW(umount2("s", MNT_DETACH));
    show_mounts("nothing");
}

static void beneath(void) {
    make_directories("g h");
    CHECK(mount("g", "g", "tmpfs", 0, NULL) == 0);
    make_directories("g/x");
    CHECK(mount(NULL, "g", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("g", "h", NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, "h", NULL, MS_SLAVE, NULL) == 0);
    CHECK(mount("top", "h/x", "tmpfs", 0, NULL) == 0);
    CHECK(mount("below", "g/x", "tmpfs", 0, NULL) == 0);
    show_mounts("what comes goes below what is there");
    put_file("h/x/mark", "top");
    SHOW(access("h/x/mark", F_OK));
    SHOW(access("g/x/mark", F_OK));
    CHECK(umount("g/x") == 0);
    show_mounts("and goes from there");
    SHOW(access("h/x/mark", F_OK));
    CHECK(mount("below", "g/x", "tmpfs", 0, NULL) == 0);
    make_directories("g/x/y");
    CHECK(umount("h/x") == 0);
    CHECK(mount("own", "h/x/y", "tmpfs", 0, NULL) == 0);
    CHECK(umount("g/x") == 0);
    show_mounts("it stays where something is mounted in it");
    SHOW(umount2("h", MNT_DETACH));
    SHOW(umount2("g", MNT_DETACH));
}

static void busy(void) {
    CHECK(mount("g", "g", "tmpfs", 0, NULL) == 0);
    make_directories("g/x");
    CHECK(mount(NULL, "g", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount("g", "h", NULL, MS_BIND, NULL) == 0);
    CHECK(mount("one", "g/x", "tmpfs", 0, NULL) == 0);
    put_file("h/x/f", "text");
    int fd = open("h/x/f", O_RDONLY);
    SHOW(umount("g/x"));
    CHECK(close(fd) == 0);
    make_directories("g/x/y");
    CHECK(mount(NULL, "h/x", NULL, MS_PRIVATE, NULL) == 0);
    CHECK(mount("y", "h/x/y", "tmpfs", 0, NULL) == 0);
    fd = open("h/x/f", O_RDONLY);
    SHOW(umount("g/x"));
    CHECK(close(fd) == 0);
    show_mounts("a peer's with something in it counts as no obstacle");
    SHOW(umount2("h", MNT_DETACH));
    SHOW(umount2("g", MNT_DETACH));
}

static void moves(void) {
    make_directories("m n o");
    CHECK(mount("m", "m", "tmpfs", 0, NULL) == 0);
    CHECK(mount("n", "n", "tmpfs", 0, NULL) == 0);
    make_directories("m/d m/d2 n/d n/d2 n/d3");
    put_file("n/file", "");
    CHECK(mount("in", "m/d", "tmpfs", 0, NULL) == 0);
    SHOW(mount("m/d", "n/file", NULL, MS_MOVE, NULL));
    SHOW(mount("m/d2", "n/d", NULL, MS_MOVE, NULL));
    SHOW(mount("m", "m/d", NULL, MS_MOVE, NULL));
    SHOW(mount("m/d", "n/d", NULL, MS_MOVE, NULL));
    show_mounts("private to private");
    CHECK(mount(NULL, "n", NULL, MS_SHARED, NULL) == 0);
    SHOW(mount("n/d", "m/d", NULL, MS_MOVE, NULL));
    CHECK(mount("n", "o", NULL, MS_BIND, NULL) == 0);
    CHECK(mount("free", "m/d2", "tmpfs", 0, NULL) == 0);
    SHOW(mount("m/d2", "n/d2", NULL, MS_MOVE, NULL));
    show_mounts("private to shared");
    CHECK(mount("loose", "m/d2", "tmpfs", 0, NULL) == 0);
    make_directories("m/d2/sub");
    CHECK(mount("sub", "m/d2/sub", "tmpfs", 0, NULL) == 0);
    CHECK(mount(NULL, "m/d2/sub", NULL, MS_UNBINDABLE, NULL) == 0);
    SHOW(mount("m/d2", "n/d3", NULL, MS_MOVE, NULL));
    SHOW(mount("m/d2", "n/d3", NULL, MS_BIND | MS_REC, NULL));
    show_mounts("unbindable ones are left out");
    SHOW(mount("m/d2/sub", "n/d3", NULL, MS_BIND | MS_REC, NULL));
    umount2("o", MNT_DETACH);
    umount2("n", MNT_DETACH);
    umount2("m", MNT_DETACH);
}

int main(void) {
    work_in_own_tmpfs();
    types();
    follow();
    beneath();
    busy();
    moves();
    show_mounts("the end");
    return 0;
}
