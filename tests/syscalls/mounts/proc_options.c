/* proc(5): hidepid=, gid= and subset=, at mount and at remount, and what they hide. */
#include "contexts.h"
#include <dirent.h>

static const char *const OPTIONS[] = {
    "",           "hidepid=0",     "hidepid=1",         "hidepid=2",     "hidepid=4",
    "hidepid=3",  "hidepid=off",   "hidepid=noaccess",  "hidepid=x",     "hidepid=invisible",
    "hidepid",    "hidepid=",      "hidepid=ptraceable", "gid=5",        "gid=x",
    "subset=pid", "subset=,pid",   "subset=sys",        "subset",        "hidepid=2,gid=0",
    "what",       "size=1m",       "hidepid=1,hidepid=2,gid=7",
};

static void at_mount(void) {
    make_directories("p");
    for (unsigned i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        printf("\"%s\": ", OPTIONS[i]);
        if (SHOW(mount("proc", "p", "proc", 0, OPTIONS[i])) == 0) {
            show_options("p");
            SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "gid=9"));
            show_options("p");
            SHOW(mount(NULL, "p", NULL, MS_REMOUNT, "what"));
            CHECK(umount("p") == 0);
        }
        int fd;
        FSOPEN("proc");
        char copy[64], *value;
        snprintf(copy, sizeof copy, "%s", OPTIONS[i]);
        for (char *key = strtok(copy, ","); key; key = strtok(NULL, ",")) {
            if ((value = strchr(key, '=')))
                *value++ = 0;
            SHOW(value ? set_string(fd, key, value) : set_flag(fd, key));
            show_log(fd);
        }
        CHECK(close(fd) == 0);
    }
}

static int count(const char *path, int (*is_one)(int character)) {
    DIR *directory = opendir(path);
    int found = 0;
    if (!directory)
        return -1;
    for (struct dirent *entry; (entry = readdir(directory));)
        found += is_one((unsigned char)entry->d_name[0]);
    closedir(directory);
    return found;
}

static int is_digit(int character) {
    return character >= '0' && character <= '9';
}

static int is_name(int character) {
    return character >= 'a' && character <= 'z';
}

static pid_t others;

static void look(const char *who) {
    char path[64];
    struct stat status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setresgid(1234, 1234, 1234) == 0 && setresuid(1234, 1234, 1234) == 0);
        printf("%s:\n", who);
        snprintf(path, sizeof path, "p/%d", others);
        SHOW(stat(path, &status));
        SHOW_OK(open(path, O_RDONLY | O_DIRECTORY));
        printf("its entries: %d\n", count(path, is_name) > 5);
        snprintf(path, sizeof path, "p/%d/status", others);
        SHOW_OK(open(path, O_RDONLY));
        SHOW(stat(path, &status));
        snprintf(path, sizeof path, "p/%d/../%d/cmdline", getpid(), others);
        SHOW_OK(open(path, O_RDONLY));
        SHOW_OK(open("p/self/status", O_RDONLY));
        SHOW(access("p/thread-self/comm", F_OK));
        SHOW(access("p/uptime", F_OK));
        SHOW(access("p/sys/kernel", F_OK));
        int processes = count("p", is_digit);
        printf("processes: %s, names: %d\n", processes > 1 ? "all" : "own",
               count("p", is_name) > 5);
        fflush(stdout);
        _exit(0);
    }
    wait_and_show(who, child);
}

static void what_is_hidden(void) {
    static const char *const MODES[] = {"hidepid=0", "hidepid=1", "hidepid=2", "hidepid=4",
                                        "hidepid=2,gid=1234", "hidepid=4,gid=1234",
                                        "hidepid=0,subset=pid"};
    others = getpid();
    CHECK(mount("proc", "p", "proc", 0, NULL) == 0);
    for (unsigned i = 0; i < sizeof MODES / sizeof *MODES; i++) {
        CHECK(mount(NULL, "p", NULL, MS_REMOUNT, MODES[i]) == 0);
        look(MODES[i]);
    }
    CHECK(umount("p") == 0);
}

int main(void) {
    work_in_own_tmpfs();
    at_mount();
    what_is_hidden();
}
