/* /proc/self: exe, cwd, root, fd, cmdline, comm, environ, status, stat. */
// guest: args = first "second one"
// guest: env = KNOWN=value
#include "guest.h"
#include <dirent.h>

static void show_link(const char *path, const char *expected) {
    char target[4096] = "";
    long length = readlink(path, target, sizeof target - 1);
    printf("%s: %s\n", path, length < 0                             ? errno_name(errno)
                             : expected && strcmp(target, expected) ? "other"
                             : expected                             ? "as expected"
                                                                    : target);
}

static void show_line(const char *path, const char *key) {
    char line[1024];
    FILE *stream = fopen(path, "r");
    CHECK(stream);
    while (fgets(line, sizeof line, stream))
        if (strncmp(line, key, strlen(key)) == 0)
            printf("%s", line);
    fclose(stream);
}

int main(int argc, char **argv) {
    (void)argc;
    char directory[4096], data[4096], name[64];
    CHECK(getcwd(directory, sizeof directory));
    show_link("/proc/self/exe", argv[0]);
    show_link("/proc/self/cwd", directory);
    show_link("/proc/self/root", "/");
    sprintf(name, "%d", getpid());
    show_link("/proc/self", name);
    put_file("file", "opened again");
    int fd = open("file", O_RDWR);
    strcat(directory, "/file");
    sprintf(name, "/proc/self/fd/%d", fd);
    show_link(name, directory);
    CHECK(lseek(fd, 5, SEEK_SET) == 5);
    int again = SHOW(open(name, O_RDONLY));
    SHOW(lseek(again, 0, SEEK_CUR));
    CHECK(unlink("file") == 0);
    strcat(directory, " (deleted)");
    show_link(name, directory);
    SHOW(open(name, O_RDONLY));
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    sprintf(name, "/proc/self/fd/%d", pipes[0]);
    long length = readlink(name, data, sizeof data);
    SHOW(length > 7 && memcmp(data, "pipe:[", 6) == 0);
    DIR *fds = opendir("/proc/self/fd");
    CHECK(fds);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(fds));)
        count += entry->d_name[0] != '.';
    SHOW(count);
    fd = open("/proc/self/cmdline", O_RDONLY);
    length = read(fd, data, sizeof data);
    SHOW(length == (long)strlen(argv[0]) + 1 + 6 + 11);
    puts(data + strlen(data) + 1);
    fd = open("/proc/self/environ", O_RDONLY);
    length = read(fd, data, sizeof data);
    SHOW(memmem(data, length, "KNOWN=value", 12) != NULL);
    show_line("/proc/self/status", "State:");
    show_line("/proc/self/status", "Threads:");
    show_line("/proc/self/status", "SigCgt:");
    show_line("/proc/self/status", "Umask:");
    show_line("/proc/self/limits", "Limit ");
    fd = open("/proc/self/stat", O_RDONLY);
    length = read(fd, data, sizeof data - 1);
    data[length] = 0;
    int pid, parent, group, session;
    char comm[32], state;
    CHECK(sscanf(data, "%d (%31[^)]) %c %d %d %d", &pid, comm, &state, &parent, &group, &session) ==
          6);
    SHOW(pid == getpid() && parent == getppid() && group == getpgrp() && session == getsid(0));
    printf("%c\n", state);
    int fields = 0;
    for (char *field = strtok(strrchr(data, ')'), " \n"); field; field = strtok(NULL, " \n"))
        fields++;
    SHOW(fields);
    SHOW(open("/proc/self/comm", O_WRONLY) >= 0);
    SHOW(open("/proc/self/status", O_WRONLY) >= 0 && getuid() != 0);
    SHOW(access("/proc/1", F_OK));
    SHOW(access("/proc/4194304", F_OK));
    SHOW(open("/proc/self/missing", O_RDONLY));
    SHOW(mkdir("/proc/new", 0755) == -1);
    return 0;
}
