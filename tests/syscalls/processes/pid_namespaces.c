/* pid_namespaces(7): numbers in every level, what init is spared, and what its death does. */
// guest: user = root
// guest: timeout = 30
#include "guest.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <linux/sched.h>

static int pidfd_open_(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* The lines of status about numbers, as many as there are. */
static void show_numbers(const char *who) {
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file)) {
        char name[32];
        int count = 0, position = 0, value, used;
        if (sscanf(line, "%31[^:]:%n", name, &position) != 1 || strncmp(name, "NS", 2))
            continue;
        printf("%s: %s", who, name);
        while (sscanf(line + position, "%d%n", &value, &used) == 1) {
            position += used;
            if (count++)
                printf(" %d", value);
        }
        printf(" (%d levels)\n", count);
    }
    fclose(file);
}

static volatile sig_atomic_t caught;
static volatile pid_t sender;

static void handler(int number, siginfo_t *info, void *context) {
    (void)context;
    caught = number;
    sender = info->si_pid;
}

static void handle(int number) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(number, &action, NULL) == 0);
}

static pid_t fork_into_new(void) {
    struct clone_args arguments = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    CHECK(child >= 0);
    return child;
}

static int ends[2];

static void tell(char letter) {
    CHECK(write(ends[1], &letter, 1) == 1);
}

static void wait_for(char letter) {
    char got;
    CHECK(read(ends[0], &got, 1) == 1 && got == letter);
}

static void numbers(void) {
    pid_t child = fork_into_new();
    if (child == 0) {
        SHOW(getpid());
        SHOW(gettid());
        SHOW(getppid());
        SHOW(getpgrp());
        SHOW(getsid(0));
        SHOW(setpgid(0, 0));
        SHOW(getpgrp());
        SHOW(setsid());
        SHOW(kill(0, 0));
        SHOW(kill(2, 0));
        SHOW(kill(-1, 0));
        show_numbers("level 1");
        pid_t inner = fork_into_new();
        if (inner == 0) {
            show_numbers("level 2");
            CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
            show_numbers("own proc");
            inner = fork();
            if (inner == 0) {
                SHOW(getpid());
                SHOW(getppid());
                show_numbers("child");
                _exit(0);
            }
            wait_and_show("child", inner);
            SHOW(access("/proc/2", F_OK));
            char target[32];
            ssize_t size = readlink("/proc/self", target, sizeof target - 1);
            printf("self %.*s\n", (int)size, target);
            CHECK(umount("/proc") == 0);
            _exit(3);
        }
        printf("inner is %d here\n", inner);
        wait_and_show("inner", inner);
        _exit(0);
    }
    wait_and_show("numbers", child);
}

/* Signals that init has no handler for do not reach it, but for KILL and STOP from outside. */
static void signals_of_init(void) {
    pid_t child = fork_into_new();
    if (child == 0) {
        SHOW(kill(getpid(), SIGTERM));
        SHOW(kill(getpid(), SIGKILL));
        SHOW(kill(getpid(), SIGSTOP));
        SHOW(raise(SIGUSR1));
        handle(SIGUSR2);
        handle(SIGHUP);
        SHOW(kill(getpid(), SIGUSR2));
        printf("caught %d from %d\n", caught, sender);
        pid_t other = fork();
        if (other == 0) {
            SHOW(kill(1, SIGKILL));
            SHOW(kill(1, SIGSEGV));
            SHOW(kill(1, SIGUSR2));
            _exit(0);
        }
        CHECK(waitpid(other, NULL, 0) == other);
        printf("caught %d from %d\n", caught, sender);
        tell('r');
        while (caught != SIGHUP)
            pause();
        printf("caught %d from %d\n", caught, sender);
        tell('h');
        for (;;)
            pause();
    }
    wait_for('r');
    SHOW(kill(child, SIGTERM)); /* ignored: no handler */
    CHECK(kill(child, SIGHUP) == 0);
    wait_for('h');
    SHOW(kill(child, SIGSTOP));
    int status;
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    show_status("init", status);
    SHOW(kill(child, SIGCONT));
    SHOW(kill(child, SIGKILL));
    wait_and_show("init", child);
}

/* Orphans go to init; everybody ends with it; nobody can be made afterwards. */
static void death_of_init(void) {
    CHECK(unshare(CLONE_NEWPID) == 0);
    SHOW(unshare(CLONE_NEWPID));
    pid_t init = fork();
    if (init == 0) {
        pid_t middle = fork();
        if (middle == 0) {
            pid_t orphan = fork();
            if (orphan == 0) {
                while (getppid() != 1)
                    usleep(1000);
                printf("orphan of %d\n", getppid());
                tell('o');
                for (;;)
                    pause();
            }
            _exit(0);
        }
        CHECK(waitpid(middle, NULL, 0) == middle);
        wait_for('o');
        _exit(7);
    }
    pid_t other = fork();
    if (other == 0)
        for (;;)
            pause();
    wait_and_show("other", other);
    wait_and_show("init", init);
    SHOW(fork());
}

static void chosen_numbers(void) {
    pid_t wanted[3] = {40, 30000, 0};
    struct clone_args arguments = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    arguments.set_tid = (uint64_t)wanted;
    arguments.set_tid_size = 1;
    SHOW(syscall(SYS_clone3, &arguments, sizeof arguments)); /* the first one is 1 */
    wanted[0] = 1;
    arguments.set_tid_size = 2;
    pid_t child = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        wanted[0] = 17;
        wanted[1] = 0;
        arguments.flags = 0;
        SHOW(syscall(SYS_clone3, &arguments, sizeof arguments)); /* not above where it may */
        arguments.set_tid_size = 1;
        pid_t inner = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
        if (inner == 0)
            _exit(getpid());
        printf("inner is %d\n", inner);
        SHOW(syscall(SYS_clone3, &arguments, sizeof arguments)); /* taken */
        wait_and_show("inner", inner);
        wanted[0] = -1;
        SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
        arguments.set_tid_size = 33;
        SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
        arguments.set_tid_size = 0;
        SHOW(syscall(SYS_clone3, &arguments, sizeof arguments));
        _exit(0);
    }
    printf("child is %d\n", child);
    wait_and_show("chosen", child);
}

/* setns(2) into the namespace of a child, but not into an ancestor's. */
static void joining(void) {
    int own = open("/proc/self/ns/pid", O_RDONLY);
    pid_t init = fork_into_new();
    if (init == 0) {
        SHOW(setns(own, CLONE_NEWPID));
        tell('r');
        for (;;)
            pause();
    }
    wait_for('r');
    int pidfd = pidfd_open_(init);
    SHOW(setns(pidfd, CLONE_NEWPID));
    pid_t joined = fork();
    if (joined == 0) {
        SHOW(getpid());
        SHOW(getppid());
        SHOW(kill(1, SIGTERM));
        handle(SIGUSR1);
        tell('j');
        while (!caught)
            pause();
        printf("caught %d from %d\n", caught, sender);
        _exit(5);
    }
    wait_for('j');
    CHECK(kill(joined, SIGUSR1) == 0);
    wait_and_show("joined", joined);
    SHOW(setns(own, CLONE_NEWPID));
    SHOW(kill(init, SIGKILL));
    wait_and_show("init", init);
    SHOW(setns(pidfd, CLONE_NEWPID));
    SHOW(setns(pidfd, 0));
}

static void run(const char *what, void (*part)(void)) {
    pid_t child = fork();
    if (child == 0) {
        part();
        _exit(0);
    }
    wait_and_show(what, child);
}

int main(void) {
    CHECK(pipe(ends) == 0);
    CHECK(unshare(CLONE_NEWNS) == 0);
    CHECK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    run("numbers", numbers);
    run("signals of init", signals_of_init);
    run("death of init", death_of_init);
    run("chosen numbers", chosen_numbers);
    run("joining", joining);
    return 0;
}
