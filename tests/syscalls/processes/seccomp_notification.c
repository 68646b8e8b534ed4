/* SECCOMP_RET_USER_NOTIF: a supervisor receives, answers, continues calls and adds descriptors. */
// guest: timeout = 60
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static int filter(unsigned flags, unsigned number, unsigned action) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static int listen_for(unsigned number) {
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    int listener = filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, number, SECCOMP_RET_USER_NOTIF);
    CHECK(listener >= 0);
    return listener;
}

static short readiness(int listener) {
    struct pollfd asked = {listener, POLLIN | POLLOUT, 0};
    CHECK(poll(&asked, 1, 0) >= 0);
    return asked.revents;
}

/* What children saw: they must not print while we do. */
static long *results;

static void keep(int place, long result) {
    results[place] = result == -1 ? -errno : result;
}

/* A child that makes a call three times. */
static pid_t caller(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        for (int turn = 0; turn < 3; turn++)
            keep(turn, syscall(SYS_getpgid, 99999999, 88));
        _exit(0);
    }
    return child;
}

static void show_results(const char *who, pid_t child, int count) {
    wait_and_show(who, child);
    for (int place = 0; place < count; place++)
        printf("result %d: %ld\n", place, results[place]);
}

static struct seccomp_notif receive(int listener) {
    struct seccomp_notif asked = {0};
    CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
    return asked;
}

static void answers(void) {
    int listener = listen_for(SYS_getpgid);
    SHOW(fcntl(listener, F_GETFD));
    SHOW(fcntl(listener, F_GETFL));
    SHOW(readiness(listener));
    pid_t child = caller();
    struct pollfd wanted = {listener, POLLIN, 0};
    SHOW(poll(&wanted, 1, -1));
    SHOW(wanted.revents);
    struct seccomp_notif asked = receive(listener);
    SHOW(asked.pid == (unsigned)child);
    SHOW(asked.flags);
    SHOW(asked.data.nr == SYS_getpgid);
    SHOW(asked.data.arch);
    SHOW(asked.data.instruction_pointer != 0);
    SHOW(asked.data.args[0]);
    SHOW(asked.data.args[1]);
    SHOW(readiness(listener));
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asked.id));
    struct seccomp_notif_resp answer = {.id = asked.id, .val = 1234};
    answer.flags = 2;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    answer.flags = 0;
    answer.id++;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    answer.id--;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));

    asked = receive(listener);
    answer = (struct seccomp_notif_resp){.id = asked.id, .error = -EXDEV, .val = 5};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    asked = receive(listener);
    uint64_t other = asked.id - 1;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &other));
    answer = (struct seccomp_notif_resp){.id = asked.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    show_results("caller", child, 3);
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
}

static void bad_requests(void) {
    int listener = listen_for(SYS_getpgid);
    struct seccomp_notif asked = {.pid = 1};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked));
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, 8));
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, 8));
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, 8));
    SHOW(ioctl(listener, 0x1234, 0));
    char byte;
    SHOW(read(listener, &byte, 1));
    SHOW(lseek(listener, 0, SEEK_SET));
    SHOW(filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getppid, SECCOMP_RET_USER_NOTIF));
    SHOW(filter(64, SYS_getppid, SECCOMP_RET_USER_NOTIF));
    SHOW(filter(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, SYS_getppid, SECCOMP_RET_USER_NOTIF));
    SHOW(filter(SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC, SYS_getppid,
                SECCOMP_RET_USER_NOTIF));
    struct seccomp_notif_sizes sizes = {0};
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes));
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 8));
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
    SHOW(sizes.seccomp_notif);
    SHOW(sizes.seccomp_notif_resp);
    SHOW(sizes.seccomp_data);
    unsigned action = SECCOMP_RET_USER_NOTIF;
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    action = SECCOMP_RET_USER_NOTIF | 1;
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    SHOW(close(listener));
    SHOW(syscall(SYS_getpgid, 0));
    listener = filter(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getppid, SECCOMP_RET_USER_NOTIF);
    SHOW(listener >= 0);
}

static void descriptors(void) {
    int listener = listen_for(SYS_getpgid);
    pid_t child = fork();
    if (child == 0) {
        int number = syscall(SYS_getpgid, 0);
        char text[8] = "";
        keep(0, read(number, text, 4));
        keep(1, strcmp(text, "text"));
        keep(2, fcntl(number, F_GETFD));
        keep(3, fcntl(50, F_GETFD));
        keep(4, fcntl(50, F_GETFL) & O_ACCMODE);
        _exit(0);
    }
    int file = memfd_create("given", 0);
    CHECK(write(file, "text", 4) == 4 && lseek(file, 0, SEEK_SET) == 0);
    struct seccomp_notif asked = receive(listener);
    struct seccomp_notif_addfd given = {.id = asked.id, .srcfd = file};
    given.newfd = 50;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
    given.flags = SECCOMP_ADDFD_FLAG_SETFD;
    given.newfd_flags = O_NONBLOCK;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
    given.newfd_flags = O_CLOEXEC;
    given.srcfd = 99;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
    given.srcfd = file;
    given.id++;
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
    given.id--;
    SHOW(ioctl(listener, _IOW('!', 3, char[8]), &given));
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
    given = (struct seccomp_notif_addfd){
        .id = asked.id, .srcfd = file, .flags = SECCOMP_ADDFD_FLAG_SEND};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given) >= 0);
    show_results("receiver of a descriptor", child, 5);
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &given));
}

/* The last descriptor of the listener goes while a call waits; the last caller goes. */
static void endings(void) {
    int pair[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    pid_t child = fork();
    if (child == 0) {
        int listener = listen_for(SYS_getpgid);
        char control[CMSG_SPACE(sizeof(int))] = "", byte = 'x';
        struct iovec part = {&byte, 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                                 .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        memcpy(CMSG_DATA(header), &listener, sizeof listener);
        CHECK(sendmsg(pair[1], &message, 0) == 1);
        close(listener);
        keep(0, syscall(SYS_getpgid, 0));
        keep(1, syscall(SYS_getpgid, 0));
        keep(2, syscall(SYS_getpgid, 0));
        CHECK(read(pair[1], &byte, 1) == 1);
        _exit(0);
    }
    char control[CMSG_SPACE(sizeof(int))], byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    CHECK(recvmsg(pair[0], &message, 0) == 1);
    int listener;
    memcpy(&listener, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof listener);
    struct seccomp_notif asked = receive(listener);
    struct seccomp_notif_resp answer = {.id = asked.id, .val = 3};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer));
    receive(listener);
    SHOW(close(listener));
    CHECK(write(pair[0], "x", 1) == 1);
    show_results("who was left alone", child, 3);
}

static void no_caller_left(void) {
    int pair[2], listener, status;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    pid_t child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        listener = listen_for(SYS_getpgid);
        CHECK(write(pair[1], &listener, sizeof listener) == sizeof listener);
        _exit(0);
    }
    CHECK(read(pair[0], &listener, sizeof listener) == sizeof listener);
    struct pollfd asked = {listener, POLLIN, 0};
    SHOW(poll(&asked, 1, -1));
    SHOW(asked.revents);
    struct seccomp_notif notification = {0};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &notification));
    CHECK(waitpid(child, &status, 0) == child);
}

static void in_child(const char *name, void (*function)(void)) {
    printf("-- %s\n", name);
    pid_t child = fork();
    if (child == 0) {
        function();
        _exit(0);
    }
    wait_and_show(name, child);
}

int main(void) {
    results = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(results != MAP_FAILED);
    in_child("answers", answers);
    in_child("bad requests", bad_requests);
    in_child("descriptors", descriptors);
    in_child("endings", endings);
    in_child("no caller left", no_caller_left);
    return 0;
}
