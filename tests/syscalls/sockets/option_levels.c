/* getsockopt(2), setsockopt(2) with levels that the socket does not have; SIOCATMARK; raw ones. */
#include "guest.h"
#include <netinet/in.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void) {
    int families[] = {AF_INET, AF_INET6}, kinds[] = {SOCK_STREAM, SOCK_DGRAM};
    int levels[] = {IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6, 500};
    for (int family = 0; family < 2; family++)
        for (int kind = 0; kind < 2; kind++) {
            int fd = socket(families[family], kinds[kind], 0);
            for (int level = 0; level < 5; level++) {
                int value = 1;
                socklen_t length = sizeof value;
                printf("%d %d %d\n", family, kind, levels[level]);
                SHOW(getsockopt(fd, levels[level], 12345, &value, &length));
                SHOW(setsockopt(fd, levels[level], 12345, &value, length));
            }
            int mark = 1;
            SHOW(ioctl(fd, SIOCATMARK, 0));
            SHOW(ioctl(fd, SIOCATMARK, &mark));
            SHOW(mark);
            SHOW(ioctl(fd, SIOCSIFFLAGS, 0));
        }
    SHOW(socket(AF_INET, SOCK_RAW, 0));
    return 0;
}
