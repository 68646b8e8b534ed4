// guest: user = root
// guest: cflags = -lrt
/* The mqueue file system and /proc/sys/fs/mqueue: one instance an IPC namespace. */
#include "guest.h"
#include <dirent.h>
#include <mqueue.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>

static int compare(const void *first, const void *second) {
    return strcmp(*(char *const *)first, *(char *const *)second);
}

static void list(const char *path) {
    char *names[16];
    int count = 0;
    DIR *directory = opendir(path);
    CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, (size_t)count, sizeof *names, compare);
    for (int index = 0; index < count; index++)
        printf("%s ", names[index]);
    printf("\n");
}

static void set(const char *name, const char *value) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", name);
    int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    printf("%s ", value);
    SHOW_OK(write(fd, value, strlen(value)));
    close(fd);
    show_file(path);
}

static void show_stat(const char *path) {
    struct stat status;
    SHOW(stat(path, &status));
    printf("%s mode %o links %ld size %ld\n", path, status.st_mode, (long)status.st_nlink,
           (long)status.st_size);
}

int main(void) {
    CHECK(unshare(CLONE_NEWIPC | CLONE_NEWNS) == 0);
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    CHECK(mkdir("queues", 0755) == 0);
    mqd_t queue = mq_open("/early", O_CREAT | O_RDWR, 0600, NULL);
    SHOW(mount("mqueue", "queues", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    struct statfs system;
    CHECK(statfs("queues", &system) == 0);
    printf("type %lx\n", (long)system.f_type);
    show_stat("queues");
    list("queues");
    SHOW(mq_send(queue, "hello", 5, 0));
    show_file("queues/early");
    show_stat("queues/early");
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
    SHOW(mq_unlink("/early"));
    list("queues");
    SHOW(mq_notify(queue, &event));

    int made = open("queues/made", O_CREAT | O_RDWR, 0644);
    CHECK(made >= 0);
    struct mq_attr attributes;
    SHOW(mq_getattr(made, &attributes));
    printf("maxmsg %ld msgsize %ld\n", attributes.mq_maxmsg, attributes.mq_msgsize);
    SHOW(mq_send(made, "through the mount", 18, 1));
    mqd_t other = mq_open("/made", O_RDONLY);
    char text[8192] = "";
    SHOW(mq_receive(other, text, sizeof text, NULL));
    printf("%s\n", text);
    SHOW(chmod("queues/made", 0600));
    SHOW(truncate("queues/made", 5));
    show_stat("queues/made");
    SHOW(mkdir("queues/directory", 0700));
    SHOW(rename("queues/made", "queues/renamed"));
    SHOW(link("queues/made", "queues/linked"));
    SHOW(symlink("made", "queues/symbolic"));
    SHOW(mknod("queues/fifo", S_IFIFO | 0600, 0));
    SHOW(mknod("queues/node", S_IFREG | 0600, 0));
    list("queues");
    show_stat("queues");
    SHOW(unlink("queues/made"));
    SHOW(mq_open("/made", O_RDONLY));
    SHOW(unlink("queues/node"));
    list("queues");

    set("msg_max", "20");
    set("msg_default", "15");
    set("msgsize_default", "1000");
    set("msgsize_max", "127");
    set("msgsize_max", "500");
    set("queues_max", "3");
    other = mq_open("/settings", O_CREAT | O_RDWR, 0600, NULL);
    CHECK(mq_getattr(other, &attributes) == 0);
    printf("maxmsg %ld msgsize %ld\n", attributes.mq_maxmsg, attributes.mq_msgsize);
    pid_t child = fork();
    if (child == 0) {
        become_nobody();
        SHOW(mq_open("/too-many", O_CREAT | O_RDWR, 0600, NULL));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("nobody", child);

    CHECK(unshare(CLONE_NEWIPC) == 0);
    SHOW(mq_open("/settings", O_RDWR));
    show_file("/proc/sys/fs/mqueue/msg_max");
    list("queues");
    SHOW(umount("queues"));
    SHOW(mount("mqueue", "queues", "mqueue", 0, NULL));
    list("queues");
    SHOW(umount("queues"));
    return 0;
}
