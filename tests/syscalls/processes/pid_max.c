// guest: kernel = 6.14
// guest: user = root
/* /proc/sys/kernel/pid_max: the numbers of a PID namespace stay below it, and begin again at 300. */
#include "guest.h"
#include <sched.h>
#include <sys/mount.h>

#define SETTING "/proc/sys/kernel/pid_max"

static void set(const char *value) {
    int fd = open(SETTING, O_WRONLY);
    if (fd < 0) {
        printf("%s: %s\n", value, errno_name(errno));
        return;
    }
    printf("%s ", value);
    SHOW_OK(write(fd, value, strlen(value)));
    close(fd);
}

static pid_t make(void) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, NULL, 0) == child);
    return child;
}

int main(void) {
    CHECK(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0);
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
        set("300");
        set("4194305");
        set("x");
        set("320");
        show_file(SETTING);
        pid_t last = 0, now;
        while ((now = make()) > last)
            last = now;
        printf("last %d, then %d\n", last, now);
        for (int count = 0; count < 19; count++)
            last = make();
        printf("last %d, then %d\n", last, make());
        pid_t inner = fork();
        if (inner == 0) {
            CHECK(unshare(CLONE_NEWPID) == 0);
            inner = fork();
            if (inner == 0) {
                CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
                show_file(SETTING);
                _exit(0);
            }
            wait_and_show("innermost", inner);
            _exit(0);
        }
        wait_and_show("inner", inner);
        _exit(0);
    }
    wait_and_show("outer", child);
    return 0;
}
