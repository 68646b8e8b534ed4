/* pidfd_send_signal(2): to a thread, to a process, to the process group of its number. */
#include "guest.h"

#ifndef PIDFD_SIGNAL_THREAD
#define PIDFD_SIGNAL_THREAD 1
#define PIDFD_SIGNAL_THREAD_GROUP 2
#define PIDFD_SIGNAL_PROCESS_GROUP 4
#endif

static int send_signal(int fd, int number, siginfo_t *info, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, number, info, flags);
}

static void take(const char *how) {
    sigset_t waited;
    sigemptyset(&waited);
    sigaddset(&waited, SIGUSR1);
    siginfo_t info;
    CHECK(sigwaitinfo(&waited, &info) == SIGUSR1);
    printf("%s: code %d, from myself %d\n", how, info.si_code, info.si_pid == getpid());
}

int main(void) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    CHECK(self >= 0);
    SHOW(send_signal(self, SIGUSR1, NULL, 0));
    take("0");
    SHOW(send_signal(self, SIGUSR1, NULL, PIDFD_SIGNAL_THREAD));
    take("thread");
    SHOW(send_signal(self, SIGUSR1, NULL, PIDFD_SIGNAL_THREAD_GROUP));
    take("thread group");
    SHOW(send_signal(self, SIGUSR1, NULL, PIDFD_SIGNAL_THREAD | PIDFD_SIGNAL_THREAD_GROUP));
    SHOW(send_signal(self, SIGUSR1, NULL, 8));
    SHOW(send_signal(self, 99, NULL, PIDFD_SIGNAL_THREAD));

    pid_t founder = fork();
    if (founder == 0) {
        pause();
        _exit(0);
    }
    CHECK(setpgid(founder, founder) == 0);
    pid_t member = fork();
    if (member == 0) {
        pause();
        _exit(0);
    }
    int of_member = syscall(SYS_pidfd_open, member, 0);
    SHOW(send_signal(of_member, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP));
    CHECK(setpgid(member, founder) == 0);
    SHOW(send_signal(of_member, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP));
    int of_founder = syscall(SYS_pidfd_open, founder, 0);
    siginfo_t info = {.si_signo = SIGTERM, .si_code = SI_USER};
    SHOW(send_signal(of_founder, SIGTERM, &info, PIDFD_SIGNAL_PROCESS_GROUP));
    SHOW(send_signal(of_founder, 0, NULL, PIDFD_SIGNAL_PROCESS_GROUP));
    SHOW(send_signal(of_founder, SIGTERM, NULL, PIDFD_SIGNAL_PROCESS_GROUP));
    wait_and_show("founder", founder);
    wait_and_show("member", member);
    return 0;
}
