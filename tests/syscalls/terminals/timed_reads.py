"""VMIN and VTIME (termios(3)): what a raw read waits for."""

import os
import pty
import termios
import time

VMIN, VTIME = termios.VMIN, termios.VTIME
master, slave = pty.openpty()


def raw(minimum, tenths):
    mode = termios.tcgetattr(slave)
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    mode[6][VMIN], mode[6][VTIME] = minimum, tenths
    termios.tcsetattr(slave, termios.TCSANOW, mode)


def read(size=10):
    start = time.monotonic()
    try:
        data = os.read(slave, size)
    except OSError as error:
        data = error.strerror
    print(data, round((time.monotonic() - start) * 5))


raw(0, 0)
read()
os.write(master, b"abc")
read(2)
read()
raw(0, 2)
read()
os.write(master, b"d")
read()
raw(1, 0)
os.write(master, b"ef")
read()
raw(3, 0)
os.write(master, b"ghijk")
read()
os.set_blocking(slave, False)
read()
os.write(master, b"l")
read()
os.set_blocking(slave, True)
raw(5, 2)
os.write(master, b"mn")
read()
raw(3, 0)
os.write(master, b"op")
read(2)
if os.fork() == 0:
    for key in (b"1", b"2", b"3"):
        time.sleep(0.05)
        os.write(master, key)
    os._exit(0)
print(os.read(slave, 10))
os.wait()
