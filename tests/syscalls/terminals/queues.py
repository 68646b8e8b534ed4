"""What waits in a terminal: FIONREAD, poll, flushing, non-blocking ends, a line too long."""

import fcntl
import os
import pty
import select
import struct
import termios
import tty

master, slave = pty.openpty()


def waiting(fd):
    (count,) = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, bytes(4)))
    return count


def ready(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLOUT)
    return [events for _, events in poll.poll(100)]


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return error.strerror


def settle():
    """Wait until the host has looked at what was typed."""
    select.select([slave], [], [], 0.05)


print("fresh", waiting(slave), ready(slave), ready(master))
os.write(master, b"part")
settle()
print("part of a line", waiting(slave), ready(slave))
os.write(master, b"ial\nnext\n\x04")
settle()
print("lines", waiting(slave), ready(slave), ready(master))
print(os.read(slave, 3), os.read(slave, 100), waiting(slave))
termios.tcflush(slave, termios.TCIFLUSH)
print("flushed", waiting(slave), ready(slave))
print(os.read(master, 100))
os.write(slave, b"shown\n")
print("shown", os.read(master, 100))
termios.tcflush(slave, termios.TCOFLUSH)
os.set_blocking(master, False)
print("nothing more", attempt(os.read, master, 100))
os.set_blocking(slave, False)
print(attempt(os.read, slave, 10))
os.write(master, b"one two\x04")
settle()
print("ended by an end of file", os.read(slave, 100), attempt(os.read, slave, 10))
os.write(master, b"abc\x04")
settle()
print("the size is just right", os.read(slave, 3), attempt(os.read, slave, 10))
attempt(os.read, master, 100)

tty.setraw(slave)
os.write(slave, b"x" * 100)
print(len(os.read(master, 1000)))
total = 0
while True:
    count = attempt(os.write, slave, b"y" * 1000)
    if isinstance(count, str):
        print(count)
        break
    total += count
print("a limit", 1000 < total < 100_000)
drained = 0
while drained < total:
    select.select([master], [], [], 1)
    drained += len(os.read(master, 4096))
print("all arrived", drained == total, ready(slave))

count = attempt(os.write, master, b"k" * 3000)
settle()
print(count, waiting(slave), len(os.read(slave, 2000)), len(os.read(slave, 2000)))
termios.tcflow(slave, termios.TCOOFF)
print("stopped", attempt(os.write, slave, b"z"))
termios.tcflow(slave, termios.TCOON)
print("started", attempt(os.write, slave, b"z"), os.read(master, 10))
termios.tcflow(slave, termios.TCIOFF)
print(os.read(master, 10))
termios.tcdrain(slave)
termios.tcsendbreak(slave, 0)
