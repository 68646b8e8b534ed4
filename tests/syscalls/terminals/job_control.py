"""Job control: foreground groups, SIGTTIN, SIGTTOU, keys that make signals, taking a terminal."""

import os
import pty
import signal
import sys
import termios


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return error.strerror


def stopped_by(child):
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return signal.Signals(os.WSTOPSIG(status)).name
    return status


def in_background(function):
    """Run a function in a child in a group of its own; returns the child."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        result = attempt(function)
        os.write(report, f"{function.__name__}: {result}\n".encode())
        os._exit(0)
    attempt(os.setpgid, child, child)
    return child


def reads():
    return os.read(0, 10)


def reads_ignoring():
    signal.signal(signal.SIGTTIN, signal.SIG_IGN)
    return os.read(0, 10)


def writes():
    return os.write(1, b"background\n")


def changes():
    return termios.tcsetattr(0, termios.TCSANOW, termios.tcgetattr(0))


def changes_ignoring():
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    return termios.tcsetattr(0, termios.TCSANOW, termios.tcgetattr(0))


def takes_foreground():
    return os.tcsetpgrp(0, os.getpgrp())


def set_stop_output(on):
    mode = termios.tcgetattr(0)
    mode[3] = mode[3] | termios.TOSTOP if on else mode[3] & ~termios.TOSTOP
    termios.tcsetattr(0, termios.TCSANOW, mode)


def session():
    """What the leader of a new session with a terminal does."""
    say = lambda text: os.write(report, f"{text}\n".encode())  # noqa: E731
    say(f"leads {os.getsid(0) == os.getpid()} {os.tcgetpgrp(0) == os.getpid()}")
    for function in (reads, changes, takes_foreground):
        child = in_background(function)
        say(f"{function.__name__} {stopped_by(child)}")
        if function is not reads:
            os.kill(child, signal.SIGKILL)
        else:
            os.tcsetpgrp(0, child)
            os.kill(child, signal.SIGCONT)
            os.write(1, b"go\n")
        stopped_by(child)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.tcsetpgrp(0, os.getpgrp())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    for function in (reads_ignoring, changes_ignoring, writes):
        say(stopped_by(in_background(function)))
    set_stop_output(True)
    child = in_background(writes)
    say(f"TOSTOP {stopped_by(child)}")
    os.kill(child, signal.SIGKILL)
    stopped_by(child)
    set_stop_output(False)
    say(attempt(os.tcsetpgrp, 0, 999999))
    say(attempt(os.tcsetpgrp, 0, -1))
    child = os.fork()
    if child == 0:
        os.setsid()
        say(f"another session: {attempt(os.tcgetpgrp, 0)}, {attempt(os.open, '/dev/tty', 2)}")
        os._exit(0)
    os.waitpid(child, 0)
    keys = [signal.SIGINT, signal.SIGQUIT]
    signal.pthread_sigmask(signal.SIG_BLOCK, keys)
    os.write(1, b"keys\n")
    say(signal.sigwait(keys).name)
    say(signal.sigwait(keys).name)
    tty = os.open("/dev/tty", os.O_RDWR)
    say(os.ttyname(tty) if os.path.exists("/dev/tty") else "none")
    say(termios.tcgetattr(tty) == termios.tcgetattr(0))
    sys.stdout.flush()
    os._exit(0)


reader, report = os.pipe()
leader, master = pty.fork()
if leader == 0:
    session()
os.close(report)
seen = b""
while b"go\r\n" not in seen:
    seen += os.read(master, 100)
os.write(master, b"line\n")
while b"keys\r\n" not in seen:
    seen += os.read(master, 100)
os.write(master, b"\x03")
lines = []
with open(reader, "rb") as reports:
    for line in reports:
        lines.append(line)
        if line == b"SIGINT\n":
            os.write(master, b"\x1c")
print(b"".join(lines).decode())
print(os.waitpid(leader, 0)[1])
