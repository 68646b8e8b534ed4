/* Makes many different system calls, so that two tracers of it can be compared.
 * What differs between machines or runs (pids, addresses) is left out by the test. */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void files(void)
{
    char data[100];
    struct stat status;
    struct statx extended;
    int fd = openat(AT_FDCWD, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    write(fd, "tab\tquote\"newline\n\1\0019\377 and more than is shown of it", 52);
    lseek(fd, 4, SEEK_SET);
    read(fd, data, sizeof data);
    pread(fd, data, 3, 0);
    struct iovec vector[2] = {{data, 2}, {data + 10, 5}};
    writev(fd, vector, 2);
    lseek(fd, 0, SEEK_SET);
    readv(fd, vector, 2);
    fstat(fd, &status);
    stat("missing", &status);
    lstat("/dev/null", &status);
    syscall(SYS_statx, AT_FDCWD, "file", AT_SYMLINK_NOFOLLOW, STATX_SIZE, &extended);
    fcntl(fd, F_GETFD);
    fcntl(fd, F_SETFD, 0);
    fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, O_APPEND);
    fcntl(fd, F_DUPFD_CLOEXEC, 20);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 5};
    fcntl(fd, F_SETLK, &lock);
    flock(fd, LOCK_EX | LOCK_NB);
    ftruncate(fd, 10);
    fsync(fd);
    fchmod(fd, 04711);
    dup3(fd, 21, O_CLOEXEC);
    close(fd);
    close(99);
    access("file", R_OK | W_OK);
    mkdirat(AT_FDCWD, "directory", 0755);
    symlink("file", "link");
    readlink("link", data, sizeof data);
    renameat2(AT_FDCWD, "link", AT_FDCWD, "directory/link", RENAME_NOREPLACE);
    unlinkat(AT_FDCWD, "directory/link", 0);
    unlinkat(AT_FDCWD, "directory", AT_REMOVEDIR);
    struct timespec when[2] = {{1, 2}, {0, UTIME_OMIT}};
    utimensat(AT_FDCWD, "file", when, 0);
    umask(027);
    umask(0);
    chown("file", -1, -1);
    unlink("file");
    ioctl(0, TIOCGWINSZ, data);
    ioctl(20, FIONREAD, data);
}

static void memory(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(page, 4096, PROT_NONE);
    madvise(page + 4096, 4096, MADV_DONTNEED);
    mremap(page + 4096, 4096, 8192, MREMAP_MAYMOVE);
    munmap(page, 4096);
    mmap(NULL, 4096, PROT_READ, MAP_SHARED, 99, 4096);
    int word = 1;
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
    syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void on_signal(int number)
{
    (void)number;
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t set, previous;
    sigaddset(&action.sa_mask, SIGTERM);
    sigaction(SIGUSR1, &action, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigpending(&set);
    sigfillset(&set);
    sigprocmask(SIG_UNBLOCK, &set, &previous);
    stack_t stack = {.ss_flags = SS_DISABLE};
    sigaltstack(&stack, NULL);
    kill(0x7ffffff0, SIGTERM);
    struct itimerval timer = {{0, 0}, {100, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    alarm(0);
}

static void processes(void)
{
    int status;
    struct rlimit limit = {100, 200};
    syscall(SYS_setrlimit, RLIMIT_CORE, &limit);
    syscall(SYS_getrlimit, RLIMIT_CORE, &limit);
    syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
    prctl(PR_SET_NAME, "renamed");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_GET_DUMPABLE);
    prctl(PR_CAPBSET_READ, 21);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    wait4(-1, &status, WNOHANG, NULL);
    waitid(P_ALL, 0, NULL, WEXITED | WNOHANG);
    sched_yield();
    setpriority(PRIO_PROCESS, 0, 5);
    char *arguments[] = {"program", "an argument", NULL};
    execve("/nonexistent", arguments, arguments + 2);
    struct timespec rest = {0, 1000};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
    syscall(SYS_clock_gettime, 99, &rest);
    syscall(SYS_getrandom, NULL, 0, GRND_NONBLOCK);
}

static void events(void)
{
    int pipes[2], pair[2];
    char byte;
    pipe2(pipes, O_NONBLOCK);
    read(pipes[0], &byte, 1);
    struct pollfd polled[2] = {{pipes[0], POLLIN, 0}, {pipes[1], POLLOUT | POLLERR, 0}};
    poll(polled, 2, 100);
    poll(polled, 1, 0);
    struct timespec timeout = {0, 1000};
    syscall(SYS_ppoll, polled, 2, &timeout, NULL, 8);
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(pipes[0], &reading);
    FD_SET(pipes[1], &writing);
    syscall(SYS_select, pipes[1] + 1, &reading, &writing, NULL, NULL);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {EPOLLOUT | EPOLLET, {.u64 = 7}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[1], &event);
    epoll_wait(epoll, &event, 10, 1000);
    epoll_wait(epoll, &event, 10, 0);
    eventfd(3, EFD_NONBLOCK);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec setting = {{0, 0}, {50, 0}};
    timerfd_settime(timer, 0, &setting, NULL);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    sendto(pair[0], "hello", 5, MSG_NOSIGNAL, NULL, 0);
    struct iovec vector = {&byte, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    recvmsg(pair[1], &message, MSG_PEEK);
    recvfrom(pair[1], &byte, 1, MSG_DONTWAIT, NULL, NULL);
    int one = 1;
    setsockopt(pair[0], SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    socklen_t length = sizeof one;
    getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &one, &length);
    shutdown(pair[0], SHUT_WR);
    int inet = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
    bind(inet, (struct sockaddr *)&address, sizeof address);
    listen(inet, 5);
    struct sockaddr_un missing = {AF_UNIX, "missing"};
    connect(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&missing, 10);
}

int main(void)
{
    for (int fd = 3; fd < 60; fd++)
        syscall(SYS_close, fd);
    getppid(); /* the comparison begins after this */
    files();
    memory();
    signals();
    processes();
    events();
    syscall(SYS_exit_group, 3);
}
