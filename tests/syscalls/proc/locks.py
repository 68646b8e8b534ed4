"""/proc/locks: locks of this program with their kind, mode, holder and range."""

import fcntl
import os

file = open("locked", "w+")  # noqa: SIM115
number = os.fstat(file.fileno()).st_ino


def show(what):
    with open("/proc/locks") as lines:
        for line in sorted(line.split(":", 1)[1] for line in lines):
            if "->" in line:  # somebody else waits
                continue
            kind, advisory, mode, holder, place, start, end = line.split()
            if int(place.split(":")[2]) == number:
                print(what, kind, advisory, mode, int(holder) == os.getpid(), start, end)


show("none")
fcntl.lockf(file, fcntl.LOCK_EX, 10, 5)
show("record")
fcntl.lockf(file, fcntl.LOCK_SH, 0, 100)
show("two records")
fcntl.flock(file, fcntl.LOCK_SH)
show("and a flock")
file.close()
show("closed")
