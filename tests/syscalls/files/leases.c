/* Leases: who may take one, who is told and waits when others open; writing to a running program. */
#include "guest.h"

static volatile int told;

static void tell(int signal UNUSED) { told++; }

static void child_opens(const char *how, int flags) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGIO, SIG_IGN);
        int fd = open("file", flags);
        _exit(fd < 0 ? errno : 0);
    }
    wait_and_show(how, child);
}

int main(void) {
    struct sigaction action = {.sa_handler = tell, .sa_flags = SA_RESTART};
    sigaction(SIGIO, &action, NULL);
    put_file("file", "text");
    int reader = SHOW(open("file", O_RDONLY));
    SHOW(fcntl(reader, F_GETLEASE) == F_UNLCK);
    SHOW(fcntl(reader, F_SETLEASE, F_UNLCK));
    SHOW(fcntl(reader, F_SETLEASE, F_RDLCK));
    SHOW(fcntl(reader, F_GETLEASE));
    child_opens("reading beside a read lease", O_RDONLY);
    SHOW(told);
    child_opens("writing without waiting", O_WRONLY | O_NONBLOCK);
    SHOW(told);
    SHOW(fcntl(reader, F_GETLEASE) == F_UNLCK);
    SHOW(fcntl(reader, F_SETLEASE, F_UNLCK));
    SHOW(fcntl(reader, F_SETLEASE, F_WRLCK));
    child_opens("reading against a write lease", O_RDONLY | O_NONBLOCK);
    SHOW(told);
    SHOW(fcntl(reader, F_GETLEASE) == F_RDLCK);
    SHOW(fcntl(reader, F_SETLEASE, F_RDLCK));
    SHOW(fcntl(reader, F_GETLEASE) == F_RDLCK);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGIO, SIG_IGN);
        int fd = open("file", O_RDWR);
        _exit(fd < 0 ? errno : 77);
    }
    while (told < 3)
        usleep(1000);
    SHOW(fcntl(reader, F_SETLEASE, F_UNLCK));
    wait_and_show("writing after a wait", child);
    int writer = SHOW(open("file", O_RDWR));
    SHOW(fcntl(reader, F_SETLEASE, F_RDLCK));
    SHOW(fcntl(reader, F_SETLEASE, F_WRLCK));
    SHOW(fcntl(writer, F_SETLEASE, F_RDLCK));
    SHOW(close(reader));
    SHOW(fcntl(writer, F_SETLEASE, F_RDLCK));
    SHOW(fcntl(writer, F_SETLEASE, F_WRLCK));
    SHOW(fcntl(writer, F_SETLEASE, 9));
    SHOW(close(writer));
    int directory = SHOW(open(".", O_RDONLY));
    SHOW(fcntl(directory, F_SETLEASE, F_RDLCK));
    SHOW(open("/proc/self/exe", O_WRONLY));
    SHOW(open("/proc/self/exe", O_RDONLY | O_TRUNC));
    return 0;
}
