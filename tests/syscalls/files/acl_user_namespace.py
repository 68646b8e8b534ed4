"""Access control lists seen from a user namespace: ids are those that it knows."""
# guest: user = root

import ctypes
import errno
import os
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER = 0x10000000
ACCESS = "system.posix_acl_access"
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32


def value(*entries):
    packed = (struct.pack("<HHi", *(*entry, -1)[:3]) for entry in entries)
    return struct.pack("<I", 2) + b"".join(packed)


def full(user, group):
    return value(
        (USER_OBJ, 6), (USER, 4, user), (GROUP_OBJ, 0), (GROUP, 2, group), (MASK, 7), (OTHER, 0)
    )


def named(path):
    data = os.getxattr(path, ACCESS)[4:]
    return [entry[1:] for entry in struct.iter_unpack("<HHi", data) if entry[0] in (USER, GROUP)]


def read(path):
    with open(path) as file:
        return file.read()


def attempt(label, function, *arguments):
    try:
        print(label, function(*arguments), flush=True)
    except OSError as error:
        print(label, errno.errorcode[error.errno], flush=True)


def inside():
    attempt("known", named, "known")
    attempt("unknown", named, "unknown")
    attempt("set known", os.setxattr, "own", ACCESS, full(3, 4))
    attempt("so", named, "own")
    attempt("set unknown user", os.setxattr, "own", ACCESS, full(10, 4))
    attempt("set unknown group", os.setxattr, "own", ACCESS, full(3, 10))
    attempt("another's", os.setxattr, "root's", ACCESS, full(3, 4))
    attempt("remove another's", os.removexattr, "root's", ACCESS)
    # Capabilities count for files of owners that the namespace knows.
    attempt("read by capability", read, "closed")
    attempt("read root's", read, "root's")
    attempt("read what a list allows", read, "allowed")


os.umask(0o022)
os.chmod(".", 0o755)
for name, owner in (
    ("known", 0),
    ("unknown", 0),
    ("own", 1000),
    ("root's", 0),
    ("closed", 1005),
    ("allowed", 0),
):
    open(name, "w").close()
    os.chmod(name, 0o600)
    os.chown(name, owner, owner)
os.setxattr("known", ACCESS, full(1003, 1009))
os.setxattr("unknown", ACCESS, full(1010, 999))
os.setxattr("allowed", ACCESS, full(1000, 5))
ready, done = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    os.setgroups([])
    os.setresgid(1000, 1000, 1000)
    os.setresuid(1000, 1000, 1000)
    LIBC.prctl(4, 1)  # PR_SET_DUMPABLE: the maps stay ours to be written
    if LIBC.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(ready[1], b"x")
    os.read(done[0], 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    inside()
    os._exit(0)
os.read(ready[0], 1)
for kind in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{kind}", "w") as file:
        file.write("0 1000 10")
os.write(done[1], b"x")
print(os.waitpid(child, 0)[1])
print("from outside", named("own"))
