/* /proc of other processes: a child's state, command and end. */
#include "guest.h"

static char path[64];

static const char *proc(pid_t pid, const char *file) {
    sprintf(path, "/proc/%d/%s", pid, file);
    return path;
}

static char state(pid_t pid) {
    char text[512] = "";
    int fd = open(proc(pid, "stat"), O_RDONLY);
    if (fd < 0)
        return '-';
    CHECK(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    return strrchr(text, ')')[2];
}

static void wait_for(pid_t pid, char wanted) {
    for (int i = 0; i < 2000 && state(pid) != wanted; i++)
        usleep(1000);
    printf("state %c\n", state(pid));
}

int main(void) {
    int fds[2];
    CHECK(pipe(fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        long count = read(fds[0], &byte, 1);
        _exit(count == 1 ? 3 : 4);
    }
    wait_for(child, 'S');
    CHECK(kill(child, SIGSTOP) == 0);
    wait_for(child, 'T');
    CHECK(kill(child, SIGCONT) == 0);
    wait_for(child, 'S');
    CHECK(write(fds[1], "x", 1) == 1);
    wait_for(child, 'Z');
    char data[64];
    int fd = open(proc(child, "cmdline"), O_RDONLY);
    SHOW(read(fd, data, sizeof data));
    wait_and_show("child", child);
    SHOW(access(proc(child, "stat"), F_OK));
    SHOW(read(fd, data, sizeof data) <= 0);
    return 0;
}
