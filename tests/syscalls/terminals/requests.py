"""ioctl(2) on both ends and on what is no terminal; settings, window size, numbers, locks."""

import fcntl
import os
import struct
import termios

TIOCSPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCGPTLCK = 0x40045431, 0x80045430, 0x5441, 0x80045439
TCGETS2, TIOCSTI, TCGETA, TCSETA = 0x802C542A, 0x5412, 0x5405, 0x5406


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except (OSError, termios.error) as error:
        return error.args[1]


master = os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
(number,) = struct.unpack("i", fcntl.ioctl(master, TIOCGPTN, bytes(4)))
print(fcntl.ioctl(master, TIOCGPTLCK, bytes(4)))
print(attempt(os.open, f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY))
fcntl.ioctl(master, TIOCSPTLCK, struct.pack("i", 0))
slave = os.open(f"/dev/pts/{number}", os.O_RDWR | os.O_NOCTTY)
peer = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY)
print(os.ttyname(slave) == os.ttyname(peer) == f"/dev/pts/{number}")
status = os.fstat(slave)
print(os.major(status.st_rdev), os.minor(status.st_rdev) == number, status.st_rdev != 0)
print(os.isatty(master), attempt(os.ttyname, 1) == attempt(os.ttyname, 2))

mode = termios.tcgetattr(slave)
print(mode[:6], mode[6])
print(termios.tcgetattr(master) == mode)
print(fcntl.ioctl(slave, TCGETS2, bytes(44)).hex())
mode[0] |= 0o40000
mode[6][termios.VINTR] = b"\x02"
termios.tcsetattr(slave, termios.TCSADRAIN, mode)
print(termios.tcgetattr(master) == mode)

old = bytearray(fcntl.ioctl(slave, TCGETA, bytes(18)))
print(old[:17].hex())
old[8 + 1] = 5
old[0] ^= 0x80
for request in (TCSETA, TCSETA + 1, TCSETA + 2):
    old[10] += 1
    print(fcntl.ioctl(slave, request, bytes(old))[:17].hex(), termios.tcgetattr(master))
    print(fcntl.ioctl(slave, TCGETA, bytes(18))[:17] == old[:17])

print(fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8)))
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 1, 2))
print(struct.unpack("HHHH", fcntl.ioctl(slave, termios.TIOCGWINSZ, bytes(8))))

for request in (termios.TIOCGPGRP, 0x5429, termios.TIOCNOTTY, TIOCGPTN, TIOCGPTPEER):
    print(hex(request), attempt(fcntl.ioctl, slave, request, 0))
print(attempt(fcntl.ioctl, slave, termios.TIOCSPGRP, struct.pack("i", os.getpgrp())))
print(attempt(fcntl.ioctl, slave, termios.TIOCSETD, struct.pack("i", 0)))
print(fcntl.ioctl(slave, termios.TIOCGETD, b"xxxx"), fcntl.ioctl(slave, termios.TIOCOUTQ, b"xxxx"))
print(attempt(fcntl.ioctl, slave, 0x54FF, 0), attempt(fcntl.ioctl, slave, termios.TCFLSH, 7))

reader, writer = os.pipe()
null = os.open("/dev/null", os.O_RDWR)
file = os.open("plain", os.O_RDWR | os.O_CREAT)
for descriptor in (reader, null, file):
    print(
        attempt(termios.tcgetattr, descriptor) == mode,
        os.isatty(descriptor),
        attempt(fcntl.ioctl, descriptor, termios.TIOCGWINSZ, bytes(8)),
    )
print(attempt(os.lseek, slave, 0, 0), attempt(os.pread, slave, 1, 0))
print(attempt(os.ftruncate, slave, 0), attempt(os.fsync, slave))
