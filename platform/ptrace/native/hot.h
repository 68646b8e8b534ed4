/* What Python sees of the ptrace platform's C core.
 *
 * Read twice: by the C compiler, and by cffi as its list of declarations (hence no
 * preprocessor conditions here).  Everything that is not needed once per trap, or that
 * ptrace(2) does not force into the tracing thread's C code, is in Python instead.
 */

/* The page of code that every stub has; guests can neither map nor change anything below
 * LOWEST_ADDRESS, so "does it touch the stub page?" is one comparison. */
#define STUB_PAGE 0x10000
#define LOWEST_ADDRESS 0x11000

/* As runsc_py.platform.interface.Event. */
#define EVENT_SYSCALL 1
#define EVENT_FAULT 2
#define EVENT_INTERRUPTED 3
#define EVENT_EXITED 4

/* What platform_wait returns when it returns no context. */
#define WAIT_WAKE 0
#define WAIT_BROKEN -1

/* How context_execute and the clone functions end. */
#define CALL_DONE 0
#define CALL_GONE -1
#define CALL_REFUSED -2

/* How memory_read_string ends when it does not return a length. */
#define STRING_FAULT -1
#define STRING_ENDLESS -2

/* Where a context is. */
#define STATE_FREE 0
#define STATE_RUNNING 1
#define STATE_AT_CALL 2 /* stopped before a system call that nobody has decided about */
#define STATE_STOPPED 3 /* stopped anywhere else */
#define STATE_DYING 4   /* told to exit; only its reaping is awaited */
#define STATE_GONE 5    /* reaped */

/* Steps of platform_create and platform_prepare, for the error message. */
#define STEP_NONE 0
#define STEP_MEMORY 1
#define STEP_CLONE 2
#define STEP_SEIZE 3
#define STEP_SETUP 4
#define STEP_PARENT 5
#define STEP_RSEQ 6
#define STEP_STUB_PAGE 7
#define STEP_NO_NEW_PRIVILEGES 8
#define STEP_FILTER 9
#define STEP_REGISTERS 10
#define STEP_UNMAP 11
#define STEP_DOORBELL 12
#define STEP_CAPABILITIES 13

/* The two stubs a platform starts with. */
#define STUB_MASTER 0
#define STUB_DOORBELL 1

/* Placement policies, see placement.c. */
#define PLACEMENT_SPREAD 0
#define PLACEMENT_TOGETHER 1
#define PLACEMENT_AUTO 2

/* user_regs_struct of ptrace(2). */
struct registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi, orig_rax;
    uint64_t rip, cs, eflags, rsp, ss;
    uint64_t fs_base, gs_base, ds, es, fs, gs;
};

struct process; /* a host process; shared by the contexts that are its threads */

struct context {
    struct registers registers; /* the guest's, as the sentry sees and changes them */
    uint64_t arguments[6];      /* of the system call of an EVENT_SYSCALL */
    int64_t number;             /* its number */
    int64_t result;             /* of the last context_execute */
    uint8_t signal_info[128];   /* siginfo_t of an EVENT_FAULT */
    uint64_t effort;            /* processor cycles that its stops have taken the tracer */
    int32_t slot;               /* index by which Python knows it */
    int32_t tid;                /* host thread; > 0 while registered */
    int32_t pid;                /* host process */
    int32_t state;
    uint8_t call_pending; /* a guest system call was reported and has no result yet */
    uint8_t changed;      /* `registers` must be loaded before the guest goes on */
    uint8_t interrupting; /* an interrupt was asked for and not answered */
    /* The rest is of no interest to Python. */
    uint8_t together;     /* bound to the tracer's CPU */
    uint16_t seat;        /* to which of the tracer's CPUs, counted by placement.c */
    uint16_t traps;       /* traps in the current placement window */
    uint16_t crowded;     /* of these, with another context running on the tracer's CPU */
    int64_t resumed;      /* coarse clock, ns */
    int64_t ran;          /* its time on a CPU when the current placement window began, ns */
    struct process *process;
    struct context *next;         /* in its hash bucket, or in the free list */
    struct context *next_running; /* in the list of running contexts */
    struct context *previous_running;
    struct context *next_ready; /* in the list of what platform_wait returns first */
    int32_t ready;              /* in that list */
    int32_t deferred;           /* its wait status, when it is there for a stop */
};

struct internals;

struct platform {
    int32_t running; /* contexts resumed that have not stopped */
    int32_t failed_step;
    int32_t failed_errno;
    uint64_t effort; /* the sum over all contexts, those that are gone included */
    int32_t others; /* children reaped that are no guests, in other_pids and other_statuses */
    int32_t other_pids[16];
    int32_t other_statuses[16];
    struct internals *internals;
};

/* Of a process that waits: waiter.c. */
struct waiter_setup {
    int connection;      /* to the control server; one request was made */
    int answer;          /* the number of that request, below 128 */
    int record;          /* a file for the exit record, or -1 */
    int ready;           /* closed when signals are passed on */
    const char *head;    /* the exit record before the status, */
    const char *tail;    /* behind it, */
    const char *gone;    /* and when there is no answer */
    const char *request; /* the frame of a signal */
    uint64_t request_size;
    uint64_t number_at; /* where in it the signal's number is */
    const char *filter; /* what it may still call: an array of struct sock_filter */
    uint64_t filter_size;
};

/* Becomes a process of a few pages, which waits for the answer, writes the exit record, and ends with
 * the status as a shell has it.  Returns only an error: -errno. */
int waiter_become(const struct waiter_setup *setup);

/* Start and end. */
struct platform *platform_create(void);
int platform_start_stub(struct platform *platform, int which, const char *filter, int filter_size);
int platform_stub_pid(struct platform *platform, int which);
int platform_stub_unmap(struct platform *platform, int which, uint64_t start, uint64_t size);
int platform_finish_master(struct platform *platform);
int platform_finish_doorbell(struct platform *platform);
void platform_watch(struct platform *platform, int fd);
void platform_place(struct platform *platform, int policy, int proc);
void platform_accompany(struct platform *platform, int pid);
void platform_kill_all(struct platform *platform);
void platform_destroy(struct platform *platform);

/* The hot function: once per trap.  Returns slot * 8 + event, or WAIT_*. */
int64_t platform_wait(struct platform *platform, struct context *resume);

/* One context. */
struct context *platform_new_context(struct platform *platform);
void context_resume(struct platform *platform, struct context *context);
void context_interrupt(struct context *context);
int context_execute(struct platform *platform, struct context *context, int64_t number,
                    uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
int context_compare_exchange(struct platform *platform, struct context *context, uint64_t address,
                             uint32_t old, uint32_t new);
struct context *context_clone(struct platform *platform, struct context *context, int share_memory,
                              int thread);
void context_exit(struct platform *platform, struct context *context);
int context_get_extended_state(struct context *context, char *buffer, int size);
int context_set_extended_state(struct context *context, const char *buffer, int size);
int context_get_debug_register(struct context *context, int number);
int context_set_debug_register(struct context *context, int number, uint64_t value);
int context_touch(struct context *context, uint64_t address);
int context_poke(struct context *context, uint64_t address, const char *data, uint64_t size);

/* Guest memory, through any live thread of the address space.  The bytes moved, or -errno. */
int64_t memory_read(int tid, uint64_t address, char *buffer, uint64_t size);
int64_t memory_write(int tid, uint64_t address, const char *data, uint64_t size);
int64_t memory_read_string(int tid, uint64_t address, char *buffer, uint64_t limit);

/* Calls on files of the sentry that Python's os module lacks.  What the host said, or -errno. */
int64_t file_allocate(int fd, int mode, int64_t offset, int64_t size);
int64_t file_tee(int from, int to, uint64_t size);
