/* The loopback interface is there and up, and has its address. */
#include "guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(fd >= 0);
    struct ifreq request = {.ifr_name = "lo"};
    SHOW(ioctl(fd, SIOCGIFFLAGS, &request));
    SHOW((request.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
    SHOW(ioctl(fd, SIOCGIFADDR, &request));
    struct sockaddr_in *address = (void *)&request.ifr_addr;
    puts(inet_ntoa(address->sin_addr));
    SHOW(if_nametoindex("lo"));
    SHOW(if_nametoindex("none0"));
    return 0;
}
