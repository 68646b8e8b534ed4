// guest: kernel = 6.12
/* proc_pid_fdinfo(5) of each kind of file, with what differs between two runs left out. */
#include "guest.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

/* Print the lines; of those that tell of inodes and the like only the names of what is in them. */
static void show(const char *what, int fd) {
    char path[64], line[512], target[256];
    CHECK(fd >= 0);
    sprintf(path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, target, sizeof target - 1);
    CHECK(size > 0);
    target[size] = 0;
    char *bracket = strchr(target, '[');
    if (bracket && target[0] != 'a' && target[0] != '/')
        strcpy(bracket, "[N]");
    printf("-- %s: %s\n", what, target[0] == '/' && target[1] != 'm' ? strrchr(target, '/') : target);
    sprintf(path, "/proc/self/fdinfo/%d", fd);
    FILE *file = fopen(path, "r");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        if (!strncmp(line, "mnt_id:", 7) || !strncmp(line, "ino:", 4) ||
            !strncmp(line, "eventfd-id:", 11)) {
            printf("%.*s\n", (int)(strchr(line, ':') - line + 1), line);
            continue;
        }
        for (char *letter = line; *letter; letter++) {
            /* numbers that follow these names differ from run to run */
            static const char *const names[] = {"ino:", "sdev:", "tfd:", "Pid:", "NSpid:",
                                                "f_handle:", "it_value: (", "inode:"};
            for (unsigned number = 0; number < sizeof names / sizeof *names; number++) {
                size_t length = strlen(names[number]);
                if (!strncmp(letter, names[number], length)) {
                    char *end = letter + length;
                    end += strspn(end, " \t");
                    size_t digits = strspn(end, "0123456789abcdef");
                    memmove(end + 1, end + digits, strlen(end + digits) + 1);
                    *end = 'N';
                }
            }
        }
        /* the handle by which open_by_handle_at(2) finds the inode */
        char *handle = strstr(line, " fhandle-bytes:");
        if (handle)
            strcpy(handle, "\n");
        printf("%s", line);
    }
    fclose(file);
}

int main(void) {
    int file = open("file", O_CREAT | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
    CHECK(write(file, "content", 7) == 7);
    show("file", file);
    show("directory", open(".", O_RDONLY | O_DIRECTORY));
    show("path", open(".", O_PATH));
    show("truncated", open("file", O_WRONLY | O_TRUNC | O_SYNC));
    int ends[2];
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    show("pipe", ends[0]);
    show("pipe", ends[1]);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    show("socket", ends[0]);
    show("null", open("/dev/null", O_RDWR));
    show("eventfd", eventfd(5, 0));
    show("semaphore", eventfd(31, EFD_SEMAPHORE | EFD_NONBLOCK));
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 0x1234};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
    show("epoll", epoll);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMAX);
    show("signalfd", signalfd(-1, &set, SFD_CLOEXEC));
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    show("timerfd", timer);
    struct itimerspec setting = {.it_interval = {300, 5}, .it_value = {0, 1}};
    CHECK(timerfd_settime(timer, 0, &setting, NULL) == 0);
    usleep(20000);
    show("expired timerfd", timer);
    int watches = inotify_init1(0);
    CHECK(inotify_add_watch(watches, ".", IN_CREATE | IN_DELETE) > 0);
    show("inotify", watches);
    pid_t child = fork();
    if (child == 0)
        pause();
    int process = (int)syscall(SYS_pidfd_open, child, 0);
    show("pidfd", process);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    show("pidfd of nobody", process);
    show("memfd", memfd_create("memory", MFD_ALLOW_SEALING));
    int locked = open("file", O_RDWR);
    CHECK(flock(locked, LOCK_EX) == 0);
    struct flock range = {.l_type = F_WRLCK, .l_start = 10, .l_len = 5};
    CHECK(fcntl(locked, F_SETLK, &range) == 0);
    char path[64], line[256];
    sprintf(path, "/proc/self/fdinfo/%d", locked);
    FILE *information = fopen(path, "r");
    int locks = 0;
    while (fgets(line, sizeof line, information))
        locks += !strncmp(line, "lock:", 5);
    printf("%d locks\n", locks);
    return 0;
}
