/* recv(2): MSG_OOB without urgent data, MSG_ERRQUEUE without errors. */
#include "guest.h"
#include <netinet/in.h>
#include <sys/socket.h>

int main(void) {
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof place;
    char byte;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(recv(client, &byte, 1, MSG_OOB));
    CHECK(bind(listener, (struct sockaddr *)&place, size) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&place, &size) == 0);
    CHECK(connect(client, (struct sockaddr *)&place, size) == 0);
    int server = accept(listener, NULL, NULL);
    CHECK(server >= 0);
    SHOW(recv(server, &byte, 1, MSG_OOB));
    SHOW(recv(client, &byte, 1, MSG_ERRQUEUE));
    SHOW(recv(listener, &byte, 1, MSG_ERRQUEUE));
    CHECK(write(client, "x", 1) == 1 && recv(server, &byte, 1, MSG_PEEK) == 1);
    SHOW(recv(server, &byte, 1, MSG_OOB));
    SHOW(recv(server, &byte, 1, MSG_OOB | MSG_DONTWAIT));
    close(client);
    SHOW(recv(server, &byte, 1, 0));
    SHOW(recv(server, &byte, 1, 0));
    SHOW(recv(server, &byte, 1, MSG_OOB));
    return 0;
}
