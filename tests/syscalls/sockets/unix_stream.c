/* AF_UNIX streams: bind, listen, accept, names, end of file, errors of each. */
#include "guest.h"
#include <sys/socket.h>
#include <sys/un.h>

int main(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"}, peer;
    socklen_t length = sizeof peer;
    int server = SHOW(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int client = SHOW(socket(AF_UNIX, SOCK_STREAM, 0));
    SHOW(connect(client, (void *)&address, sizeof address));
    SHOW(bind(server, (void *)&address, sizeof address));
    SHOW(bind(client, (void *)&address, sizeof address));
    SHOW(connect(client, (void *)&address, sizeof address));
    SHOW(accept(server, NULL, NULL));
    SHOW(listen(server, 5));
    SHOW(connect(client, (void *)&address, sizeof address));
    SHOW(connect(client, (void *)&address, sizeof address));
    int accepted = SHOW(accept4(server, (void *)&peer, &length, SOCK_CLOEXEC));
    SHOW(length);
    SHOW(fcntl(accepted, F_GETFD));
    SHOW(send(client, "hello", 5, 0));
    char data[16] = "";
    SHOW(recv(accepted, data, 3, MSG_PEEK));
    SHOW(recv(accepted, data, 16, 0));
    puts(data);
    SHOW(recv(accepted, data, 16, MSG_DONTWAIT));
    length = sizeof peer;
    SHOW(getpeername(client, (void *)&peer, &length));
    printf("%s\n", peer.sun_path);
    SHOW(getsockname(client, (void *)&peer, &length));
    SHOW(length);
    SHOW(shutdown(client, SHUT_WR));
    SHOW(recv(accepted, data, 16, 0));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    SHOW(send(accepted, "back", 4, 0));
    SHOW(read(client, data, 16));
    close(accepted);
    SHOW(read(client, data, 16));
    struct stat status;
    SHOW(stat("socket", &status));
    SHOW(S_ISSOCK(status.st_mode));
    SHOW(open("socket", O_RDWR));
    close(server);
    int late = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(connect(late, (void *)&address, sizeof address));
    SHOW(unlink("socket"));
    SHOW(send(late, "x", 1, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 99));
    SHOW(socket(99, SOCK_STREAM, 0));
    SHOW(listen(0, 1));
    struct ucred who;
    length = sizeof who;
    int pair[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SHOW(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &who, &length));
    SHOW(who.pid == getpid() && who.uid == geteuid());
    int type;
    length = sizeof type;
    SHOW(getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &type, &length));
    SHOW(type);
    return 0;
}
