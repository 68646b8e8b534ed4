// guest: nodes = 1
/* set_mempolicy(2), mbind(2) and their relatives, on a machine with one node. */
#include "guest.h"

#include <linux/mempolicy.h>

#define PAGE 4096

static long get(int *mode, unsigned long *nodes, unsigned long maximum, void *address, int flags) {
    return syscall(SYS_get_mempolicy, mode, nodes, maximum, address, flags);
}

static long set(int mode, const unsigned long *nodes, unsigned long maximum) {
    return syscall(SYS_set_mempolicy, mode, nodes, maximum);
}

static long bind_range(void *start, unsigned long size, int mode, const unsigned long *nodes,
                       unsigned long maximum, unsigned flags) {
    return syscall(SYS_mbind, start, size, mode, nodes, maximum, flags);
}

static void show(const char *what, void *address, int flags) {
    int mode = -1;
    unsigned long nodes[16] = {99};
    errno = 0;
    long result = get(&mode, nodes, 1024, address, flags);
    if (result)
        printf("%s: %s\n", what, errno_name(errno));
    else
        printf("%s: mode %x nodes %lx %lx\n", what, mode, nodes[0], nodes[15]);
}

int main(void) {
    unsigned long one = 1, two = 2, none = 0, many[16] = {1};
    show("default", NULL, 0);
    show("allowed", NULL, MPOL_F_MEMS_ALLOWED);
    show("wrong", NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE);
    show("wrong", NULL, 8);
    show("address without flag", &one, 0);
    show("node", NULL, MPOL_F_NODE);
    show("address", &one, MPOL_F_ADDR);
    show("node of address", &one, MPOL_F_ADDR | MPOL_F_NODE);
    show("no address", (void *)PAGE, MPOL_F_ADDR);
    SHOW(get(NULL, NULL, 0, NULL, 0));
    SHOW(get(NULL, many, 0, NULL, 0));
    SHOW(get((int *)8, NULL, 0, NULL, 0));
    SHOW(set(MPOL_BIND, &one, 64));
    show("bind", NULL, 0);
    SHOW(set(MPOL_BIND, &two, 64));
    SHOW(set(MPOL_BIND, &none, 64));
    SHOW(set(MPOL_BIND, NULL, 0));
    SHOW(set(MPOL_BIND, many, 1025));
    many[15] = 1UL << 63;
    SHOW(set(MPOL_BIND, many, 1025));
    SHOW(set(MPOL_BIND, (unsigned long *)8, 64));
    SHOW(set(MPOL_BIND, &one, 40000));
    SHOW(set(MPOL_PREFERRED, &one, 64));
    show("preferred", NULL, 0);
    SHOW(set(MPOL_PREFERRED, NULL, 0));
    show("preferred nowhere", NULL, 0);
    SHOW(set(MPOL_INTERLEAVE, &one, 64));
    show("interleave", NULL, 0);
    show("next node", NULL, MPOL_F_NODE);
    SHOW(set(MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, &one, 64));
    show("static", NULL, 0);
    unsigned long three = 3;
    SHOW(set(MPOL_BIND | MPOL_F_STATIC_NODES, &three, 64));
    show("static and more", NULL, 0);
    SHOW(set(MPOL_BIND | MPOL_F_RELATIVE_NODES, &two, 64));
    show("relative", NULL, 0);
    SHOW(set(MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, &one, 64));
    SHOW(set(MPOL_LOCAL, NULL, 0));
    show("local", NULL, 0);
    SHOW(set(MPOL_LOCAL, &one, 64));
    SHOW(set(MPOL_PREFERRED_MANY, &one, 64));
    show("preferred many", NULL, 0);
    SHOW(set(MPOL_DEFAULT, &one, 64));
    SHOW(set(99, &one, 64));
    SHOW(set(-1, &one, 64));
    pid_t child = fork();
    if (child == 0) {
        show("inherited", NULL, 0);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(set(MPOL_DEFAULT, NULL, 0));

    char *pages = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED);
    SHOW(bind_range(pages + PAGE, 2 * PAGE, MPOL_BIND, &one, 64, 0));
    show("first page", pages, MPOL_F_ADDR);
    show("second page", pages + PAGE, MPOL_F_ADDR);
    show("fourth page", pages + 3 * PAGE, MPOL_F_ADDR);
    SHOW(bind_range(pages + 1, PAGE, MPOL_BIND, &one, 64, 0));
    SHOW(bind_range(pages, 0, MPOL_BIND, &one, 64, 0));
    SHOW(bind_range(pages, PAGE, MPOL_BIND, &two, 64, 0));
    SHOW(bind_range(pages, PAGE, MPOL_BIND, &one, 64, 64));
    SHOW(bind_range(pages, PAGE, MPOL_PREFERRED, &one, 64, MPOL_MF_MOVE | MPOL_MF_STRICT));
    show("first page", pages, MPOL_F_ADDR);
    SHOW(bind_range(pages, -2UL * PAGE, MPOL_BIND, &one, 64, 0));
    SHOW(munmap(pages + 2 * PAGE, PAGE));
    SHOW(bind_range(pages, 4 * PAGE, MPOL_BIND, &one, 64, 0));
    show("unmapped", pages + 2 * PAGE, MPOL_F_ADDR);
    char *again = mmap(pages + PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    show("mapped again", again, MPOL_F_ADDR);
    child = fork();
    if (child == 0) {
        show("first page in the child", pages, MPOL_F_ADDR);
        _exit(0);
    }
    CHECK(waitpid(child, NULL, 0) == child);
    SHOW(bind_range(pages, PAGE, MPOL_DEFAULT, NULL, 0, 0));
    show("first page", pages, MPOL_F_ADDR);

    SHOW(syscall(SYS_migrate_pages, 0, 64, &one, &one));
    SHOW(syscall(SYS_migrate_pages, getpid(), 64, &one, &two));
    SHOW(syscall(SYS_migrate_pages, 0, 64, &one, (void *)8));
    SHOW(syscall(SYS_migrate_pages, 99999999, 64, &one, &one));
    SHOW(syscall(SYS_migrate_pages, -1, 64, &one, &one));
    pages[0] = 1;
    char *untouched = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *wanted[4] = {pages, untouched, (void *)(16 * PAGE), pages + 1};
    int where[4] = {0, 0, 0, 0}, status[4] = {7, 7, 7, 7};
    SHOW(syscall(SYS_move_pages, 0, 4UL, wanted, NULL, status, 0));
    printf("%s %s %s %s\n", status[0] ? errno_name(-status[0]) : "node 0", errno_name(-status[1]),
           errno_name(-status[2]), status[3] ? errno_name(-status[3]) : "node 0");
    SHOW(syscall(SYS_move_pages, getpid(), 2UL, wanted, where, status, MPOL_MF_MOVE));
    printf("%s %s\n", status[0] ? errno_name(-status[0]) : "node 0", errno_name(-status[1]));
    where[0] = 5;
    SHOW(syscall(SYS_move_pages, 0, 1UL, wanted, where, status, MPOL_MF_MOVE));
    where[0] = -1;
    SHOW(syscall(SYS_move_pages, 0, 1UL, wanted, where, status, MPOL_MF_MOVE));
    SHOW(syscall(SYS_move_pages, 0, 1UL, wanted, NULL, status, 64));
    SHOW(syscall(SYS_move_pages, 99999999, 1UL, wanted, NULL, status, 0));
    SHOW(syscall(SYS_move_pages, 0, 0UL, wanted, NULL, status, 0));
    SHOW(syscall(SYS_move_pages, 0, 1UL, (void *)8, NULL, status, 0));
    SHOW(syscall(SYS_move_pages, 0, 1UL, wanted, NULL, (void *)8, 0));
    become_nobody();
    SHOW(bind_range(pages, PAGE, MPOL_BIND, &one, 64, MPOL_MF_MOVE_ALL));
    SHOW(syscall(SYS_move_pages, 0, 1UL, wanted, NULL, status, MPOL_MF_MOVE_ALL));
    return 0;
}
