/* Bad arguments of calls on sockets, and of those that wait for events. */
// guest: timeout = 60
// guest: kernel = 6.16
#include "bad_input.h"
#include <netinet/in.h>
#include <poll.h>

static const struct { short family; char path[20]; } absent = {AF_UNIX, "absent"};
static const int one = 1;
static struct pollfd polled = {FILE_FD, POLLIN, 0};
static const struct timespec soon = {0, 1000};

int main(void) {
    make_world();
    const struct call calls[] = {
        CALL(socket, NUMBER(AF_UNIX), NUMBER(SOCK_STREAM), NUMBER(0)),
        CALL(socket, FIXED(AF_INET), FLAGS(SOCK_STREAM), NUMBER(0)),
        CALL(socketpair, NUMBER(AF_UNIX), NUMBER(SOCK_STREAM), NUMBER(0), BUFFER),
        CALL_WITH(absent, connect, DESCRIPTOR(SOCKET_FD), BUFFER, NUMBER(9)),
        CALL(bind, DESCRIPTOR(SOCKET_FD), BUFFER, NUMBER(9)),
        CALL(listen, DESCRIPTOR(SOCKET_FD), NUMBER(1)),
        CALL(accept, DESCRIPTOR(SOCKET_FD), FIXED(0), FIXED(0)),
        CALL(accept4, DESCRIPTOR(SOCKET_FD), FIXED(0), FIXED(0), FLAGS(0)),
        CALL(getsockname, DESCRIPTOR(SOCKET_FD), BUFFER, BUFFER),
        CALL(getpeername, DESCRIPTOR(SOCKET_FD), BUFFER, BUFFER),
        CALL(shutdown, DESCRIPTOR(SOCKET_FD), NUMBER(0)),
        CALL_WITH(one, setsockopt, DESCRIPTOR(SOCKET_FD), FIXED(SOL_SOCKET), FIXED(SO_PASSCRED),
                  BUFFER, FIXED(4)),
        CALL_WITH(one, setsockopt, DESCRIPTOR(SOCKET_FD), NUMBER(SOL_SOCKET), NUMBER(SO_PASSCRED),
                  FIXED(buffer), FIXED(4)),
        CALL(getsockopt, DESCRIPTOR(SOCKET_FD), FIXED(SOL_SOCKET), FIXED(SO_TYPE), BUFFER, BUFFER),
        CALL(sendto, DESCRIPTOR(SOCKET_FD), FIXED(buffer), LENGTH(4), FIXED(MSG_NOSIGNAL)),
        CALL(recvfrom, DESCRIPTOR(SOCKET_FD), FIXED(buffer), LENGTH(4), FLAGS(MSG_DONTWAIT)),
        CALL(sendmsg, DESCRIPTOR(SOCKET_FD), BUFFER, FIXED(MSG_NOSIGNAL)),
        CALL(recvmsg, DESCRIPTOR(SOCKET_FD), BUFFER, FLAGS(MSG_DONTWAIT)),
        CALL(sendmmsg, DESCRIPTOR(SOCKET_FD), BUFFER, NUMBER(1), FIXED(MSG_NOSIGNAL)),
        CALL(recvmmsg, DESCRIPTOR(SOCKET_FD), BUFFER, NUMBER(1), FLAGS(MSG_DONTWAIT), FIXED(0)),
        CALL(poll, FIXED(&polled), NUMBER(1), FIXED(0)),
        CALL(ppoll, FIXED(&polled), NUMBER(1), BUFFER, FIXED(0), LENGTH(8)),
        CALL(select, FIXED(1), BUFFER, BUFFER, BUFFER, FIXED(&soon)),
        CALL(pselect6, FIXED(1), BUFFER, BUFFER, BUFFER, FIXED(&soon), BUFFER),
        CALL(epoll_create, NUMBER(1)),
        CALL(epoll_create1, FLAGS(0)),
        CALL(epoll_ctl, DESCRIPTOR(EPOLL_FD), NUMBER(EPOLL_CTL_ADD), DESCRIPTOR(READER_FD), BUFFER),
        CALL(epoll_wait, DESCRIPTOR(EPOLL_FD), BUFFER, NUMBER(1), FIXED(0)),
        CALL(epoll_pwait, DESCRIPTOR(EPOLL_FD), BUFFER, NUMBER(1), FIXED(0), BUFFER, LENGTH(8)),
        CALL_WITH(soon, epoll_pwait2, DESCRIPTOR(EPOLL_FD), FIXED(buffer + 512), NUMBER(1), BUFFER,
                  FIXED(0), FIXED(8)),
        CALL(eventfd2, NUMBER(1), FLAGS(0)),
        CALL(io_setup, FIXED(1), BUFFER),
        CALL(io_destroy, NUMBER(0)),
    };
    TRY_ALL(calls, false);
    return 0;
}
