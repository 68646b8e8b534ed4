"""Extended attributes count against the inodes of a tmpfs, 1024 bytes for one."""
# guest: user = root
# guest: kernel = 6.6

import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def mount(source, target, kind, flags=0, data=None):
    if LIBC.mount(source, target, kind, flags, data):
        raise OSError(ctypes.get_errno(), "mount")


def attempt(label, function, *arguments):
    try:
        result = function(*arguments)
    except OSError as error:
        result = errno.errorcode[error.errno]
    status = os.statvfs(".")
    print(label, result, "free", status.f_ffree, "of", status.f_files)


def make(path):
    with open(path, "w"):
        pass


if LIBC.unshare(CLONE_NEWNS):
    raise OSError(ctypes.get_errno(), "unshare")
mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
os.mkdir("here")
mount(b"none", b"here", b"tmpfs", 0, b"nr_inodes=6")
os.chdir("here")
attempt("file", make, "file")
attempt("small", os.setxattr, "file", "user.small", b"1")
attempt("large", os.setxattr, "file", "user.large", b"1" * 2000)
attempt("too large", os.setxattr, "file", "user.more", b"1" * 2000)
attempt("larger in its place", os.setxattr, "file", "user.large", b"1" * 2100)
attempt("smaller in its place", os.setxattr, "file", "user.large", b"1" * 900)
attempt("trusted", os.setxattr, "file", "trusted.more", b"1" * 900)
attempt("security", os.setxattr, "file", "security.more", b"1" * 900)
attempt("second", make, "second")
attempt("third", make, "third")
attempt("remove", os.removexattr, "file", "trusted.more")
attempt("third", make, "third")
attempt("remove file", os.unlink, "file")
attempt("create fails", os.setxattr, "third", "user.x", b"1", os.XATTR_REPLACE)
os.chdir("..")
if LIBC.umount2(b"here", 0):
    raise OSError(ctypes.get_errno(), "umount")
os.rmdir("here")
