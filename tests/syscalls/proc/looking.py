"""What another user may see of a process; writable files of /proc; dead processes; descriptors."""
# guest: user = root

import ctypes
import errno
import os
import signal


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]


def read(path, size=4096):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def write(path, data):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        return os.write(descriptor, data)
    finally:
        os.close(descriptor)


def opens(path):
    result = attempt(os.open, path, os.O_RDONLY)
    if isinstance(result, int):
        os.close(result)
        return "ok"
    return result


ready_read, ready_write = os.pipe()
child = os.fork()
if child == 0:
    os.write(ready_write, b"x")
    signal.pause()
os.read(ready_read, 1)
NAMES = ["stat", "status", "cmdline", "comm", "maps", "environ", "auxv", "mem", "io", "limits"]
NAMES += ["mounts", "smaps", "statm", "cgroup"]

if os.getuid() == 0:
    judge = os.fork()
    if judge == 0:
        os.setgid(65534)
        os.setuid(65534)
        base = f"/proc/{child}"
        print("other user", [(name, opens(f"{base}/{name}")) for name in NAMES])
        for name in ("exe", "cwd", "root", "fd/0", "ns/pid"):
            print(name, attempt(os.readlink, f"{base}/{name}") in ("EACCES",))
        print(attempt(os.listdir, f"{base}/fd"), attempt(os.listdir, f"{base}/fdinfo") != [])
        print(attempt(write, f"{base}/comm", b"x"), attempt(write, f"{base}/oom_score_adj", b"5"))
        print(attempt(write, "/proc/self/oom_score_adj", b"5"))
        print(attempt(write, "/proc/self/oom_score_adj", b"4"))
        print(attempt(write, "/proc/sys/kernel/hostname", b"x"))
        print(len(attempt(os.listdir, "/proc/self/fd")) > 3)
        os._exit(0)
    os.waitpid(judge, 0)
print("same user", [(name, opens(f"/proc/{child}/{name}")) for name in NAMES])

print(attempt(write, "/proc/self/comm", b"a name that is too long"), read("/proc/self/comm"))
print(attempt(write, f"/proc/{child}/comm", b"other"))
print(read("/proc/self/stat")[:40].split(b"(")[1].split(b")")[0])
print(attempt(write, "/proc/self/status", b"x"), attempt(write, "/proc/self/oom_score_adj", b"x"))
print(attempt(write, "/proc/self/oom_score_adj", b"1001"))
print(attempt(write, "/proc/self/oom_score_adj", b" 7\n"), read("/proc/self/oom_score_adj"))

stat = os.open(f"/proc/{child}/stat", os.O_RDONLY)
directory = os.open(f"/proc/{child}", os.O_RDONLY)
os.kill(child, signal.SIGKILL)
os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
print("zombie", read(f"/proc/{child}/stat").split()[2], read(f"/proc/{child}/cmdline"))
print(attempt(os.readlink, f"/proc/{child}/exe"), attempt(os.readlink, f"/proc/{child}/cwd"))
print(attempt(os.listdir, f"/proc/{child}/fd"), read(f"/proc/{child}/maps"))
print(read(f"/proc/{child}/status").split(b"\n")[2 - 1])
os.waitpid(child, 0)
print("gone", attempt(os.pread, stat, 10, 0), os.path.exists(f"/proc/{child}"))
print(attempt(os.listdir, directory))

stat = os.open("/proc/self/stat", os.O_RDONLY)
first = os.read(stat, 10)
rest = os.read(stat, 4096)
print(os.lseek(stat, 0, os.SEEK_SET), os.read(stat, 10) == first, os.pread(stat, 3, 0) == first[:3])
print(attempt(os.lseek, stat, 0, os.SEEK_END), attempt(os.read, stat, 0), rest.endswith(b"\n"))

for path in ("/proc", "/proc/self", "/proc/self/task", "/proc/self/fd", "/proc/self/fd/0", "/sys"):
    status = os.lstat(path)
    print(path, oct(status.st_mode), status.st_size if path.endswith("/0") else "")
print(os.stat("/proc/self").st_ino == os.stat(f"/proc/{os.getpid()}").st_ino)
print(os.stat("/proc/self/fd").st_ino == os.stat("/proc/self/fd").st_ino)
entry = next(entry for entry in os.scandir("/proc") if entry.name == "uptime")
print(entry.inode() == os.stat("/proc/uptime").st_ino, entry.is_file())
for call in (os.mkdir, os.unlink, os.rmdir):
    refused = attempt(call, "/proc/self/stat") in ("EPERM", "EEXIST", "ENOTDIR")
    print(call.__name__, attempt(call, "/proc/new"), refused)
print(attempt(os.chmod, "/proc/self/stat", 0o600), attempt(os.rename, "/proc/stat", "/proc/new"))
print(attempt(os.symlink, "x", "/proc/self/new"), attempt(os.open, "/proc/new", os.O_CREAT))

descriptor = os.memfd_create("named")
print(os.readlink(f"/proc/self/fd/{descriptor}"))
again = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR)
os.write(descriptor, b"text")
print(os.read(again, 10))
read_end, write_end = os.pipe()
third = os.open(f"/proc/self/fd/{write_end}", os.O_WRONLY)
os.close(write_end)
os.write(third, b"through the link")
print(os.read(read_end, 100))
information = read(f"/proc/self/fdinfo/{third}").decode().splitlines()
print([line.split(":")[0] for line in information], information[1])
ctypes.CDLL(None).prctl(4, 0)
print("undumpable", os.stat("/proc/self/stat").st_uid, os.stat("/proc/self").st_uid)
print(opens("/proc/self/environ"), opens("/proc/self/maps"))
