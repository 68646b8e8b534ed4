"""The line discipline of a pseudo-terminal: editing, echo, flow control, special characters."""

import os
import select
import termios

master, slave = os.openpty()
INPUT, OUTPUT, CONTROL, LOCAL, _, _, CHARACTERS = range(7)
os.set_blocking(master, False)
os.set_blocking(slave, False)


def set_flags(*, on=(), off=(), characters=()):
    """Begin with canonical, echo, no signals; then change."""
    settings = termios.tcgetattr(slave)
    settings[INPUT] = termios.ICRNL | termios.IXON
    settings[OUTPUT] = 0
    settings[LOCAL] = (
        termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK | termios.ECHOKE
        | termios.ECHOCTL | termios.IEXTEN
    )  # fmt: skip
    for place, flag in on:
        settings[place] |= flag
    for place, flag in off:
        settings[place] &= ~flag
    for index, value in characters:
        settings[CHARACTERS][index] = value
    termios.tcsetattr(slave, termios.TCSAFLUSH, settings)
    while select.select([master], [], [], 0)[0]:
        os.read(master, 4096)


def read(fd):
    try:
        return os.read(fd, 4096)
    except BlockingIOError:
        return None


def settle():
    """What the other end shows; natively input goes through a work queue, which poll(2) flushes."""
    select.select([slave], [], [], 0)
    while select.select([master], [], [], 0)[0]:
        yield os.read(master, 4096)


def type_in(what, data):
    os.write(master, data)
    echo = b"".join(settle())
    lines = []
    while (line := read(slave)) is not None:
        lines.append(line)
        if not line:
            break
    print(f"{what}: echo {echo} read {lines}")


set_flags()
type_in("line", b"one\n")
type_in("two lines", b"one\ntwo\n")
type_in("return", b"cr\r")
type_in("erase", b"ab\x7fc\n")
type_in("erase beyond", b"\x7f\x7fx\n")
type_in("erase tab", b"a\tb\x7f\x7fc\n")
type_in("erase control", b"a\x01\x7fb\n")
type_in("word erase", b"one two  \x17three\n")
type_in("kill", b"forgotten\x15kept\n")
type_in("reprint", b"again\x12\n")
type_in("literal next", b"a\x16\x7fb\n")
type_in("literal newline", b"a\x16\nb\n")
type_in("end of file", b"\x04")
type_in("end of file in a line", b"part\x04")
type_in("and on", b"rest\n")
type_in("control characters", b"\x01\x02\x1b[A\n")
type_in("high bytes", "é\x7f\n".encode())
set_flags(on=[(INPUT, 0o40000)])  # IUTF8
type_in("utf-8", "é\x7fx\n".encode())
set_flags(characters=[(termios.VEOL, b";"), (termios.VEOL2, b"!")])
type_in("other ends of line", b"a;b!c\n")
set_flags(off=[(LOCAL, termios.ECHO)])
type_in("no echo", b"secret\n")
set_flags(on=[(LOCAL, termios.ECHONL)], off=[(LOCAL, termios.ECHO)])
type_in("only newlines echo", b"secret\n")
set_flags(off=[(LOCAL, termios.ECHOE)])
type_in("no visual erase", b"ab\x7f\n")
set_flags(on=[(LOCAL, termios.ECHOPRT)], off=[(LOCAL, termios.ECHOE)])
type_in("printing erase", b"abc\x7f\x7fd\n")
set_flags(off=[(LOCAL, termios.ECHOKE)])
type_in("kill with newline", b"abc\x15d\n")
set_flags(off=[(LOCAL, termios.ECHOCTL)])
type_in("control characters as they are", b"a\x01\n")
set_flags(off=[(LOCAL, termios.IEXTEN)])
type_in("no extensions", b"a b\x17\x16\x12\n")
set_flags(on=[(INPUT, termios.INLCR)])
type_in("newline to return", b"a\nb\r")
set_flags(on=[(INPUT, termios.IGNCR)], off=[(INPUT, termios.ICRNL)])
type_in("ignored return", b"a\rb\n")
set_flags(on=[(INPUT, termios.ISTRIP)])
type_in("stripped", b"\xe1\xe2\n")
set_flags(on=[(INPUT, 0o1000)])  # IUCLC
type_in("lower case", b"AbC\n")
set_flags(on=[(OUTPUT, termios.OPOST | termios.ONLCR)])
type_in("output processing", b"a\n")
os.write(slave, b"x\ny\tz\r\n")
print("written", b"".join(settle()))
set_flags(on=[(OUTPUT, termios.OPOST | termios.OCRNL)])
os.write(slave, b"x\ry\n")
print("return to newline", b"".join(settle()))
set_flags(on=[(OUTPUT, termios.OPOST | termios.ONLRET | termios.TABDLY)])
os.write(slave, b"ab\tc\n\td")
print("tabs", b"".join(settle()))
set_flags()
os.write(master, b"\x13")
print("stopped", b"".join(settle()))
try:
    print("write while stopped", os.write(slave, b"held"))
except BlockingIOError:
    print("write while stopped: would block")
os.write(master, b"\x11")
print("started", b"".join(settle()))
set_flags(on=[(INPUT, termios.IXANY)])
os.write(master, b"\x13")
os.write(master, b"k\n")
print("any starts", b"".join(settle()), read(slave))
set_flags(off=[(LOCAL, termios.ICANON)], characters=[(termios.VMIN, 3), (termios.VTIME, 0)])
type_in("two of three", b"ab")
type_in("the third", b"c")
type_in("raw end of file", b"\x04\x7f\n")
set_flags(off=[(LOCAL, termios.ICANON)], characters=[(termios.VMIN, 0), (termios.VTIME, 0)])
print("none at once", read(slave))
set_flags()
os.write(master, b"x" * 5000 + b"\n")
list(settle())
print("a line that is too long", len(read(slave) or b""))
