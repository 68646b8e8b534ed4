"""TIOCPKT: the master hears of flushes, of output stopped and started, of flow control."""

import fcntl
import os
import pty
import select
import struct
import termios

TIOCGPKT = 0x80045438
master, slave = pty.openpty()
fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 1))
print(fcntl.ioctl(master, TIOCGPKT, bytes(4)))
os.set_blocking(master, False)


def show(what):
    packets = []
    while True:
        select.select([slave], [], [], 0.02)
        try:
            packets.append(os.read(master, 8))
        except BlockingIOError:
            break
    print(what, packets)


def poll():
    poller = select.poll()
    poller.register(master, select.POLLIN | select.POLLPRI)
    return [events for _, events in poller.poll(100)]


show("nothing")
os.write(slave, b"output that is long\n")
show("output")
os.write(master, b"\x13")
show("^S")
os.write(master, b"\x11")
show("^Q")
os.write(master, b"text\x03")
show("^C")
termios.tcflush(slave, termios.TCIFLUSH)
print(poll())
show("input flushed")
termios.tcflush(slave, termios.TCOFLUSH)
show("output flushed")
mode = termios.tcgetattr(slave)
mode[0] &= ~termios.IXON
termios.tcsetattr(slave, termios.TCSANOW, mode)
show("keys free")
mode[0] |= termios.IXON
termios.tcsetattr(slave, termios.TCSANOW, mode)
show("keys taken")
termios.tcflow(slave, termios.TCOOFF)
show("stopped")
termios.tcflow(slave, termios.TCOON)
show("started")
fcntl.ioctl(master, termios.TIOCPKT, struct.pack("i", 0))
os.write(slave, b"plain")
show("off")
