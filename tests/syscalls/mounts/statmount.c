/* statmount(2), listmount(2), and the mount ids of statx(2) and name_to_handle_at(2). */
#include "contexts.h"
#include <sys/sysmacros.h>

#define STATMOUNT 457
#define LISTMOUNT 458
#define ROOT (~0ull)
#define REVERSE 1
#define FIRST_ID ((1ull << 31) + 1)
#define MNT_ID_UNIQUE 0x4000

enum {
    SB_BASIC = 1,
    MNT_BASIC = 2,
    PROPAGATE_FROM = 4,
    MNT_ROOT = 8,
    MNT_POINT = 0x10,
    FS_TYPE = 0x20,
    MNT_NS_ID = 0x40,
    MNT_OPTS = 0x80,
    FS_SUBTYPE = 0x100,
    SB_SOURCE = 0x200,
    OPT_ARRAY = 0x400,
    OPT_SEC_ARRAY = 0x800,
    SUPPORTED_MASK = 0x1000,
};

struct request {
    uint32_t size, spare;
    uint64_t mount, parameter, namespace;
};

struct answer {
    uint32_t size, mnt_opts;
    uint64_t mask;
    uint32_t sb_dev_major, sb_dev_minor;
    uint64_t sb_magic;
    uint32_t sb_flags, fs_type;
    uint64_t mnt_id, mnt_parent_id;
    uint32_t mnt_id_old, mnt_parent_id_old;
    uint64_t mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
    uint32_t mnt_root, mnt_point;
    uint64_t mnt_ns_id;
    uint32_t fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
    uint64_t supported_mask, spare[45];
    char strings[2000];
};

static uint64_t id_of(const char *path) {
    struct statx found;
    CHECK(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | MNT_ID_UNIQUE, &found) == 0);
    CHECK(found.stx_mask & MNT_ID_UNIQUE);
    return found.stx_mnt_id;
}

static long ask(uint64_t mount, uint64_t mask, struct answer *answer, size_t size) {
    struct request request = {sizeof request, 0, mount, mask, 0};
    return syscall(STATMOUNT, &request, answer, size, 0);
}

static void show(const char *path) {
    struct answer answer;
    uint64_t all = SB_BASIC | MNT_BASIC | PROPAGATE_FROM | MNT_ROOT | MNT_POINT | FS_TYPE |
                   MNT_NS_ID | MNT_OPTS | FS_SUBTYPE | SB_SOURCE | OPT_ARRAY;
    memset(&answer, 0x55, sizeof answer);
    CHECK(ask(id_of(path), all, &answer, sizeof answer) == 0);
    struct stat status;
    CHECK(stat(path, &status) == 0);
    printf("%s: mask %lx, type %s, magic %lx, flags %x, device %d\n", path,
           (unsigned long)answer.mask, answer.strings + answer.fs_type,
           (unsigned long)answer.sb_magic, answer.sb_flags,
           answer.sb_dev_major == major(status.st_dev) &&
               answer.sb_dev_minor == minor(status.st_dev));
    printf("  attributes %lx, propagation %lx, root %s, point %s\n",
           (unsigned long)answer.mnt_attr, (unsigned long)answer.mnt_propagation,
           answer.strings + answer.mnt_root,
           answer.strings + answer.mnt_point + strlen(work_directory));
    char *options = answer.mask & MNT_OPTS ? answer.strings + answer.mnt_opts : "none";
    printf("  source %s, options %s, %u of them", answer.strings + answer.sb_source,
           strncmp(options, "inode64", 7) ? options : "none",
           answer.mask & OPT_ARRAY ? answer.opt_num : 0);
    const char *option = answer.strings + answer.opt_array;
    for (uint32_t i = 0; answer.mask & OPT_ARRAY && i < answer.opt_num; i++) {
        printf(" [%s]", option);
        option += strlen(option) + 1;
    }
    printf("\n  ids: %d %d %d, parent is that of ..: %d, group %c, master %c, from %d\n",
           answer.mnt_id == id_of(path), answer.mnt_id_old != 0,
           answer.mnt_id >= FIRST_ID, answer.mnt_parent_id == id_of("."),
           answer.mnt_peer_group ? group_letter((int)answer.mnt_peer_group) : '-',
           answer.mnt_master ? group_letter((int)answer.mnt_master) : '-',
           answer.propagate_from != 0);
    printf("  size is consistent: %d\n", answer.size >= 512 && answer.size <= sizeof answer);
}

static void sizes(void) {
    struct answer answer;
    uint64_t id = id_of("a");
    struct request request = {sizeof request, 0, id, MNT_BASIC, 0};
    SHOW(syscall(STATMOUNT, &request, &answer, sizeof answer, 1));
    SHOW(syscall(STATMOUNT, NULL, &answer, sizeof answer, 0));
    SHOW(syscall(STATMOUNT, &request, (void *)8, sizeof answer, 0));
    request.size = 23;
    SHOW(syscall(STATMOUNT, &request, &answer, sizeof answer, 0));
    request.size = 24;
    SHOW(syscall(STATMOUNT, &request, &answer, sizeof answer, 0));
    request.size = 5000;
    SHOW(syscall(STATMOUNT, &request, &answer, sizeof answer, 0));
    request.size = sizeof request;
    request.spare = 1;
    SHOW(syscall(STATMOUNT, &request, &answer, sizeof answer, 0) < 0);
    SHOW(ask(1, MNT_BASIC, &answer, sizeof answer));
    SHOW(ask(0, MNT_BASIC, &answer, sizeof answer));
    SHOW(ask(1ull << 50, MNT_BASIC, &answer, sizeof answer));
    SHOW(ask(id, 0, &answer, sizeof answer));
    printf("mask %lx, size %u\n", (unsigned long)answer.mask, answer.size);
    SHOW(ask(id, 1ull << 60 | MNT_BASIC, &answer, sizeof answer));
    printf("mask %lx\n", (unsigned long)answer.mask);
    SHOW(ask(id, MNT_BASIC, &answer, 0));
    memset(&answer, 0x55, sizeof answer);
    SHOW(ask(id, MNT_BASIC, &answer, 16));
    printf("size %u, mask %lx, beyond %x\n", answer.size, (unsigned long)answer.mask,
           answer.sb_dev_major);
    SHOW(ask(id, FS_TYPE, &answer, 512));
    SHOW(ask(id, FS_TYPE, &answer, 517));
    SHOW(ask(id, FS_TYPE, &answer, 518));
    if (SHOW(ask(id, FS_TYPE, &answer, 519)) == 0)
        printf("%u %s, size %u\n", answer.fs_type, answer.strings + answer.fs_type, answer.size);
    SHOW(ask(id, FS_TYPE, &answer, 600));
    printf("%u %s, size %u\n", answer.fs_type, answer.strings + answer.fs_type, answer.size);
    SHOW(ask(id, FS_SUBTYPE, &answer, sizeof answer));
    printf("subtype: %lx\n", (unsigned long)answer.mask);
    SHOW(ask(id_of("a/b"), SUPPORTED_MASK, &answer, sizeof answer));
    printf("supported %d\n", (answer.supported_mask & 0xfff) == 0xfff);
}

static long list(uint64_t mount, uint64_t after, uint64_t *ids, size_t count, unsigned flags) {
    struct request request = {sizeof request, 0, mount, after, 0};
    return syscall(LISTMOUNT, &request, ids, count, flags);
}

static void lists(void) {
    uint64_t ids[1000], a = id_of("a"), b = id_of("a/b"), c = id_of("a/b/c");
    SHOW(list(a, 0, ids, 10, 0));
    printf("%d %d\n", ids[0] == b, ids[1] == c);
    SHOW(list(a, 0, ids, 10, REVERSE));
    printf("%d %d\n", ids[0] == c, ids[1] == b);
    SHOW(list(a, 0, ids, 1, 0));
    SHOW(list(a, b, ids, 10, 0));
    printf("%d\n", ids[0] == c);
    SHOW(list(a, c, ids, 10, 0));
    SHOW(list(a, c, ids, 10, REVERSE));
    printf("%d\n", ids[0] == b);
    SHOW(list(c, 0, ids, 10, 0));
    SHOW(list(a, 0, ids, 0, 0));
    SHOW(list(a, 5, ids, 10, 0));
    SHOW(list(a, 0, ids, 10, 2));
    SHOW(list(5, 0, ids, 10, 0));
    SHOW(list(1ull << 50, 0, ids, 10, 0));
    SHOW(list(a, 0, ids, 1000001, 0));
    SHOW(list(a, 0, (void *)8, 10, 0));
    long all = list(ROOT, 0, ids, 1000, 0);
    int found = 0, ascending = 1;
    for (long i = 0; i < all; i++) {
        found += ids[i] == a || ids[i] == b || ids[i] == c;
        ascending &= i == 0 || ids[i] > ids[i - 1];
    }
    printf("of all: %d, ascending: %d\n", found, ascending);
    int hidden = open_tree(AT_FDCWD, "a", OPEN_TREE_CLONE);
    struct statx status;
    CHECK(statx(hidden, "", AT_EMPTY_PATH, MNT_ID_UNIQUE, &status) == 0);
    struct answer answer;
    SHOW(ask(status.stx_mnt_id, MNT_BASIC, &answer, sizeof answer));
    CHECK(close(hidden) == 0);
}

static void in_a_root(void) {
    uint64_t a = id_of("a"), b = id_of("a/b"), ids[10];
    struct answer answer;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        CHECK(chroot("a/b") == 0 && chdir("/") == 0);
        SHOW(list(ROOT, 0, ids, 10, 0));
        SHOW(ask(b, MNT_POINT | MNT_BASIC, &answer, sizeof answer));
        printf("%s\n", answer.strings + answer.mnt_point);
        SHOW(ask(a, MNT_POINT | MNT_BASIC, &answer, sizeof answer));
        printf("mask %lx %s\n", (unsigned long)answer.mask,
               answer.mask & MNT_POINT ? answer.strings + answer.mnt_point : "-");
        CHECK(setresuid(1234, 1234, 1234) == 0);
        SHOW(ask(b, MNT_BASIC, &answer, sizeof answer));
        SHOW(ask(a, MNT_BASIC, &answer, sizeof answer));
        SHOW(list(a, 0, ids, 10, 0));
        fflush(stdout);
        _exit(0);
    }
    wait_and_show("in a root", child);
}

static void other_calls(void) {
    struct statx plain, unique;
    CHECK(statx(AT_FDCWD, "a", 0, STATX_MNT_ID, &plain) == 0);
    CHECK(statx(AT_FDCWD, "a", 0, STATX_MNT_ID | MNT_ID_UNIQUE, &unique) == 0);
    printf("masks %x %x, attributes %lx, another id: %d\n",
           plain.stx_mask & (STATX_MNT_ID | MNT_ID_UNIQUE),
           unique.stx_mask & (STATX_MNT_ID | MNT_ID_UNIQUE),
           (unsigned long)(plain.stx_attributes & STATX_ATTR_MOUNT_ROOT),
           plain.stx_mnt_id != unique.stx_mnt_id);
    struct {
        struct file_handle head;
        char rest[128];
    } handle = {.head.handle_bytes = 128};
    uint64_t id = 0;
    SHOW(name_to_handle_at(AT_FDCWD, "a", &handle.head, (int *)&id, 1));
    printf("unique id: %d\n", id == unique.stx_mnt_id);
    id = 0;
    handle.head.handle_bytes = 128;
    SHOW(name_to_handle_at(AT_FDCWD, "a", &handle.head, (int *)&id, 0x200));
    printf("plain id: %d\n", id == plain.stx_mnt_id);
    handle.head.handle_bytes = 128;
    SHOW(name_to_handle_at(AT_FDCWD, "a", &handle.head, (int *)&id, 4));
    SHOW(name_to_handle_at(AT_FDCWD, "a", &handle.head, (int *)&id, 2));
}

int main(void) {
    work_in_own_tmpfs();
    make_directories("a copy");
    CHECK(mount("source of a", "a", "tmpfs", MS_NOEXEC | MS_NODEV, "size=1m,mode=711") == 0);
    make_directories("a/b a/sub");
    CHECK(mount("b", "a/b", "ramfs", MS_NOATIME | MS_RDONLY, NULL) == 0);
    CHECK(mount(NULL, "a/b", NULL, MS_REMOUNT | MS_BIND | MS_NODIRATIME, NULL) == 0);
    CHECK(mount(NULL, "a/b", NULL, MS_REMOUNT | MS_SYNCHRONOUS, NULL) == 0);
    make_directories("a/b/c");
    CHECK(mount("c", "a/b/c", "tmpfs", MS_STRICTATIME, NULL) == 0);
    CHECK(mount("a/sub", "copy", NULL, MS_BIND, NULL) == 0);
    show("a");
    show("a/b");
    show("a/b/c");
    show("copy");
    CHECK(mount(NULL, "a", NULL, MS_SHARED, NULL) == 0);
    CHECK(mount(NULL, "copy", NULL, MS_UNBINDABLE, NULL) == 0);
    make_directories("slave");
    CHECK(mount("a", "slave", NULL, MS_BIND, NULL) == 0);
    CHECK(mount(NULL, "slave", NULL, MS_SLAVE, NULL) == 0);
    show("a");
    show("copy");
    show("slave");
    CHECK(umount("slave") == 0);
    sizes();
    lists();
    in_a_root();
    other_calls();
}
