"""One exception class per errno: `raise ENOENT`.

The dispatcher turns a `KernelError` into a negative errno in one place; nothing above it
handles negative integers.  Control flow that is no error (a restart, an exit) has types
of its own in `kernel/waiting.py` and `kernel/exit.py`.  Numbers and phrases: errno(3).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class KernelError(Exception):
    """A system call fails with `number`."""

    number: ClassVar[int] = 0


class InternalError(Exception):
    """An invariant of the sentry is broken: a bug here, never the guest's doing."""


#: every class by its number
BY_NUMBER: dict[int, type[KernelError]] = {}


def _error(name: str, number: int) -> type[KernelError]:
    cls = type(name, (KernelError,), {"number": number, "__module__": __name__})
    BY_NUMBER[number] = cls
    return cls


EPERM = _error("EPERM", 1)  # Operation not permitted
ENOENT = _error("ENOENT", 2)  # No such file or directory
ESRCH = _error("ESRCH", 3)  # No such process
EINTR = _error("EINTR", 4)  # Interrupted system call
EIO = _error("EIO", 5)  # Input/output error
ENXIO = _error("ENXIO", 6)  # No such device or address
E2BIG = _error("E2BIG", 7)  # Argument list too long
ENOEXEC = _error("ENOEXEC", 8)  # Exec format error
EBADF = _error("EBADF", 9)  # Bad file descriptor
ECHILD = _error("ECHILD", 10)  # No child processes
EAGAIN = _error("EAGAIN", 11)  # Resource temporarily unavailable
ENOMEM = _error("ENOMEM", 12)  # Cannot allocate memory
EACCES = _error("EACCES", 13)  # Permission denied
EFAULT = _error("EFAULT", 14)  # Bad address
ENOTBLK = _error("ENOTBLK", 15)  # Block device required
EBUSY = _error("EBUSY", 16)  # Device or resource busy
EEXIST = _error("EEXIST", 17)  # File exists
EXDEV = _error("EXDEV", 18)  # Invalid cross-device link
ENODEV = _error("ENODEV", 19)  # No such device
ENOTDIR = _error("ENOTDIR", 20)  # Not a directory
EISDIR = _error("EISDIR", 21)  # Is a directory
EINVAL = _error("EINVAL", 22)  # Invalid argument
ENFILE = _error("ENFILE", 23)  # Too many open files in system
EMFILE = _error("EMFILE", 24)  # Too many open files
ENOTTY = _error("ENOTTY", 25)  # Inappropriate ioctl for device
ETXTBSY = _error("ETXTBSY", 26)  # Text file busy
EFBIG = _error("EFBIG", 27)  # File too large
ENOSPC = _error("ENOSPC", 28)  # No space left on device
ESPIPE = _error("ESPIPE", 29)  # Illegal seek
EROFS = _error("EROFS", 30)  # Read-only file system
EMLINK = _error("EMLINK", 31)  # Too many links
EPIPE = _error("EPIPE", 32)  # Broken pipe
EDOM = _error("EDOM", 33)  # Numerical argument out of domain
ERANGE = _error("ERANGE", 34)  # Numerical result out of range
EDEADLK = _error("EDEADLK", 35)  # Resource deadlock avoided
ENAMETOOLONG = _error("ENAMETOOLONG", 36)  # File name too long
ENOLCK = _error("ENOLCK", 37)  # No locks available
ENOSYS = _error("ENOSYS", 38)  # Function not implemented
ENOTEMPTY = _error("ENOTEMPTY", 39)  # Directory not empty
ELOOP = _error("ELOOP", 40)  # Too many levels of symbolic links
ENOMSG = _error("ENOMSG", 42)  # No message of desired type
EIDRM = _error("EIDRM", 43)  # Identifier removed
ECHRNG = _error("ECHRNG", 44)  # Channel number out of range
EL2NSYNC = _error("EL2NSYNC", 45)  # Level 2 not synchronized
EL3HLT = _error("EL3HLT", 46)  # Level 3 halted
EL3RST = _error("EL3RST", 47)  # Level 3 reset
ELNRNG = _error("ELNRNG", 48)  # Link number out of range
EUNATCH = _error("EUNATCH", 49)  # Protocol driver not attached
ENOCSI = _error("ENOCSI", 50)  # No CSI structure available
EL2HLT = _error("EL2HLT", 51)  # Level 2 halted
EBADE = _error("EBADE", 52)  # Invalid exchange
EBADR = _error("EBADR", 53)  # Invalid request descriptor
EXFULL = _error("EXFULL", 54)  # Exchange full
ENOANO = _error("ENOANO", 55)  # No anode
EBADRQC = _error("EBADRQC", 56)  # Invalid request code
EBADSLT = _error("EBADSLT", 57)  # Invalid slot
EBFONT = _error("EBFONT", 59)  # Bad font file format
ENOSTR = _error("ENOSTR", 60)  # Device not a stream
ENODATA = _error("ENODATA", 61)  # No data available
ETIME = _error("ETIME", 62)  # Timer expired
ENOSR = _error("ENOSR", 63)  # Out of streams resources
ENONET = _error("ENONET", 64)  # Machine is not on the network
ENOPKG = _error("ENOPKG", 65)  # Package not installed
EREMOTE = _error("EREMOTE", 66)  # Object is remote
ENOLINK = _error("ENOLINK", 67)  # Link has been severed
EADV = _error("EADV", 68)  # Advertise error
ESRMNT = _error("ESRMNT", 69)  # Srmount error
ECOMM = _error("ECOMM", 70)  # Communication error on send
EPROTO = _error("EPROTO", 71)  # Protocol error
EMULTIHOP = _error("EMULTIHOP", 72)  # Multihop attempted
EDOTDOT = _error("EDOTDOT", 73)  # RFS specific error
EBADMSG = _error("EBADMSG", 74)  # Bad message
EOVERFLOW = _error("EOVERFLOW", 75)  # Value too large for defined data type
ENOTUNIQ = _error("ENOTUNIQ", 76)  # Name not unique on network
EBADFD = _error("EBADFD", 77)  # File descriptor in bad state
EREMCHG = _error("EREMCHG", 78)  # Remote address changed
ELIBACC = _error("ELIBACC", 79)  # Can not access a needed shared library
ELIBBAD = _error("ELIBBAD", 80)  # Accessing a corrupted shared library
ELIBSCN = _error("ELIBSCN", 81)  # .lib section in a.out corrupted
ELIBMAX = _error("ELIBMAX", 82)  # Attempting to link in too many shared libraries
ELIBEXEC = _error("ELIBEXEC", 83)  # Cannot exec a shared library directly
EILSEQ = _error("EILSEQ", 84)  # Invalid or incomplete multibyte or wide character
ERESTART = _error("ERESTART", 85)  # Interrupted system call should be restarted
ESTRPIPE = _error("ESTRPIPE", 86)  # Streams pipe error
EUSERS = _error("EUSERS", 87)  # Too many users
ENOTSOCK = _error("ENOTSOCK", 88)  # Socket operation on non-socket
EDESTADDRREQ = _error("EDESTADDRREQ", 89)  # Destination address required
EMSGSIZE = _error("EMSGSIZE", 90)  # Message too long
EPROTOTYPE = _error("EPROTOTYPE", 91)  # Protocol wrong type for socket
ENOPROTOOPT = _error("ENOPROTOOPT", 92)  # Protocol not available
EPROTONOSUPPORT = _error("EPROTONOSUPPORT", 93)  # Protocol not supported
ESOCKTNOSUPPORT = _error("ESOCKTNOSUPPORT", 94)  # Socket type not supported
EOPNOTSUPP = _error("EOPNOTSUPP", 95)  # Operation not supported
EPFNOSUPPORT = _error("EPFNOSUPPORT", 96)  # Protocol family not supported
EAFNOSUPPORT = _error("EAFNOSUPPORT", 97)  # Address family not supported by protocol
EADDRINUSE = _error("EADDRINUSE", 98)  # Address already in use
EADDRNOTAVAIL = _error("EADDRNOTAVAIL", 99)  # Cannot assign requested address
ENETDOWN = _error("ENETDOWN", 100)  # Network is down
ENETUNREACH = _error("ENETUNREACH", 101)  # Network is unreachable
ENETRESET = _error("ENETRESET", 102)  # Network dropped connection on reset
ECONNABORTED = _error("ECONNABORTED", 103)  # Software caused connection abort
ECONNRESET = _error("ECONNRESET", 104)  # Connection reset by peer
ENOBUFS = _error("ENOBUFS", 105)  # No buffer space available
EISCONN = _error("EISCONN", 106)  # Transport endpoint is already connected
ENOTCONN = _error("ENOTCONN", 107)  # Transport endpoint is not connected
ESHUTDOWN = _error("ESHUTDOWN", 108)  # Cannot send after transport endpoint shutdown
ETOOMANYREFS = _error("ETOOMANYREFS", 109)  # Too many references: cannot splice
ETIMEDOUT = _error("ETIMEDOUT", 110)  # Connection timed out
ECONNREFUSED = _error("ECONNREFUSED", 111)  # Connection refused
EHOSTDOWN = _error("EHOSTDOWN", 112)  # Host is down
EHOSTUNREACH = _error("EHOSTUNREACH", 113)  # No route to host
EALREADY = _error("EALREADY", 114)  # Operation already in progress
EINPROGRESS = _error("EINPROGRESS", 115)  # Operation now in progress
ESTALE = _error("ESTALE", 116)  # Stale file handle
EUCLEAN = _error("EUCLEAN", 117)  # Structure needs cleaning
ENOTNAM = _error("ENOTNAM", 118)  # Not a XENIX named type file
ENAVAIL = _error("ENAVAIL", 119)  # No XENIX semaphores available
EISNAM = _error("EISNAM", 120)  # Is a named type file
EREMOTEIO = _error("EREMOTEIO", 121)  # Remote I/O error
EDQUOT = _error("EDQUOT", 122)  # Disk quota exceeded
ENOMEDIUM = _error("ENOMEDIUM", 123)  # No medium found
EMEDIUMTYPE = _error("EMEDIUMTYPE", 124)  # Wrong medium type
ECANCELED = _error("ECANCELED", 125)  # Operation canceled
ENOKEY = _error("ENOKEY", 126)  # Required key not available
EKEYEXPIRED = _error("EKEYEXPIRED", 127)  # Key has expired
EKEYREVOKED = _error("EKEYREVOKED", 128)  # Key has been revoked
EKEYREJECTED = _error("EKEYREJECTED", 129)  # Key was rejected by service
EOWNERDEAD = _error("EOWNERDEAD", 130)  # Owner died
ENOTRECOVERABLE = _error("ENOTRECOVERABLE", 131)  # State not recoverable
ERFKILL = _error("ERFKILL", 132)  # Operation not possible due to RF-kill

EWOULDBLOCK = EAGAIN
ENOTSUP = EOPNOTSUPP


def error_for(number: int) -> KernelError:
    """The exception for an errno that came from the host."""
    cls = BY_NUMBER.get(number)
    return cls() if cls is not None else EIO()


def message_of(error: KernelError) -> str:
    """The phrase of an error, for a person."""
    return os.strerror(error.number)
