/* A signal comes while a call waits for its supervisor: restarts, WAIT_KILLABLE_RECV. */
// guest: timeout = 60
#include "guest.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

static int listen_for(unsigned number, unsigned flags) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {4, code};
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
    int listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    CHECK(listener >= 0);
    return listener;
}

static int pipe_of_handler[2];

static void handler(int signal) {
    (void)signal;
    CHECK(write(pipe_of_handler[1], "h", 1) == 1);
}

static struct seccomp_notif receive(int listener) {
    struct seccomp_notif asked = {0};
    CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) == 0);
    return asked;
}

static void answer(int listener, uint64_t id, int value) {
    struct seccomp_notif_resp reply = {.id = id, .val = value};
    CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply) == 0);
}

/* A child must not print while its parent does. */
static void exit_with(long result) {
    _exit(result == -1 ? 100 + errno : result);
}

/* A call of a number that nobody has, or of one that is never restarted by itself. */
static void interrupted(unsigned number, unsigned flags, int action_flags) {
    char byte;
    CHECK(pipe(pipe_of_handler) == 0);
    int listener = listen_for(number, flags);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = handler, .sa_flags = action_flags};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        exit_with(syscall(number, -1, 0, 0, 0));
    }
    struct seccomp_notif first = receive(listener);
    CHECK(kill(child, SIGUSR1) == 0);
    if (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &first.id));
        answer(listener, first.id, 11);
        CHECK(read(pipe_of_handler[0], &byte, 1) == 1);
    } else {
        CHECK(read(pipe_of_handler[0], &byte, 1) == 1);
        SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &first.id));
        if (action_flags & SA_RESTART) {
            struct seccomp_notif again = receive(listener);
            SHOW(again.id == first.id);
            answer(listener, again.id, 22);
        }
    }
    wait_and_show("caller", child);
}

/* Stopped and continued without a handler: the call is made again. */
static void stopped(void) {
    int status;
    int listener = listen_for(SYS_getpgid, 0);
    pid_t child = fork();
    if (child == 0) {
        exit_with(syscall(SYS_getpgid, -1));
    }
    struct seccomp_notif first = receive(listener);
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &first.id));
    CHECK(kill(child, SIGCONT) == 0);
    struct seccomp_notif again = receive(listener);
    SHOW(again.data.nr == SYS_getpgid);
    answer(listener, again.id, 33);
    wait_and_show("continued caller", child);
}

static void killed(unsigned flags) {
    int listener = listen_for(SYS_getpgid, flags);
    pid_t child = fork();
    if (child == 0) {
        syscall(SYS_getpgid, -1);
        _exit(0);
    }
    struct seccomp_notif first = receive(listener);
    CHECK(kill(child, SIGKILL) == 0);
    wait_and_show("killed caller", child);
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &first.id));
}

/* The receiver itself is interrupted. */
static void receiver(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(pipe(pipe_of_handler) == 0);
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    int listener = listen_for(SYS_getpgid, 0);
    struct itimerval soon = {{0, 50000}, {0, 50000}};
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    struct seccomp_notif asked = {0};
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked));
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

static void with_restart(void) { interrupted(SYS_getpgid, 0, SA_RESTART); }
static void without_restart(void) { interrupted(SYS_getpgid, 0, 0); }
static void unknown_call(void) { interrupted(400, 0, SA_RESTART); }
static void never_restarted(void) { interrupted(SYS_poll, 0, SA_RESTART); }
static void killable(void) {
    interrupted(SYS_getpgid, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, 0);
}
static void killed_plain(void) { killed(0); }
static void killed_killable(void) { killed(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV); }

int main(void) {
    in_child("SA_RESTART", with_restart);
    in_child("no SA_RESTART", without_restart);
    in_child("unknown call", unknown_call);
    in_child("poll", never_restarted);
    in_child("killable", killable);
    in_child("stopped", stopped);
    in_child("killed", killed_plain);
    in_child("killed when killable", killed_killable);
    in_child("receiver", receiver);
    return 0;
}
