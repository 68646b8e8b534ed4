"""What each end sees when the other is closed; SIGHUP for the session of a closed line."""

import fcntl
import os
import pty
import select
import signal
import termios


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return error.strerror


def ready(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLOUT)
    return [events for _, events in poll.poll(100)]


def wait_for_hang_up(report):
    """Say that we are ready, and when SIGHUP came."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    os.write(1, b"ready\n")
    signal.sigwait([signal.SIGHUP])
    os.write(report, b"hung up")


def without_numbers(name):
    return name.rstrip("0123456789")


master, slave = pty.openpty()
name = os.ttyname(slave)
os.write(slave, b"last words")
os.close(slave)
print(os.read(master, 100), attempt(os.read, master, 100), ready(master))
slave = os.open(name, os.O_RDWR | os.O_NOCTTY)
print("opened again", ready(master))
os.write(master, b"typed\n")
print(os.read(slave, 100))
os.write(master, b"never read")
os.close(master)
print(attempt(os.read, slave, 100), attempt(os.write, slave, b"x"), ready(slave))
print(attempt(fcntl.ioctl, slave, termios.TCGETS, bytes(36)))
print(attempt(os.open, name, os.O_RDWR) is not None, os.path.exists(name))
os.close(slave)

reader, writer = os.pipe()
child, master = pty.fork()
if child == 0:
    wait_for_hang_up(writer)
    os.write(writer, b", " + str(attempt(os.open, "/dev/tty", os.O_RDWR)).encode())
    os.write(writer, b", " + str(attempt(os.read, 0, 10)).encode())
    os._exit(0)
print(os.read(master, 100))
os.close(master)
os.close(writer)
print(os.waitpid(child, 0)[1])
print(os.read(reader, 1000))

# The session leader ends: the foreground group is told, and the terminal is free.
reader, writer = os.pipe()
child, master = pty.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild == 0:
        wait_for_hang_up(writer)
        os.write(writer, b", " + str(attempt(os.open, "/dev/tty", os.O_RDWR)).encode())
        os.write(writer, b", " + str(attempt(os.write, 1, b"x")).encode())
        os._exit(0)
    os.read(0, 10)
    os._exit(3)
os.close(writer)
print(os.read(master, 100))
os.write(master, b"\n")
print(os.waitpid(child, 0)[1])
parts = b""
while part := os.read(reader, 1000):
    parts += part
print(parts)
print(without_numbers(name), fcntl.fcntl(master, fcntl.F_GETFL) & os.O_ACCMODE)
