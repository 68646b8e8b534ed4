/* /proc/sys/net/ipv4/ping_group_range: what may be written, and who may have ICMP sockets. */
// guest: user = root
#include "guest.h"
#include <grp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

static void set(const char *range) {
    char text[64] = "";
    int file = open("/proc/sys/net/ipv4/ping_group_range", O_RDWR);
    printf("[%s]\n", range);
    SHOW(write(file, range, strlen(range)));
    SHOW(pread(file, text, sizeof text - 1, 0));
    printf("%s", text);
    close(file);
    int ping = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    SHOW(ping < 0 && errno == EACCES);
    close(ping);
}

int main(void) {
    const char *ranges[] = {"0 10", "5 3", "0 2147483647\n", "7", "1", "x", "-1 3", "3 -1",
                            "", "100 200", "0 4294967294", "0 4294967295", "0\t9", " 1   4 ",
                            "0,5", "1x 5"};
    gid_t group = 150;
    SHOW(setgroups(0, NULL));
    SHOW(unshare(CLONE_NEWNET)); /* a namespace of our own: the machine's stays as it is */
    for (unsigned at = 0; at < sizeof ranges / sizeof *ranges; at++)
        set(ranges[at]);
    SHOW(setgroups(1, &group));
    set("100 200");
    SHOW(unshare(CLONE_NEWNET));
    set("");
    return 0;
}
