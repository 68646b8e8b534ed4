/* splice(2), tee(2), vmsplice(2), sendfile(2), copy_file_range(2) between every kind of descriptors. */
#include "guest.h"
#include <sys/eventfd.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { KINDS = 15 };
static const char *const NAMES[KINDS] = {
    "file",          "file to read", "file to append", "directory", "place",
    "pipe to read",  "pipe to write", "socket",        "memory",    "null",
    "zero",          "eventfd",      "epoll",          "inotify",   "file of proc",
};

static int open_kind(int kind) {
    int ends[2];
    switch (kind) {
    case 0:
        return open("file", O_RDWR);
    case 1:
        return open("source", O_RDONLY);
    case 2:
        return open("appended", O_WRONLY | O_APPEND);
    case 3:
        return open(".", O_RDONLY);
    case 4:
        return open("file", O_PATH);
    case 5:
        CHECK(pipe(ends) == 0 && write(ends[1], "in the pipe", 11) == 11);
        return ends[0];
    case 6:
        CHECK(pipe(ends) == 0);
        return ends[1];
    case 7:
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && write(ends[1], "socket", 6) == 6);
        return ends[0];
    case 8:
        ends[0] = memfd_create("memory", 0);
        CHECK(write(ends[0], "memory", 6) == 6 && lseek(ends[0], 0, SEEK_SET) == 0);
        return ends[0];
    case 9:
        return open("/dev/null", O_RDWR);
    case 10:
        return open("/dev/zero", O_RDWR);
    case 11:
        return eventfd(5, EFD_NONBLOCK);
    case 12:
        return epoll_create1(0);
    case 13:
        return inotify_init1(IN_NONBLOCK);
    default:
        return open("/proc/uptime", O_RDONLY);
    }
}

/* What the call gave with two fresh descriptors, or its error. */
#define TRY(what, call)                                                                           \
    do {                                                                                          \
        int in = open_kind(i), out = open_kind(o);                                                \
        CHECK(in >= 0 && out >= 0);                                                               \
        errno = 0;                                                                                \
        long result = (call);                                                                     \
        if (result < 0)                                                                           \
            printf(" %s %s", what, errno_name(errno));                                            \
        else                                                                                      \
            printf(" %s %ld", what, result);                                                      \
        close(in);                                                                                \
        close(out);                                                                               \
    } while (0)

int main(void) {
    put_file("file", "0123456789");
    put_file("source", "source text");
    put_file("appended", "");
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < KINDS; i++)
        for (int o = 0; o < KINDS; o++) {
            loff_t at = 2;
            printf("%s to %s:", NAMES[i], NAMES[o]);
            TRY("splice", splice(in, NULL, out, NULL, 4, SPLICE_F_NONBLOCK));
            TRY("at", splice(in, &at, out, NULL, 4, SPLICE_F_NONBLOCK));
            at = 1;
            TRY("to", splice(in, NULL, out, &at, 4, SPLICE_F_NONBLOCK));
            TRY("none", splice(in, NULL, out, NULL, 0, 0));
            TRY("tee", tee(in, out, 4, SPLICE_F_NONBLOCK));
            TRY("sendfile", sendfile(out, in, NULL, 4));
            at = 3;
            TRY("at", sendfile(out, in, &at, 4));
            TRY("copy", copy_file_range(in, NULL, out, NULL, 4, 0));
            at = 1;
            TRY("at", copy_file_range(in, &at, out, NULL, 4, 0));
            printf("\n");
        }
    char text[] = "text";
    struct iovec vector = {text, 4};
    for (int o = 0; o < KINDS; o++) {
        int fd = open_kind(o);
        printf("%s: ", NAMES[o]);
        SHOW(vmsplice(fd, &vector, 1, SPLICE_F_NONBLOCK));
        CHECK(close(fd) == 0);
    }
    static char large[1 << 17] __attribute__((aligned(4096)));
    int narrow[2];
    struct iovec much = {large, sizeof large};
    CHECK(pipe(narrow) == 0);
    SHOW(vmsplice(narrow[1], &much, 1, 0));
    SHOW(vmsplice(narrow[1], &much, 1, SPLICE_F_NONBLOCK));
    CHECK(close(narrow[0]) == 0);
    SHOW(vmsplice(narrow[1], &much, 1, 0));
    loff_t in = -1, out = 0;
    int fd = open("file", O_RDWR), ends[2];
    CHECK(pipe(ends) == 0);
    SHOW(splice(fd, &in, ends[1], NULL, 4, 0));
    SHOW(splice(fd, NULL, ends[1], NULL, 4, 0x10));
    SHOW(splice(ends[0], &out, fd, NULL, 4, 0));
    SHOW(splice(ends[0], NULL, ends[1], NULL, 4, SPLICE_F_NONBLOCK));
    SHOW(tee(ends[0], ends[1], 4, SPLICE_F_NONBLOCK));
    SHOW(tee(ends[0], ends[1], 4, 0x10));
    SHOW(copy_file_range(fd, NULL, fd, NULL, 4, 1));
    SHOW(copy_file_range(fd, NULL, fd, NULL, 4, 0));
    in = 0, out = 2;
    SHOW(copy_file_range(fd, &in, fd, &out, 4, 0));
    in = 0, out = 20;
    SHOW(copy_file_range(fd, &in, fd, &out, 4, 0));
    in = 100;
    SHOW(copy_file_range(fd, &in, fd, &out, 4, 0));
    SHOW(sendfile(fd, 99, NULL, 4));
    SHOW(sendfile(99, fd, NULL, 4));
    SHOW(sendfile(fd, fd, (off_t *)8, 4));
    SHOW(splice(fd, (loff_t *)8, ends[1], NULL, 4, 0));
}
