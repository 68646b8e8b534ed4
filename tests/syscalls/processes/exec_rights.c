/* execve(2) and who may do what afterwards: dumpable, parent-death signal, set-id and no_new_privs,
 * AT_SECURE, a set-id program that is traced. */
// guest: user = root
#include "guest.h"
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

static void report(void) {
    int number = -1;
    uid_t real, effective, saved;
    gid_t rgid, egid, sgid;
    CHECK(getresuid(&real, &effective, &saved) == 0 && getresgid(&rgid, &egid, &sgid) == 0);
    prctl(PR_GET_PDEATHSIG, &number);
    printf("  uid %d %d %d, gid %d %d %d, secure %ld, dumpable %d, death signal %d, nnp %d\n", real,
           effective, saved, rgid, egid, sgid, getauxval(AT_SECURE), prctl(PR_GET_DUMPABLE), number,
           prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    printf("  LD_LIBRARY_PATH %s, OTHER %s\n", getenv("LD_LIBRARY_PATH") ? "kept" : "gone",
           getenv("OTHER") ? "kept" : "gone");
    fflush(stdout);
}

static void run(const char *what, mode_t mode, int options) {
    printf("%s\n", what);
    fflush(stdout);
    CHECK(chown("program", 1234, 2345) == 0 && chmod("program", mode) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(setresgid(100, 100, 100) == 0 && setresuid(101, 101, 101) == 0);
        CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
        if (options & 1)
            CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
        if (options & 2) {
            CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
        }
        char *arguments[] = {"program", "again", NULL};
        char *variables[] = {"LD_LIBRARY_PATH=/nowhere", "OTHER=1", NULL};
        execve("./program", arguments, variables);
        printf("  %s\n", errno_name(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
        ptrace(PTRACE_CONT, child, 0, 0);
    show_status("  program", status);
}

int main(int count, char **arguments) {
    (void)arguments;
    if (count > 1) {
        report();
        return 0;
    }
    char directory[] = "/tmp/exec-rights-XXXXXX", buffer[65536];
    CHECK(mkdtemp(directory) && chmod(directory, 0755) == 0 && chdir(directory) == 0);
    int from = open("/proc/self/exe", O_RDONLY), to = open("program", O_CREAT | O_WRONLY, 0755);
    ssize_t size;
    while ((size = read(from, buffer, sizeof buffer)) > 0)
        CHECK(write(to, buffer, size) == size);
    close(to);
    run("plain", 0755, 0);
    run("set-user-id", 04755, 0);
    run("set-group-id", 02755, 0);
    run("set-group-id without execution by the group", 02745, 0);
    run("both", 06755, 0);
    run("no new privileges", 06755, 1);
    run("not readable", 0711, 0);
    run("traced by root", 06755, 2);
    CHECK(unlink("program") == 0 && chdir("/") == 0 && rmdir(directory) == 0);
    return 0;
}
