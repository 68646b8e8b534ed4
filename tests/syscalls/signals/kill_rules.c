/* kill(2), tkill, tgkill, rt_sigqueueinfo: targets that are none, numbers, rights of nobody. */
#include "guest.h"
// guest: user = root
#include <sys/prctl.h>

static void show(const char *what, pid_t victim) {
    printf("-- %s\n", what);
    SHOW(kill(victim, 0));
    SHOW(kill(victim, SIGCONT));
    SHOW(kill(victim, -1));
    SHOW(kill(victim, 65));
    SHOW(syscall(SYS_tkill, victim, 0));
    SHOW(syscall(SYS_tgkill, victim, victim, 0));
    SHOW(syscall(SYS_tgkill, getpid(), victim, 0));
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    SHOW(syscall(SYS_rt_sigqueueinfo, victim, 0, &info));
    info.si_code = SI_TKILL;
    SHOW(syscall(SYS_rt_sigqueueinfo, victim, SIGCONT, &info));
    info.si_code = 0;
    SHOW(syscall(SYS_rt_sigqueueinfo, victim, SIGCONT, &info));
    SHOW(syscall(SYS_rt_tgsigqueueinfo, victim, victim, SIGCONT, &info));
}

static pid_t sleeper(int session) {
    int ends[2];
    char byte;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (session)
            setsid();
        CHECK(write(ends[1], "x", 1) == 1);
        for (;;)
            pause();
    }
    CHECK(read(ends[0], &byte, 1) == 1);
    close(ends[0]);
    close(ends[1]);
    return child;
}

int main(void) {
    setpgid(0, 0);
    SHOW(kill(99999999, 0));
    SHOW(kill(-99999999, 0));
    SHOW(kill(-2147483648, 0));
    SHOW(syscall(SYS_tkill, 0, 0));
    SHOW(syscall(SYS_tkill, -1, 0));
    SHOW(syscall(SYS_tkill, 99999999, 0));
    SHOW(syscall(SYS_tgkill, 0, 1, 0));
    SHOW(syscall(SYS_tgkill, 1, 0, 0));
    SHOW(syscall(SYS_tgkill, getpid(), 99999999, 0));
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), 0, 8));
    SHOW(kill(0, 0));
    show("self", getpid());
    pid_t child = sleeper(0), apart = sleeper(1);
    show("child", child);
    int status;
    pid_t zombie = fork();
    if (zombie == 0)
        _exit(0);
    siginfo_t info;
    CHECK(waitid(P_PID, zombie, &info, WEXITED | WNOWAIT) == 0);
    show("zombie", zombie);
    SHOW(kill(zombie, SIGKILL));
    CHECK(waitpid(zombie, &status, 0) == zombie);
    show_status("zombie", status);
    fflush(stdout);
    if (geteuid() == 0) {
        pid_t other = fork();
        if (other == 0) {
            become_nobody();
            show("nobody to child", child);
            show("nobody to another session", apart);
            SHOW(kill(-apart, SIGCONT));
            _exit(0);
        }
        wait_and_show("nobody", other);
    }
    CHECK(kill(child, SIGKILL) == 0 && kill(apart, SIGKILL) == 0);
    wait_and_show("child", child);
    wait_and_show("apart", apart);
    return 0;
}
