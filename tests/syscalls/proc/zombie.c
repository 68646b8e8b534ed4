/* /proc/PID of a zombie: whose its files are, and what of it an ordinary user may see. */
// guest: user = root
#include "guest.h"

#include <dirent.h>
#include <sys/prctl.h>

int main(void) {
    become_nobody();
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t info;
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    static const char *const names[] = {
        "",      "/stat", "/status",  "/cmdline", "/environ", "/maps",    "/fd",    "/fdinfo",
        "/task", "/ns",   "/net",     "/exe",     "/cwd",     "/root",    "/mem",   "/auxv",
        "/io",   "/comm", "/uid_map", "/limits",  "/mounts",  "/oom_score_adj", "/ns/pid",
        "/ns/user", "/smaps", "/cgroup", "/wchan", "/statm", "/mountinfo", "/personality"};
    for (unsigned number = 0; number < sizeof names / sizeof *names; number++) {
        char path[80], text[2000];
        snprintf(path, sizeof path, "/proc/%d%s", child, names[number]);
        struct stat status;
        errno = 0;
        int result = lstat(path, &status);
        printf("[%s] %s", names[number], result ? errno_name(errno) : "");
        if (!result)
            printf("%o %d %d", status.st_mode, status.st_uid, status.st_gid);
        if (!result && S_ISLNK(status.st_mode)) {
            ssize_t size = readlink(path, text, sizeof text);
            printf(" link %s", size < 0 ? errno_name(errno) : "ok");
        } else if (!result) {
            int fd = open(path, O_RDONLY);
            printf(" open %s", fd < 0 ? errno_name(errno) : "ok");
            if (fd >= 0 && S_ISREG(status.st_mode)) {
                ssize_t size = read(fd, text, sizeof text);
                printf(" read %s", size < 0 ? errno_name(errno) : size ? "text" : "nothing");
            }
            if (fd >= 0)
                close(fd);
        }
        printf("\n");
    }
    wait_and_show("child", child);
    return 0;
}
