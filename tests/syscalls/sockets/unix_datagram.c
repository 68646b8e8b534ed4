/* AF_UNIX datagrams and sequenced packets: boundaries, truncation, senders' names. */
#include "guest.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(void) {
    struct sockaddr_un one = {.sun_family = AF_UNIX, .sun_path = "one"};
    struct sockaddr_un two = {.sun_family = AF_UNIX, .sun_path = "two"}, from;
    int a = SHOW(socket(AF_UNIX, SOCK_DGRAM, 0));
    int b = SHOW(socket(AF_UNIX, SOCK_DGRAM, 0));
    SHOW(bind(a, (void *)&one, sizeof one));
    SHOW(bind(b, (void *)&two, sizeof two));
    SHOW(sendto(a, "first", 5, 0, (void *)&two, sizeof two));
    SHOW(sendto(a, "second message", 14, 0, (void *)&two, sizeof two));
    char data[32] = "";
    socklen_t length = sizeof from;
    SHOW(recvfrom(b, data, 32, 0, (void *)&from, &length));
    printf("%s from %s\n", data, from.sun_path);
    memset(data, 0, sizeof data);
    SHOW(recv(b, data, 6, MSG_TRUNC));
    puts(data);
    SHOW(recv(b, data, 6, MSG_DONTWAIT));
    SHOW(send(a, "x", 1, 0));
    SHOW(connect(a, (void *)&two, sizeof two));
    SHOW(send(a, "x", 1, 0));
    SHOW(send(a, "", 0, 0));
    SHOW(recv(b, data, 6, 0));
    SHOW(recv(b, data, 6, 0));
    SHOW(unlink("two"));
    SHOW(sendto(a, "x", 1, 0, (void *)&two, sizeof two));
    int pair[2];
    SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair));
    SHOW(send(pair[0], "12345", 5, 0));
    SHOW(send(pair[0], "67", 2, 0));
    SHOW(recv(pair[1], data, 3, 0));
    SHOW(recv(pair[1], data, 3, 0));
    close(pair[0]);
    SHOW(recv(pair[1], data, 3, 0));
    struct sockaddr_un hidden = {.sun_family = AF_UNIX, .sun_path = "\0abstract"};
    socklen_t short_length = offsetof(struct sockaddr_un, sun_path) + 9;
    int c = SHOW(socket(AF_UNIX, SOCK_DGRAM, 0));
    SHOW(bind(c, (void *)&hidden, short_length));
    int d = SHOW(socket(AF_UNIX, SOCK_DGRAM, 0));
    SHOW(bind(d, (void *)&hidden, short_length));
    SHOW(sendto(d, "to abstract", 11, 0, (void *)&hidden, short_length));
    length = sizeof from;
    SHOW(recvfrom(c, data, 32, 0, (void *)&from, &length));
    SHOW(length);
    return 0;
}
