/* TCP over loopback: listen, connect, data both ways, shutdown, refused, names, options. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in name;
    socklen_t length = sizeof name;
    int server = SHOW(socket(AF_INET, SOCK_STREAM, 0));
    int on = 1;
    SHOW(setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    SHOW(bind(server, (void *)&address, sizeof address));
    SHOW(listen(server, 5));
    SHOW(getsockname(server, (void *)&name, &length));
    SHOW(name.sin_port != 0);
    SHOW(name.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    pid_t child = fork();
    if (child == 0) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(connect(client, (void *)&name, sizeof name) == 0);
        CHECK(setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
        CHECK(send(client, "ping", 4, 0) == 4);
        char data[8] = "";
        CHECK(recv(client, data, 8, 0) == 4);
        printf("child got %s\n", data);
        char *large = calloc(1, 1 << 20);
        long sent = 0;
        while (sent < 1 << 20)
            sent += send(client, large + sent, (1 << 20) - sent, 0);
        CHECK(shutdown(client, SHUT_WR) == 0);
        CHECK(recv(client, data, 8, 0) == 0);
        _exit(0);
    }
    struct sockaddr_in peer;
    length = sizeof peer;
    int accepted = accept(server, (void *)&peer, &length);
    CHECK(accepted >= 0);
    SHOW(peer.sin_family == AF_INET && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    char data[4096] = "";
    SHOW(recv(accepted, data, 8, 0));
    puts(data);
    long answered = send(accepted, "pong", 4, 0); /* shown when the child is done printing */
    long total = 0, count;
    while ((count = recv(accepted, data, sizeof data, 0)) > 0)
        total += count;
    SHOW(answered);
    SHOW(total);
    SHOW(close(accepted));
    wait_and_show("child", child);
    SHOW(close(server));
    int client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(client, (void *)&name, sizeof name));
    int error = -1;
    length = sizeof error;
    SHOW(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length));
    SHOW(error);
    length = sizeof peer;
    SHOW(getpeername(client, (void *)&peer, &length));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    return 0;
}
