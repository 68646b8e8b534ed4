/* renameat2(2): every flag with files, directories and links, in a tmpfs; sticky directories. */
// guest: user = root
#include "mounts.h"

#define NOREPLACE 1
#define EXCHANGE 2
#define WHITEOUT 4

static int renamed(const char *from, const char *to, unsigned flags) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void what(const char *path) {
    struct stat status;
    if (lstat(path, &status))
        printf("  %s: %s\n", path, errno_name(errno));
    else
        printf("  %s: %o, %d links, device %x\n", path, status.st_mode, (int)status.st_nlink,
               (unsigned)status.st_rdev);
}

static void make_tree(void) {
    CHECK(mount("t", "t", "tmpfs", 0, "mode=755") == 0 && chdir("t") == 0);
    make_directories("d d/s e full");
    put_file("f", "1");
    put_file("g", "2");
    put_file("full/x", "3");
    CHECK(link("f", "hard") == 0 && symlink("nowhere", "l") == 0);
}

static void flags(void) {
    CHECK(mkdir("t", 0755) == 0);
    static const unsigned SETS[] = {0, NOREPLACE, EXCHANGE, WHITEOUT, NOREPLACE | EXCHANGE,
                                    EXCHANGE | WHITEOUT, NOREPLACE | WHITEOUT, 8, 7};
    static const char *const PAIRS[][2] = {
        {"f", "g"},   {"f", "none"}, {"none", "f"}, {"d", "e"},     {"d", "full"}, {"d", "none"},
        {"f", "d"},   {"d", "f"},    {"f", "l"},    {"l", "f"},     {"f", "f"},    {"f", "hard"},
        {"d", "d/x"}, {"d/s", "d"},  {"full", "d"}, {"full/x", "f"}, {"f", "full/x"}, {"d", "."},
        {"..", "f"},  {"f", "none/x"}, {"f/x", "g"}, {"d/s/", "e/"}, {"f/", "g"},   {"d", "none/"},
    };
    for (unsigned s = 0; s < sizeof SETS / sizeof *SETS; s++)
        for (unsigned p = 0; p < sizeof PAIRS / sizeof *PAIRS; p++) {
            make_tree();
            printf("%s to %s with %x: ", PAIRS[p][0], PAIRS[p][1], SETS[s]);
            if (SHOW(renamed(PAIRS[p][0], PAIRS[p][1], SETS[s])) == 0) {
                what(PAIRS[p][0]);
                what(PAIRS[p][1]);
                what("d");
                what("e");
            }
            CHECK(chdir("..") == 0 && umount("t") == 0);
        }
}

static void as_user(uid_t uid, const char *title) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
        printf("%s:\n", title);
        SHOW(unlink("s/root's"));
        SHOW(rmdir("s/dir"));
        SHOW(renamed("s/root's", "s/x", 0));
        SHOW(renamed("s/mine", "s/root's", 0));
        SHOW(renamed("s/mine", "s/other's", EXCHANGE));
        SHOW(renamed("s/mine", "s/mine2", EXCHANGE));
        SHOW(renamed("s/dir", "s/dir2", 0));
        SHOW(renamed("s/mine", "s/w", WHITEOUT));
        SHOW(link("s/mine", "s/l"));
        SHOW(unlink("s/mine"));
        SHOW(unlink("s/other's"));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show(title, child);
}

static void sticky(void) {
    for (int i = 0; i < 2; i++) {
        CHECK(system("rm -rf s; mkdir s; chmod 1777 s; cd s; touch \"root's\" mine mine2 \"other's\"; "
                     "mkdir dir; chown 1234 mine mine2; chown 1235 \"other's\"") == 0);
        if (i)
            CHECK(chown("s", 1234, 0) == 0);
        as_user(1234, i ? "in an own sticky directory" : "in a sticky directory");
    }
    CHECK(mkdir("inherits", 0777) == 0 && chown("inherits", 0, 77) == 0);
    CHECK(chmod("inherits", 02777) == 0);
    umask(022);
    CHECK(mkdir("inherits/d", 0777) == 0);
    put_file("inherits/f", "");
    CHECK(mknod("inherits/p", S_IFIFO | 02777, 0) == 0 && symlink("x", "inherits/l") == 0);
    int fd = open("inherits", O_TMPFILE | O_WRONLY, 02777);
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    printf("unnamed: %o %d\n", status.st_mode, status.st_gid);
    static const char *const MADE[] = {"inherits/d", "inherits/f", "inherits/p", "inherits/l"};
    for (int i = 0; i < 4; i++) {
        CHECK(lstat(MADE[i], &status) == 0);
        printf("%s: %o %d\n", MADE[i], status.st_mode, status.st_gid);
    }
}

int main(void) {
    setbuf(stdout, NULL);
    work_in_own_tmpfs();
    flags();
    sticky();
}
