/* What a process of ours does to itself before it serves somebody hostile.  Neighbour: walls.c.
 *
 * Functions return a non-negative result or a negated errno.  This file is read by the C compiler
 * and by cffi, so it has declarations only. */

/* Whose filter: of the gofer; of a process that waits for a container; of a sentry, which may have
 * either or both of the others. */
#define WALLS_SENTRY 0
#define WALLS_NETWORK 1
#define WALLS_CONTROL 2
#define WALLS_GOFER 4
#define WALLS_WAITER 5

/* Any system call: landlock(7), capset(2), what libc has no names for. */
int64_t walls_call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e);

/* Install a filter for good.  It traps a call that may not be made.  The process then writes
 * `before`, the call's number and name, and `after` to the descriptor `report`, and ends with the
 * status of SIGSYS. */
int walls_install_filter(int which, int report, const char *before, const char *after);

/* The filter itself, an array of struct sock_filter: its bytes, and how many. */
const unsigned char *walls_filter_program(int which);
int walls_filter_size(int which);

/* fork(2), with clone(2)'s CLONE_NEW… flags for the child. */
int walls_fork(uint64_t flags);

/* A file or directory that can still be reached by path, with the rights of landlock(7) there. */
struct walls_place {
    int descriptor;
    uint64_t rights;
};

/* walls_restrict: paths lead to `places` only (else anywhere); files have to be moved between
 * directories; TCP ports may be used. */
#define WALLS_PATHS 1
#define WALLS_MOVES 2
#define WALLS_PORTS 4

/* The host's version of Landlock, or -errno. */
int walls_landlock_version(void);

/* Restrict this process for ever: 1, or 0 where the host's Landlock cannot. */
int walls_restrict(const struct walls_place *places, int count, int flags);

/* Give up every capability that is not in the set. */
int walls_keep_capabilities(uint64_t kept);
