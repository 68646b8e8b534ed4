"""What is at the edges of a directory's files: many open, unnamed by now, sparse, oddly named."""

import errno
import os
import resource
import sys

OPEN, ENTRIES = map(int, sys.argv[1:])
FAR = (5 << 30) + 123


def attempt(what, *arguments, **options):
    try:
        return what(*arguments, **options)
    except OSError as error:
        return errno.errorcode[error.errno]


def many_open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(OPEN + 100, hard), hard))
    os.mkdir("open")
    held = []
    for number in range(OPEN):
        fd = os.open(f"open/{number}", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(fd, b"%d" % number)
        held.append(fd)
    for number in range(0, OPEN, 2):
        os.unlink(f"open/{number}")
    for number in range(1, OPEN, 2):
        os.rename(f"open/{number}", f"open/moved{number}")
    wrong = [number for number, fd in enumerate(held) if os.pread(fd, 9, 0) != b"%d" % number]
    links = [os.fstat(fd).st_nlink for fd in held]
    print(len(held), wrong, links.count(0), links.count(1))
    limit = attempt(lambda: [held.append(os.dup(0)) for _ in range(200)])
    print("with no descriptor left:", limit, attempt(os.open, "open", os.O_RDONLY))
    for fd in held:
        os.close(fd)
    print(sorted(os.listdir("open")) == sorted(f"moved{n}" for n in range(1, OPEN, 2)))
    for name in os.listdir("open"):
        os.unlink(f"open/{name}")
    os.rmdir("open")


def open_and_gone():
    fd = os.open("gone", os.O_RDWR | os.O_CREAT, 0o600)
    os.unlink("gone")
    os.write(fd, b"still here")
    os.ftruncate(fd, 5)
    os.fchmod(fd, 0o640)
    os.utime(fd, ns=(1, 2))
    status = os.fstat(fd)
    print(os.pread(fd, 99, 0), status.st_nlink, oct(status.st_mode), status.st_mtime_ns)
    print(attempt(os.link, f"/proc/self/fd/{fd}", "again", follow_symlinks=True))
    print(attempt(os.stat, "gone"))
    again = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY)
    print(os.read(again, 99))
    os.mkdir("directory")
    directory = os.open("directory", os.O_RDONLY)
    os.rename("directory", "renamed")
    os.close(os.open("inside", os.O_CREAT | os.O_WRONLY, dir_fd=directory))
    print(os.listdir("renamed"), os.listdir(directory))
    os.unlink("inside", dir_fd=directory)
    os.rmdir("renamed")
    print(os.listdir(directory), attempt(os.mkdir, "x", dir_fd=directory))
    print(os.fstat(directory).st_nlink, attempt(os.stat, "..", dir_fd=directory) != "ENOENT")


def sparse():
    fd = os.open("sparse", os.O_RDWR | os.O_CREAT, 0o600)
    print(os.pwrite(fd, b"end", FAR), os.fstat(fd).st_size, os.stat("sparse").st_blocks < 100)
    print(os.pread(fd, 9, FAR - 3), os.lseek(fd, 0, os.SEEK_DATA) // 4096, FAR // 4096)
    print(os.lseek(fd, 0, os.SEEK_END), os.lseek(fd, 0, os.SEEK_HOLE))
    os.ftruncate(fd, 6 << 30)
    print(os.stat("sparse").st_size, os.lseek(fd, (5 << 30) + 8192, os.SEEK_HOLE))
    print(attempt(os.pwrite, fd, b"x", (1 << 63) - 1))
    os.unlink("sparse")


def odd_names():
    names = [b"\xff\xfe", b"\xe9", bytes(range(1, 47)), bytes(range(48, 256)), b" ", b"-rf", b"\n"]
    names += [b"x" * 255, "ü".encode() * 127, b"...", b"..a", b"~", b"\x80" * 255]
    for name in names:
        with open(name, "wb") as file:
            file.write(name)
        os.rename(name, name[:-1] + b"R")
        os.symlink(name[:-1] + b"R", name)
    print(sorted(os.listdir(b".")) == sorted({*names, *(name[:-1] + b"R" for name in names)}))
    for name in names:
        with open(name, "rb") as file:
            print(len(name), file.read()[:-1] == os.readlink(name)[:-1] == name[:-1])
    print(attempt(open, b"x" * 256, "wb"), attempt(os.mkdir, b"y" * 256))
    print(attempt(os.stat, b"z" * 256))
    for name in os.listdir(b"."):
        os.unlink(name)


def many_names():
    os.mkdir("many")
    names = [f"{number:05}-{'long' * 20}" for number in range(ENTRIES)]
    for name in names:
        os.close(os.open(f"many/{name}", os.O_CREAT | os.O_WRONLY))
    print(sorted(os.listdir("many")) == names)
    with os.scandir("many") as entries:
        for count, entry in enumerate(entries):
            if count % 2:
                os.unlink(entry.path)
    print(len(os.listdir("many")))
    for name in os.listdir("many"):
        os.unlink(f"many/{name}")
    os.rmdir("many")


for part in (many_open_files, open_and_gone, sparse, odd_names, many_names):
    print(part.__name__)
    part()
