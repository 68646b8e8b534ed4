/* An ignored SIGCHLD leaves no zombies; an orphan gets a new parent and goes on. */
#include "guest.h"

int main(void) {
    signal(SIGCHLD, SIG_IGN);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    int status;
    SHOW(waitpid(child, &status, 0));
    signal(SIGCHLD, SIG_DFL);
    int fds[2];
    CHECK(pipe(fds) == 0);
    child = fork();
    if (child == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            close(fds[0]);
            while (getppid() == parent)
                usleep(1000);
            CHECK(write(fds[1], "adopted", 7) == 7);
            _exit(0);
        }
        _exit(4);
    }
    wait_and_show("middle", child);
    close(fds[1]);
    char data[16] = "";
    SHOW(read(fds[0], data, sizeof data));
    puts(data);
    SHOW(read(fds[0], data, sizeof data));
    SHOW(waitpid(-1, &status, WNOHANG));
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    CHECK(sigaction(SIGCHLD, &action, NULL) == 0);
    child = fork();
    if (child == 0)
        _exit(3);
    SHOW(waitpid(child, &status, 0));
    return 0;
}
