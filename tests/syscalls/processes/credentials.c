/* setresuid(2) and its family, as an ordinary user: only ids that one has. */
#include "guest.h"
#include <grp.h>

static void ids(void) {
    uid_t real, effective, saved;
    CHECK(getresuid(&real, &effective, &saved) == 0);
    SHOW(real == effective && effective == saved);
    gid_t group, effective_group, saved_group;
    CHECK(getresgid(&group, &effective_group, &saved_group) == 0);
    SHOW(group == effective_group && effective_group == saved_group);
}

int main(void) {
    become_nobody();
    ids();
    uid_t me = getuid();
    SHOW(setuid(me));
    SHOW(setuid(0));
    SHOW(seteuid(me + 1));
    SHOW(setresuid(-1, me, -1));
    SHOW(setresuid(me + 1, -1, -1));
    SHOW(setreuid(-1, me));
    SHOW(setgid(getgid()));
    SHOW(setgid(getgid() + 1));
    SHOW(setegid(getegid()));
    gid_t list[1] = {0};
    SHOW(setgroups(1, list));
    SHOW(getgroups(0, NULL) >= 0);
    SHOW(syscall(SYS_getresuid, (void *)8, (void *)8, (void *)8));
    ids();
    SHOW(chroot("."));
    SHOW(sethostname("x", 1));
    SHOW(nice(-5));
    return 0;
}
