/* SCM_RIGHTS and SCM_CREDENTIALS: descriptors and identities travel in messages. */
#include "guest.h"
#include <sys/socket.h>

union control {
    char bytes[CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr aligned;
};

static long send_fds(int socket, int *fds, int count) {
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec part = {"data", 4};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    return sendmsg(socket, &message, 0);
}

static int receive(int socket, int *fds, size_t room, int flags) {
    union control control;
    char data[16];
    struct iovec part = {data, sizeof data};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes};
    message.msg_controllen = room;
    long count = recvmsg(socket, &message, flags);
    int got = 0;
    printf("received %ld, flags %x:", count, message.msg_flags & ~MSG_CMSG_CLOEXEC);
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header;
         header = CMSG_NXTHDR(&message, header)) {
        printf(" type %d length %zu", header->cmsg_type, (size_t)header->cmsg_len);
        if (header->cmsg_type == SCM_RIGHTS) {
            got = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(header), got * sizeof(int));
        } else {
            struct ucred *who = (struct ucred *)CMSG_DATA(header);
            printf(" own %d", who->pid == getpid() && who->uid == getuid());
        }
    }
    printf("\n");
    return got;
}

int main(void) {
    int pair[2], fds[4] = {0}, pipes[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    put_file("file", "0123456789");
    int file = SHOW(open("file", O_RDONLY));
    CHECK(lseek(file, 4, SEEK_SET) == 4);
    SHOW(send_fds(pair[0], &file, 1));
    CHECK(close(file) == 0);
    SHOW(receive(pair[1], fds, sizeof(union control), 0));
    SHOW(fds[0]);
    SHOW(lseek(fds[0], 0, SEEK_CUR));
    CHECK(pipe(pipes) == 0);
    pid_t child = fork();
    if (child == 0) {
        SHOW(receive(pair[1], fds, sizeof(union control), MSG_CMSG_CLOEXEC));
        SHOW(fcntl(fds[0], F_GETFD));
        CHECK(write(fds[1], "through", 7) == 7);
        _exit(0);
    }
    SHOW(send_fds(pair[0], pipes, 2));
    wait_and_show("child", child);
    char data[8] = "";
    SHOW(read(pipes[0], data, 7));
    puts(data);
    int bad = 99;
    SHOW(send_fds(pair[0], &bad, 1));
    SHOW(send_fds(pair[0], pipes, 2));
    SHOW(receive(pair[1], fds, CMSG_LEN(sizeof(int)), 0)); /* room for one only */
    int on = 1;
    SHOW(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    SHOW(send(pair[0], "x", 1, 0));
    SHOW(receive(pair[1], fds, sizeof(union control), 0));
    return 0;
}
