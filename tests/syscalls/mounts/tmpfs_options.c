/* tmpfs(5): its options at mount and remount, what of them is shown, and what they limit. */
#include "contexts.h"
#include <sys/statfs.h>

static const char *const GOOD[] = {
    "",
    "size=1m",
    "size=1M,nr_inodes=10",
    "size=5000",
    "size=0x2000",
    "size=010k",
    "size=1",
    "size=0",
    "nr_blocks=3",
    "nr_blocks=1k",
    "nr_blocks=0,nr_inodes=0",
    "nr_inodes=0",
    "nr_inodes=2k",
    "mode=700",
    "mode=0700",
    "mode=1777",
    "mode=7",
    "mode=017777",
    "uid=1,gid=2",
    "uid=0x10",
    "size=1m,size=2m",
    ",size=1m,,mode=700,",
    "=x,size=1m",
    "noswap",
    "rw,sync",
    "ro",
    "source=other",
    "lazytime,dirsync",
    "mand",
    "huge=never",
};

static const char *const BAD[] = {
    "size=",        "size",           "size=x",       "size=1mm",     "size=1.5m",   "size=10%x",
    "nr_blocks=x",  "nr_blocks=50%",  "nr_inodes=-x", "nr_inodes",    "mode=8",      "mode=rw",
    "mode",         "mode=-1",        "uid=-1",       "uid=root",     "gid=x",       "uid=4294967295",
    "uid=99999999999",                "huge=maybe",   "huge",         "none",        "noswap=1",
    "nosize",       "inode64=1",      "size=1m,what", "what=1",       "quota=1",     "ro=1,what",
    "Size=1m",      " size=1m",       "size =1m",     "source=a,source=b",
};

static void at_mount(void) {
    make_directories("m");
    for (unsigned i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
        printf("\"%s\":", GOOD[i]);
        SHOW(mount(NULL, "m", "tmpfs", 0, GOOD[i]));
        show_options("m");
        struct stat status;
        CHECK(stat("m", &status) == 0);
        printf("  mode %o, uid %d, gid %d\n", status.st_mode, status.st_uid, status.st_gid);
        CHECK(umount("m") == 0);
    }
    for (unsigned i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        printf("\"%s\": ", BAD[i]);
        SHOW(mount("name", "m", "tmpfs", 0, BAD[i]));
    }
    SHOW(mount("m", "m", "tmpfs", 0, "size=50%"));
    struct statfs shown;
    CHECK(statfs("m", &shown) == 0);
    printf("half of the memory: %d\n", shown.f_blocks > 0 && shown.f_bfree == shown.f_blocks);
    SHOW(umount("m"));
}

static const char *const CHANGES[] = {
    "size=2m", "size=4k", "size=0",   "nr_inodes=50", "nr_inodes=2", "nr_inodes=0", "mode=700",
    "uid=5",   "gid=5",   "noswap",   "huge=never",   "what",        "size=x",      "ro",
    "rw",      "",        "size=1m,nr_inodes=20,mode=711",
};

static void changes(const char *options) {
    printf("remounts of \"%s\":\n", options);
    CHECK(mount("m", "m", "tmpfs", 0, options) == 0);
    CHECK(mkdir("m/d", 0755) == 0);
    char path[16], content[20000];
    memset(content, 'x', sizeof content);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "m/f%d", i);
        int fd = open(path, O_WRONLY | O_CREAT, 0644);
        CHECK(write(fd, content, sizeof content) == sizeof content && close(fd) == 0);
    }
    for (unsigned i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++) {
        printf("\"%s\":", CHANGES[i]);
        SHOW(mount(NULL, "m", NULL, MS_REMOUNT, CHANGES[i]));
        show_options("m");
    }
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT | MS_BIND, "what"));
    CHECK(umount("m") == 0);
}

static const char *const MESSAGES[] = {"size=0",      "size=4k",      "nr_inodes=2", "nr_inodes=0",
                                       "nr_inodes=9", "size=3m",      "noswap=",     "mode=x",
                                       "uid=x",       "huge=maybe",   "gid=-1",      "size="};

static void messages(const char *options) {
    printf("messages of \"%s\":\n", options);
    CHECK(mount("m", "m", "tmpfs", 0, options) == 0);
    put_file("m/a", "some content");
    put_file("m/b", "some content");
    put_file("m/c", "some content");
    for (unsigned i = 0; i < sizeof MESSAGES / sizeof *MESSAGES; i++) {
        int fd;
        FSPICK("m");
        char key[32];
        snprintf(key, sizeof key, "%s", MESSAGES[i]);
        char *value = strchr(key, '=');
        *value++ = 0;
        printf("%s=%s: ", key, value);
        SHOW(set_string(fd, key, value));
        show_log(fd);
        SHOW(reconfigure(fd));
        show_log(fd);
        SHOW(reconfigure(fd));
        CHECK(close(fd) == 0);
    }
    show_options("m");
    CHECK(umount("m") == 0);
}

static void limits(void) {
    CHECK(mount("m", "m", "tmpfs", 0, "size=16k,nr_inodes=4") == 0);
    struct statfs shown;
    CHECK(statfs("m", &shown) == 0);
    printf("type %lx, blocks %ld of %ld, files %ld, free %ld\n", shown.f_type, shown.f_blocks,
           shown.f_bsize, shown.f_files, shown.f_ffree);
    static char content[32768];
    int fd = open("m/f", O_RDWR | O_CREAT, 0644);
    SHOW(write(fd, content, sizeof content));
    SHOW(write(fd, content, sizeof content));
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT, "size=32k"));
    SHOW(write(fd, content, sizeof content));
    SHOW(ftruncate(fd, 4096));
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT, "size=8k"));
    SHOW(write(fd, content, sizeof content));
    SHOW(mkdir("m/1", 0755));
    SHOW(mkdir("m/2", 0755));
    SHOW(mkdir("m/3", 0755));
    SHOW(symlink("x", "m/link"));
    SHOW(mount(NULL, "m", NULL, MS_REMOUNT, "nr_inodes=5"));
    SHOW(symlink("x", "m/link"));
    SHOW(link("m/f", "m/f2"));
    CHECK(close(fd) == 0);
    CHECK(umount("m") == 0);
}

static void ramfs(void) {
    static const char *const OPTIONS[] = {"", "mode=700", "mode=755", "mode=x", "size=1m", "what",
                                          "size=1m,mode=1777", "source=x", "ro"};
    for (unsigned i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        printf("ramfs \"%s\": ", OPTIONS[i]);
        if (SHOW(mount("m", "m", "ramfs", 0, OPTIONS[i])))
            continue;
        show_options("m");
        struct stat status;
        struct statfs shown;
        CHECK(stat("m", &status) == 0 && statfs("m", &shown) == 0);
        printf("  mode %o, type %lx, %ld blocks, %ld files\n", status.st_mode, shown.f_type,
               shown.f_blocks, shown.f_files);
        SHOW(mount(NULL, "m", NULL, MS_REMOUNT, "what,mode=711"));
        show_options("m");
        CHECK(umount("m") == 0);
    }
}

int main(void) {
    work_in_own_tmpfs();
    at_mount();
    changes("");
    changes("size=1m,nr_inodes=20,noswap");
    messages("size=0");
    messages("size=1m,nr_inodes=20");
    limits();
    ramfs();
}
