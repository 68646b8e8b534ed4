/* capabilities(7): what setuid, prctl and execve do to each set; securebits. */
// guest: user = root
#include "guest.h"

#include <sys/fsuid.h>
#include <sys/prctl.h>

#include <linux/capability.h>
#include <linux/securebits.h>

static unsigned long long set_of(const char *which) {
    char line[256];
    unsigned long long value = 0;
    FILE *file = fopen("/proc/self/status", "r");
    CHECK(file);
    while (fgets(line, sizeof line, file))
        if (!strncmp(line, which, 6))
            value = strtoull(line + 7, NULL, 16);
    fclose(file);
    return value;
}

static const char *short_form(unsigned long long set) {
    static char text[8][40];
    static int next;
    char *result = text[next++ % 8];
    /* The superuser of a container may lack this one. */
    unsigned long long all = ((1ULL << (CAP_LAST_CAP + 1)) - 1) & ~(1ULL << CAP_SYS_RESOURCE);
    set &= all;
    if (set == all)
        strcpy(result, "all");
    else if (__builtin_popcountll(all & ~set) < 5)
        sprintf(result, "all-%llx", all & ~set);
    else
        sprintf(result, "%llx", set);
    return result;
}

static void show(const char *who) {
    printf("%s: inh %s prm %s eff %s bnd %s amb %s bits %x\n", who, short_form(set_of("CapInh")),
           short_form(set_of("CapPrm")), short_form(set_of("CapEff")),
           short_form(set_of("CapBnd")), short_form(set_of("CapAmb")),
           prctl(PR_GET_SECUREBITS));
}

static int set(unsigned long long effective, unsigned long long permitted,
               unsigned long long inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)}};
    return (int)syscall(SYS_capset, &header, data);
}

#define BIT(capability) (1ULL << (capability))

static void exec_and_show(const char *who) {
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "self", who, NULL);
        _exit(99);
    }
    CHECK(waitpid(child, NULL, 0) == child);
}

static void by_setuid(void) {
    show("root");
    CHECK(setresuid(0, 1000, 0) == 0);
    show("effective 1000");
    CHECK(setresuid(0, 0, 0) == 0);
    show("back");
    CHECK(setfsuid(1000) == 0);
    show("file system id 1000");
    SHOW(setfsuid(0));
    show("back");
    CHECK(setresuid(1000, 1000, 0) == 0);
    show("saved root");
    CHECK(setresuid(1000, 1000, 1000) == -1 || 1);
    show("all 1000");
    SHOW(setuid(0));
    exec_and_show("executed by 1000");
}

static void keep_capabilities(void) {
    SHOW(prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_KEEPCAPS, 2));
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    show("keeping");
    CHECK(setresuid(1000, 1000, 1000) == 0);
    show("1000");
    SHOW(set(BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP), BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP), 0));
    SHOW(set(BIT(CAP_CHOWN), BIT(CAP_NET_RAW), 0));
    SHOW(set(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW) | BIT(CAP_CHOWN), 0));
    show("less");
    SHOW(set(BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP), BIT(CAP_NET_RAW) | BIT(CAP_SETPCAP),
             BIT(CAP_NET_RAW) | BIT(CAP_CHOWN)));
    SHOW(set(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW), BIT(CAP_NET_RAW) | BIT(CAP_KILL)));
    SHOW(set(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW), BIT(CAP_NET_RAW)));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_NET_RAW, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 63, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0));
    show("ambient");
    exec_and_show("executed ambient");
    SHOW(set(BIT(CAP_NET_RAW), BIT(CAP_NET_RAW), 0));
    show("not inheritable");
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    SHOW(prctl(PR_CAPBSET_DROP, CAP_NET_RAW));
}

static void bounding(void) {
    SHOW(prctl(PR_CAPBSET_READ, CAP_SYS_TIME));
    SHOW(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME));
    SHOW(prctl(PR_CAPBSET_READ, CAP_SYS_TIME));
    SHOW(prctl(PR_CAPBSET_READ, 64));
    SHOW(prctl(PR_CAPBSET_DROP, 64));
    show("dropped");
    SHOW(set(set_of("CapEff"), set_of("CapPrm"), BIT(CAP_SYS_TIME)));
    exec_and_show("executed without");
    SHOW(set(set_of("CapEff"), set_of("CapPrm"), 0));
    exec_and_show("executed without inheritable");
}

static void secure_bits(void) {
    SHOW(prctl(PR_SET_SECUREBITS, 0x1000));
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP));
    CHECK(setresuid(0, 1000, 0) == 0);
    show("no fixup");
    CHECK(setresuid(0, 0, 0) == 0);
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT));
    exec_and_show("executed as ordinary root");
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED));
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT_LOCKED));
    SHOW(prctl(PR_SET_SECUREBITS,
               SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED));
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    SHOW(prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                                      SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE));
    SHOW(set(set_of("CapEff"), set_of("CapPrm"), BIT(CAP_KILL)));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
    show("locked");
    exec_and_show("executed locked");
    SHOW(set(0, 0, 0));
    SHOW(prctl(PR_SET_SECUREBITS, 0));
    SHOW(prctl(PR_CAPBSET_DROP, CAP_KILL));
}

static void no_new_privileges(void) {
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    CHECK(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) == 0);
    CHECK(setresuid(1000, 1000, 1000) == 0);
    show("1000 with all");
    exec_and_show("executed with no_new_privs");
}

static void run(void (*part)(void)) {
    pid_t child = fork();
    if (child == 0) {
        part();
        _exit(0);
    }
    wait_and_show("part", child);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        show(argv[1]);
        return 0;
    }
    run(by_setuid);
    run(keep_capabilities);
    run(bounding);
    run(secure_bits);
    run(no_new_privileges);
    return 0;
}
