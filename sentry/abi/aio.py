"""Constants and structures of asynchronous I/O: linux/aio_abi.h."""

from runsc_py.sentry.abi.structure import Structure

IOCB_CMD_PREAD = 0
IOCB_CMD_PWRITE = 1
IOCB_CMD_FSYNC = 2
IOCB_CMD_FDSYNC = 3
IOCB_CMD_POLL = 5
IOCB_CMD_PREADV = 7
IOCB_CMD_PWRITEV = 8

IOCB_FLAG_RESFD = 1

IOCB = Structure(
    "struct iocb",
    ("aio_data", "Q"),
    ("aio_key", "I"),
    ("aio_rw_flags", "I"),
    ("aio_lio_opcode", "H"),
    ("aio_reqprio", "h"),
    ("aio_fildes", "I"),
    ("aio_buf", "Q"),
    ("aio_nbytes", "Q"),
    ("aio_offset", "q"),
    ("aio_reserved2", "Q"),
    ("aio_flags", "I"),
    ("aio_resfd", "I"),
)

IO_EVENT = Structure("struct io_event", ("data", "Q"), ("obj", "Q"), ("res", "q"), ("res2", "q"))
