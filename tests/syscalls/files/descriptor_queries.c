/* dup3(2), close_range(2) and fcntl(2) about descriptors as such; flags of asynchronous writes. */
#include "guest.h"
#include <linux/aio_abi.h>

#define DUPFD_QUERY 1027
#define CREATED_QUERY 1028

static void descriptors(int fd) {
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 40, O_CLOEXEC));
    SHOW(fcntl(40, F_GETFD));
    SHOW(dup3(fd, 41, O_NONBLOCK));
    SHOW(dup3(99, 41, 0));
    SHOW(dup3(fd, -1, 0));
    SHOW(dup3(fd, 1 << 30, 0));
    SHOW(dup2(99, 99));
    SHOW(close_range(50, 40, 0));
    SHOW(close_range(40, 50, 8));
    SHOW(close_range(40, 50, 4));
    SHOW(fcntl(40, F_GETFD));
    SHOW(close_range(40, ~0u, 0));
    SHOW(fcntl(40, F_GETFD));
    SHOW(close_range(40, ~0u, 2));
    SHOW(close_range(~0u, ~0u, 0));
    SHOW(fcntl(fd, F_DUPFD, 45));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 45));
    SHOW(fcntl(46, F_GETFD));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(fcntl(fd, F_DUPFD, 1 << 30));
}

static void queries(int fd) {
    int other = open("file", O_RDONLY), place = open("file", O_PATH);
    int made = open("made", O_RDWR | O_CREAT, 0644);
    SHOW(fcntl(fd, DUPFD_QUERY, 45));
    SHOW(fcntl(fd, DUPFD_QUERY, fd));
    SHOW(fcntl(fd, DUPFD_QUERY, other));
    SHOW(fcntl(fd, DUPFD_QUERY, 99));
    SHOW(fcntl(place, DUPFD_QUERY, place));
    SHOW(fcntl(99, DUPFD_QUERY, fd));
    SHOW(fcntl(fd, CREATED_QUERY, 0));
    SHOW(fcntl(made, CREATED_QUERY, 0));
    SHOW(fcntl(place, CREATED_QUERY, 0));
}

static void asynchronous(int fd) {
    static const uint32_t FLAGS[] = {0, 2, 4, 0x10, 0x30, 0x10000};
    aio_context_t context = 0;
    char text[4] = "abcd", content[64];
    CHECK(syscall(SYS_io_setup, 4, &context) == 0);
    for (unsigned i = 0; i < sizeof FLAGS / sizeof *FLAGS; i++) {
        struct iocb request = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)fd,
                               .aio_buf = (uint64_t)text, .aio_nbytes = 4, .aio_offset = 2};
        request.aio_rw_flags = (int)FLAGS[i];
        struct iocb *requests[] = {&request};
        struct io_event event;
        CHECK(ftruncate(fd, 0) == 0 && pwrite(fd, "0123456789", 10, 0) == 10);
        printf("flags %x: ", FLAGS[i]);
        if (SHOW(syscall(SYS_io_submit, context, 1, requests)) != 1)
            continue;
        CHECK(syscall(SYS_io_getevents, context, 1, 1, &event, NULL) == 1);
        ssize_t size = pread(fd, content, sizeof content, 0);
        printf("  result %ld: %.*s\n", (long)event.res, (int)size, content);
    }
}

int main(void) {
    put_file("file", "0123456789");
    int fd = open("file", O_RDWR);
    descriptors(fd);
    queries(fd);
    asynchronous(fd);
}
