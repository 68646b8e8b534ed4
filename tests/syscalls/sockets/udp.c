/* UDP over loopback: addressed and connected, boundaries, truncation, timeouts. */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in from;
    socklen_t length = sizeof address;
    int receiver = SHOW(socket(AF_INET, SOCK_DGRAM, 0));
    int sender = SHOW(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    SHOW(bind(receiver, (void *)&address, sizeof address));
    SHOW(getsockname(receiver, (void *)&address, &length));
    SHOW(send(sender, "x", 1, 0));
    SHOW(sendto(sender, "datagram", 8, 0, (void *)&address, sizeof address));
    SHOW(sendto(sender, "", 0, 0, (void *)&address, sizeof address));
    char data[16] = "";
    length = sizeof from;
    SHOW(recvfrom(receiver, data, 4, MSG_TRUNC, (void *)&from, &length));
    SHOW(length == sizeof from && from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    puts(data);
    SHOW(recv(receiver, data, 16, 0));
    SHOW(recv(sender, data, 16, 0));
    SHOW(connect(sender, (void *)&address, sizeof address));
    SHOW(send(sender, "connected", 9, 0));
    SHOW(recv(receiver, data, 16, 0));
    struct timeval timeout = {0, 20000};
    SHOW(setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout));
    SHOW(recv(receiver, data, 16, 0));
    int size = 0;
    length = sizeof size;
    SHOW(getsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &size, &length));
    SHOW(size > 0);
    SHOW(setsockopt(receiver, SOL_SOCKET, 9999, &size, sizeof size));
    SHOW(bind(sender, (void *)&address, 4));
    int six = SHOW(socket(AF_INET6, SOCK_DGRAM, 0)) >= 0;
    SHOW(six);
    return 0;
}
