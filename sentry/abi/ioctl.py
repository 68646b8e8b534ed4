"""ioctl(2) request numbers and the structures of terminals: ioctl_tty(2), termios(3).

Only what some file of the sentry answers is here.  The values are those of x86-64.
"""

from runsc_py.sentry.abi.structure import Structure

# Terminal settings
TCGETS = 0x5401
TCSETS = 0x5402
TCSETSW = 0x5403
TCSETSF = 0x5404
TCGETA = 0x5405
TCSETA = 0x5406
TCSETAW = 0x5407
TCSETAF = 0x5408
TCSBRK = 0x5409
TCXONC = 0x540A
TCFLSH = 0x540B
TCSBRKP = 0x5425
TCGETS2 = 0x802C542A
TCSETS2 = 0x402C542B
TCSETSW2 = 0x402C542C
TCSETSF2 = 0x402C542D

# Sessions and process groups
TIOCEXCL = 0x540C
TIOCNXCL = 0x540D
TIOCSCTTY = 0x540E
TIOCGPGRP = 0x540F
TIOCSPGRP = 0x5410
TIOCNOTTY = 0x5422
TIOCGSID = 0x5429

# Queues, window size, discipline
TIOCOUTQ = 0x5411
TIOCSTI = 0x5412
TIOCGWINSZ = 0x5413
TIOCSWINSZ = 0x5414
TIOCMGET = 0x5415
FIONREAD = 0x541B
TIOCPKT = 0x5420
FIONBIO = 0x5421
TIOCSETD = 0x5423
TIOCGETD = 0x5424
TIOCSPTLCK = 0x40045431
TIOCGPTN = 0x80045430
TIOCGPTLCK = 0x80045439
TIOCGPKT = 0x80045438
TIOCGDEV = 0x80045432
TIOCGPTPEER = 0x5441

# Queue selectors of TCFLSH, actions of TCXONC
TCIFLUSH = 0
TCOFLUSH = 1
TCIOFLUSH = 2
TCOOFF = 0
TCOON = 1
TCIOFF = 2
TCION = 3

#: random(4)
RNDGETENTCNT = 0x80045200
#: bytes of a block device; the regular files and devices here answer ENOTTY
BLKGETSIZE64 = 0x80081272

# c_iflag
IGNBRK = 0o1
BRKINT = 0o2
IGNPAR = 0o4
PARMRK = 0o10
INPCK = 0o20
ISTRIP = 0o40
INLCR = 0o100
IGNCR = 0o200
ICRNL = 0o400
IUCLC = 0o1000
IXON = 0o2000
IXANY = 0o4000
IXOFF = 0o10000
IMAXBEL = 0o20000
IUTF8 = 0o40000

# c_oflag
OPOST = 0o1
OLCUC = 0o2
ONLCR = 0o4
OCRNL = 0o10
ONOCR = 0o20
ONLRET = 0o40
TABDLY = 0o14000
XTABS = 0o14000

# c_cflag
CSIZE = 0o60
CS8 = 0o60
CREAD = 0o200
B38400 = 0o17

# c_lflag
ISIG = 0o1
ICANON = 0o2
XCASE = 0o4
ECHO = 0o10
ECHOE = 0o20
ECHOK = 0o40
ECHONL = 0o100
NOFLSH = 0o200
TOSTOP = 0o400
ECHOCTL = 0o1000
ECHOPRT = 0o2000
ECHOKE = 0o4000
IEXTEN = 0o100000
EXTPROC = 0o200000

# Indexes into c_cc
VINTR = 0
VQUIT = 1
VERASE = 2
VKILL = 3
VEOF = 4
VTIME = 5
VMIN = 6
VSWTC = 7
VSTART = 8
VSTOP = 9
VSUSP = 10
VEOL = 11
VREPRINT = 12
VDISCARD = 13
VWERASE = 14
VLNEXT = 15
VEOL2 = 16

# Packet mode (TIOCPKT): bits of the control byte
TIOCPKT_DATA = 0
TIOCPKT_FLUSHREAD = 1
TIOCPKT_FLUSHWRITE = 2
TIOCPKT_STOP = 4
TIOCPKT_START = 8
TIOCPKT_NOSTOP = 16
TIOCPKT_DOSTOP = 32
TIOCPKT_IOCTL = 64

#: what TCGETS fills
TERMIOS = Structure(
    "struct __kernel_termios",
    ("c_iflag", "I"),
    ("c_oflag", "I"),
    ("c_cflag", "I"),
    ("c_lflag", "I"),
    ("c_line", "B"),
    ("c_cc", "19s"),
)

#: what TCGETA fills: the lower halves of the flags and the first characters
TERMIO = Structure(
    "struct termio",
    ("c_iflag", "H"),
    ("c_oflag", "H"),
    ("c_cflag", "H"),
    ("c_lflag", "H"),
    ("c_line", "B"),
    ("c_cc", "8s"),
    ("_padding", "x"),
)

#: what TCGETS2 fills: the same and the two speeds
TERMIOS2 = Structure(
    "struct termios2",
    *TERMIOS.fields,
    ("c_ispeed", "I"),
    ("c_ospeed", "I"),
)

WINSIZE = Structure(
    "struct winsize",
    ("ws_row", "H"),
    ("ws_col", "H"),
    ("ws_xpixel", "H"),
    ("ws_ypixel", "H"),
)

#: the int that many requests read or write
INT = Structure("int", ("value", "i"))

# Namespaces: ioctl_ns(2)
NS_GET_USERNS = 0xB701
NS_GET_PARENT = 0xB702
NS_GET_NSTYPE = 0xB703
NS_GET_OWNER_UID = 0xB704

# Processes: pidfd's PIDFD_GET_INFO with the size of its structure taken out, and its mask
PIDFD_GET_INFO = 0xC000FF0B
IOC_SIZE_MASK = 0x3FFF << 16
PIDFD_INFO_PID = 1 << 0
PIDFD_INFO_CREDS = 1 << 1
PIDFD_INFO_EXIT = 1 << 3

PIDFD_INFO = Structure(
    "struct pidfd_info",
    ("mask", "Q"),
    ("cgroupid", "Q"),
    ("pid", "I"),
    ("tgid", "I"),
    ("ppid", "I"),
    ("ruid", "I"),
    ("rgid", "I"),
    ("euid", "I"),
    ("egid", "I"),
    ("suid", "I"),
    ("sgid", "I"),
    ("fsuid", "I"),
    ("fsgid", "I"),
    ("exit_code", "i"),
)
