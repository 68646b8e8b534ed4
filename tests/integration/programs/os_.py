"""The thin wrappers of system calls."""

import ctypes
import grp
import mmap
import os
import platform
import pwd
import resource
import select
import signal
import socket
import stat
import time

print(platform.system(), platform.machine(), os.cpu_count() > 0, len(os.sched_getaffinity(0)) > 0)
print(pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name, os.getlogin if False else "")
m = mmap.mmap(-1, 8192)
m[:5] = b"hello"
print(m[:5], m.find(b"llo"))
print(os.umask(18) is not None, os.nice(0), os.getpgid(0) == os.getpgrp())
pid = os.fork()
if pid == 0:
    os._exit(11)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
a, b = socket.socketpair()
a.sendall(b"x" * 10)
print(select.select([b], [a], [], 1)[0] == [b], b.recv(20))
socket.send_fds(a, [b"fd"], [0])
print(len(socket.recv_fds(b, 10, 1)[1]))
p = select.epoll()
p.register(b, select.EPOLLIN)
a.send(b"y")
print(p.poll(1)[0][1])
signal.signal(signal.SIGALRM, lambda *_: print("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.02)
signal.pause()
print(
    resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 0, time.get_clock_info("monotonic").resolution
)
print(ctypes.CDLL(None).getpid() == os.getpid(), os.getrandom(4) != os.getrandom(4))
e = os.eventfd(2) if hasattr(os, "eventfd") else None
print(os.eventfd_read(e) if e is not None else 2)
leader, follower = os.openpty()
os.write(leader, b"line\n")
print(os.read(follower, 10), os.isatty(follower))
fd = os.memfd_create("m")
os.write(fd, b"123")
print(os.pread(fd, 3, 0), os.sendfile(a.fileno(), fd, 0, 3), b.recv(9))
print(
    [
        entry.name for entry in os.scandir("/") if entry.is_dir() and entry.name in ("usr", "proc")
    ].__len__()
)
print(
    os.path.realpath("/proc/self/exe") == os.path.realpath(os.sys.executable),
    stat.S_ISCHR(os.stat("/dev/null").st_mode),
)
