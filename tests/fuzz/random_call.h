/* One random system call: any number, with arguments that lead somewhere now and then. */
#ifndef RANDOM_CALL_H
#define RANDOM_CALL_H

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LAST_CALL = 470, ARENA = 1 << 16, PATHS = 4096 };

static _Thread_local uint64_t state;
static unsigned char *arena; /* what pointers point to; the page behind it is not there */
static char (*paths)[16];

static uint64_t any(void) { /* splitmix64 */
    uint64_t value = state += 0x9e3779b97f4a7c15;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

static uint64_t below(uint64_t limit) { return any() % limit; }

#define ONE_OF(...) \
    ((const uint64_t[]){__VA_ARGS__}[below(sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))])

static const char *const NAMES[] = {
    "file", "file", "directory", "directory/x", "link", "fifo", "new", "", ".", "..", "/",
    "/dev/null", "/dev/ptmx", "/proc/self", "/proc/self/fd", "/proc/self/m", "user.a", "tmpfs",
};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static uint64_t argument(void) {
    switch (below(20)) {
    case 0: case 1: case 2: return below(10);
    case 3: case 4: case 5: return below(40); /* descriptors, commands, signals */
    case 6: return ONE_OF(-1, -2, -100, -4096, INT32_MIN, INT32_MAX, UINT32_MAX, INT64_MIN);
    case 7: return ONE_OF(0, 1, 4095, 4096, 0xdead0000, 0x7ffffffff000, 0x800000000000, -8);
    case 8: case 9: case 10: case 11: return (uint64_t)arena + below(ARENA / 8) * 8;
    case 12: return (uint64_t)arena + ARENA - below(64); /* the page behind is not there */
    case 13: case 14: return (uint64_t)paths[below(NAME_COUNT)];
    case 15: return 1ull << below(32) | 1ull << below(20);
    case 16: return ONE_OF(4, 8, 16, 24, 32, 64, 88, 128, 256, 4096, 65536, 1 << 20, INT64_MAX);
    case 17: return below(100);
    case 18: return ONE_OF(0x5400, 0x8900, 0x80045400, 1024) + below(64); /* ioctl, fcntl */
    default: return any();
    }
}

static void fill(void) {
    uint64_t place = below(ARENA / 8 - 32) * 8;
    for (int i = 0; i < 32; i++) {
        uint64_t value = argument();
        if (below(3) == 0)
            value = (value & UINT32_MAX) | argument() << 32;
        memcpy(arena + place + i * 8, &value, 8);
    }
}

/* Seldom a number without a call, or one that is bound to end the round. */
static uint64_t call_number(void) {
    for (;;) {
        uint64_t number = below(LAST_CALL + 1);
        if (number == SYS_exit || number == SYS_exit_group)
            continue;
        if ((number > SYS_rseq && number < SYS_pidfd_send_signal) || number == SYS_rt_sigreturn)
            if (below(10))
                continue;
        return number;
    }
}

/* Most calls want a descriptor or a path first. */
static uint64_t first_argument(void) {
    switch (below(4)) {
    case 0: return 3 + below(34);
    case 1: return (uint64_t)paths[below(NAME_COUNT)];
    default: return argument();
    }
}


__attribute__((unused)) static void random_call(void) {
    pid_t self = syscall(SYS_gettid);
    uint64_t number = call_number(), given[6] = {first_argument()};
    for (int i = 1; i < 6; i++)
        given[i] = argument();
    syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
    if (number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3)
        if (syscall(SYS_gettid) != self)
            syscall(SYS_exit, 0);
}

static void make_memory(void) {
    int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    arena = mmap(NULL, ARENA + 4096, protection, flags, -1, 0);
    munmap(arena + ARENA, 4096);
    paths = mmap(NULL, PATHS, protection, flags, -1, 0);
    for (int i = 0; i < NAME_COUNT; i++)
        strcpy(paths[i], NAMES[i]);
}

#endif
