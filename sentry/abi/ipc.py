"""System V IPC: <linux/ipc.h>, <linux/shm.h>, <linux/sem.h>, <linux/msg.h>."""

from runsc_py.sentry.abi.structure import Structure

IPC_PRIVATE = 0
IPC_CREAT = 0o1000
IPC_EXCL = 0o2000
IPC_NOWAIT = 0o4000

IPC_RMID = 0
IPC_SET = 1
IPC_STAT = 2
IPC_INFO = 3

SHM_RDONLY = 0o10000
SHM_RND = 0o20000
SHM_REMAP = 0o40000
SHM_EXEC = 0o100000
SHM_DEST = 0o1000
SHM_LOCKED = 0o2000
SHM_HUGETLB = 0o4000
SHM_LOCK = 11
SHM_UNLOCK = 12
SHM_STAT = 13
SHM_INFO = 14
SHM_STAT_ANY = 15
#: multiple of attach addresses
SHMLBA = 4096

GETPID = 11
GETVAL = 12
GETALL = 13
GETNCNT = 14
GETZCNT = 15
SETVAL = 16
SETALL = 17
SEM_STAT = 18
SEM_INFO = 19
SEM_STAT_ANY = 20
SEM_UNDO = 0x1000

MSG_STAT = 11
MSG_INFO = 12
MSG_STAT_ANY = 13
MSG_NOERROR = 0o10000
MSG_EXCEPT = 0o20000
MSG_COPY = 0o40000

# Limits, /proc/sys/kernel/{shmmni,shmmax,shmall,sem,msgmax,msgmnb,msgmni}.
SHMMNI = 4096
SHMMAX = (1 << 64) - (1 << 24) - 1
SHMALL = SHMMAX
SEMMSL = 32000
SEMMNS = 1024000000
SEMOPM = 500
SEMMNI = 32000
SEMVMX = 32767
MSGMAX = 8192
MSGMNB = 16384
MSGMNI = 32000

_PERMISSIONS = (
    ("key", "i"),
    ("uid", "I"),
    ("gid", "I"),
    ("cuid", "I"),
    ("cgid", "I"),
    ("mode", "I"),
    ("seq", "H"),
    ("_pad2", "6x"),
    ("_unused", "16x"),
)

IPC_PERM = Structure("struct ipc64_perm", *_PERMISSIONS)

SHMID_DS = Structure(
    "struct shmid64_ds",
    ("shm_perm", f"{IPC_PERM.size}s"),
    ("shm_segsz", "Q"),
    ("shm_atime", "q"),
    ("shm_dtime", "q"),
    ("shm_ctime", "q"),
    ("shm_cpid", "i"),
    ("shm_lpid", "i"),
    ("shm_nattch", "Q"),
    ("_unused", "16x"),
)
SHMINFO = Structure(
    "struct shminfo64",
    ("shmmax", "Q"),
    ("shmmin", "Q"),
    ("shmmni", "Q"),
    ("shmseg", "Q"),
    ("shmall", "Q"),
    ("_unused", "32x"),
)
SHM_INFO_STRUCTURE = Structure(
    "struct shm_info",
    ("used_ids", "i"),
    ("_pad", "4x"),
    ("shm_tot", "Q"),
    ("shm_rss", "Q"),
    ("shm_swp", "Q"),
    ("swap_attempts", "Q"),
    ("swap_successes", "Q"),
)

SEMID_DS = Structure(
    "struct semid64_ds",
    ("sem_perm", f"{IPC_PERM.size}s"),
    ("sem_otime", "q"),
    ("_unused1", "8x"),
    ("sem_ctime", "q"),
    ("_unused2", "8x"),
    ("sem_nsems", "Q"),
    ("_unused3", "16x"),
)
SEMBUF = Structure("struct sembuf", ("sem_num", "H"), ("sem_op", "h"), ("sem_flg", "h"))
SEMINFO = Structure(
    "struct seminfo",
    ("semmap", "i"),
    ("semmni", "i"),
    ("semmns", "i"),
    ("semmnu", "i"),
    ("semmsl", "i"),
    ("semopm", "i"),
    ("semume", "i"),
    ("semusz", "i"),
    ("semvmx", "i"),
    ("semaem", "i"),
)

MSQID_DS = Structure(
    "struct msqid64_ds",
    ("msg_perm", f"{IPC_PERM.size}s"),
    ("msg_stime", "q"),
    ("msg_rtime", "q"),
    ("msg_ctime", "q"),
    ("msg_cbytes", "Q"),
    ("msg_qnum", "Q"),
    ("msg_qbytes", "Q"),
    ("msg_lspid", "i"),
    ("msg_lrpid", "i"),
    ("_unused", "16x"),
)
MSGINFO = Structure(
    "struct msginfo",
    ("msgpool", "i"),
    ("msgmap", "i"),
    ("msgmax", "i"),
    ("msgmnb", "i"),
    ("msgmni", "i"),
    ("msgssz", "i"),
    ("msgtql", "i"),
    ("msgseg", "H"),
    ("_pad", "2x"),
)
