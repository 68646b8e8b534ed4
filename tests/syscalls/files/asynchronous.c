/* io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2). */
#include "guest.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/uio.h>

static aio_context_t context;

static struct iocb request(int fd, int kind, void *buffer, size_t size, off_t offset) {
    static uint64_t number;
    return (struct iocb){.aio_fildes = fd, .aio_lio_opcode = kind, .aio_buf = (uintptr_t)buffer,
                         .aio_nbytes = size, .aio_offset = offset, .aio_data = ++number};
}

static long submit(struct iocb *one) {
    return syscall(SYS_io_submit, context, 1, &one);
}

static void fetch(long minimum, long seconds) {
    struct io_event events[8];
    struct timespec timeout = {seconds, 0};
    long count = SHOW(syscall(SYS_io_getevents, context, minimum, 8, events, &timeout));
    for (long i = 0; i < count; i++)
        printf("  data %d res %d res2 %d\n", (int)events[i].data, (int)events[i].res, (int)events[i].res2);
}

int main(void) {
    char data[64] = "hello, asynchronous world";
    SHOW(syscall(SYS_io_setup, 8, NULL));
    SHOW(syscall(SYS_io_setup, 0, &context));
    SHOW(syscall(SYS_io_setup, -1, &context));
    SHOW(syscall(SYS_io_setup, 1000000, &context));
    SHOW(syscall(SYS_io_setup, 8, &context));
    SHOW(syscall(SYS_io_setup, 8, &context));

    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    struct iocb write_it = request(fd, IOCB_CMD_PWRITE, data, 25, 3);
    SHOW(submit(&write_it));
    fetch(1, 0);
    struct iovec vector[2] = {{data, 8}, {data + 32, 64 - 32}};
    struct iocb read_it = request(fd, IOCB_CMD_PREADV, vector, 2, 0);
    int counter = eventfd(0, EFD_NONBLOCK);
    read_it.aio_flags = IOCB_FLAG_RESFD;
    read_it.aio_resfd = counter;
    SHOW(submit(&read_it));
    fetch(0, 0);
    uint64_t count = 0;
    SHOW(read(counter, &count, 8));
    SHOW(count);
    printf("%.5s %.20s\n", data + 3, data + 32);
    struct iocb bad = request(fd, IOCB_CMD_PREAD, NULL, 10, 0);
    SHOW(submit(&bad));
    fetch(0, 0);
    struct iocb sync_it = request(fd, IOCB_CMD_FSYNC, NULL, 0, 0);
    SHOW(submit(&sync_it));
    fetch(1, 5);
    struct iocb unknown = request(fd, 77, data, 1, 0);
    SHOW(submit(&unknown));
    struct iocb closed = request(99, IOCB_CMD_PREAD, data, 1, 0);
    SHOW(submit(&closed));
    int read_only = open("file", O_RDONLY);
    struct iocb refused = request(read_only, IOCB_CMD_PWRITE, data, 1, 0);
    SHOW(submit(&refused));
    SHOW(syscall(SYS_io_submit, context, -1, NULL));
    SHOW(syscall(SYS_io_submit, context, 0, NULL));
    SHOW(syscall(SYS_io_submit, context, 1, NULL));
    SHOW(syscall(SYS_io_submit, 12345, 1, NULL));

    int ends[2];
    CHECK(pipe(ends) == 0);
    struct iocb poll_it = request(ends[0], IOCB_CMD_POLL, (void *)POLLIN, 0, 0);
    SHOW(submit(&poll_it));
    fetch(1, 0);
    CHECK(write(ends[1], "x", 1) == 1);
    fetch(1, 5);
    struct iocb poll_again = request(ends[1], IOCB_CMD_POLL, (void *)POLLIN, 0, 0);
    SHOW(submit(&poll_again));
    SHOW(syscall(SYS_io_cancel, context, &write_it, NULL));
    SHOW(syscall(SYS_io_cancel, context, NULL, NULL));
    SHOW(syscall(SYS_io_cancel, 12345, &poll_again, NULL));
    SHOW(syscall(SYS_io_getevents, context, 2, 1, NULL, NULL));
    SHOW(syscall(SYS_io_getevents, context, -1, 1, NULL, NULL));
    SHOW(syscall(SYS_io_destroy, context));
    SHOW(syscall(SYS_io_destroy, context));
    SHOW(syscall(SYS_io_submit, context, 0, NULL));
    return 0;
}
