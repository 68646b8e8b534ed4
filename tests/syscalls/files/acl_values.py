"""The values of the attributes that hold access control lists: which are taken, what is kept."""
# guest: user = root

import errno
import os
import struct

ACCESS, DEFAULT = "system.posix_acl_access", "system.posix_acl_default"
USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 1, 2, 4, 8, 16, 32


def value(*entries, version=2):
    data = struct.pack("<I", version)
    for entry in entries:
        tag, permissions, name = (*entry, 0xFFFFFFFF)[:3]
        data += struct.pack("<HHI", tag, permissions, name)
    return data


def attempt(label, function, *arguments, **options):
    try:
        result = function(*arguments, **options)
        print(label, result.hex() if isinstance(result, bytes) else result, flush=True)
    except OSError as error:
        print(label, errno.errorcode[error.errno], flush=True)


def show(path):
    attempt("  access", os.getxattr, path, ACCESS)
    print("  mode", oct(os.stat(path).st_mode), os.listxattr(path))


os.umask(0o022)
for name in ("file", "other"):
    open(name, "w").close()
os.mkdir("directory")
os.symlink("file", "link")
os.mkfifo("fifo")

MINIMAL = value((USER_OBJ, 6), (GROUP_OBJ, 4), (OTHER, 0))
FULL = value((USER_OBJ, 6), (USER, 7, 12), (GROUP_OBJ, 5), (GROUP, 1, 9), (MASK, 6), (OTHER, 4))
VALUES = {
    "empty": b"",
    "short": b"\2\0\0",
    "header": value(),
    "version": value((USER_OBJ, 6), version=1),
    "ragged": MINIMAL + b"\0",
    "minimal": MINIMAL,
    "full": FULL,
    "mask only": value((USER_OBJ, 6), (GROUP_OBJ, 7), (MASK, 5), (OTHER, 0)),
    "no mask": value((USER_OBJ, 6), (USER, 7, 12), (GROUP_OBJ, 5), (OTHER, 4)),
    "no other": value((USER_OBJ, 6), (GROUP_OBJ, 5)),
    "no owner": value((GROUP_OBJ, 5), (OTHER, 4)),
    "order": value((GROUP_OBJ, 5), (USER_OBJ, 6), (OTHER, 4)),
    "two masks": value((USER_OBJ, 6), (GROUP_OBJ, 5), (MASK, 5), (MASK, 5), (OTHER, 4)),
    "permissions": value((USER_OBJ, 8), (GROUP_OBJ, 5), (OTHER, 4)),
    "tag": value((USER_OBJ, 6), (3, 5), (OTHER, 4)),
    "twice": value(
        (USER_OBJ, 6), (USER, 7, 1), (USER, 4, 1), (GROUP_OBJ, 5), (MASK, 7), (OTHER, 4)
    ),
    "nobody": value((USER_OBJ, 6), (USER, 7), (GROUP_OBJ, 5), (MASK, 7), (OTHER, 4)),
}
for label, data in VALUES.items():
    attempt(label, os.setxattr, "file", ACCESS, data)
    show("file")
    attempt(label + " as default", os.setxattr, "directory", DEFAULT, data)
    attempt("  default", os.getxattr, "directory", DEFAULT)

attempt("create", os.setxattr, "other", ACCESS, FULL, os.XATTR_CREATE)
attempt("create again", os.setxattr, "other", ACCESS, FULL, os.XATTR_CREATE)
attempt("replace what is not", os.setxattr, "directory", ACCESS, FULL, os.XATTR_REPLACE)
for path in ("link", "fifo", "/proc/self/status"):
    attempt(path + " get", os.getxattr, path, ACCESS, follow_symlinks=False)
    attempt(path + " set", os.setxattr, path, ACCESS, FULL, follow_symlinks=False)
    attempt(path + " remove", os.removexattr, path, ACCESS, follow_symlinks=False)
attempt("default of a file", os.setxattr, "file", DEFAULT, FULL)
attempt("no default of a file", os.setxattr, "file", DEFAULT, b"")
attempt("get default of a file", os.getxattr, "file", DEFAULT)
attempt("remove default of a file", os.removexattr, "file", DEFAULT)
attempt("remove", os.removexattr, "other", ACCESS)
show("other")
attempt("remove again", os.removexattr, "other", ACCESS)
attempt("name", os.setxattr, "other", ACCESS + "x", FULL)
attempt("name", os.getxattr, "other", ACCESS + "x")

# The set-group-id bit goes when somebody outside of the group sets a list.
os.chmod("other", 0o2755)
os.chown("other", 1234, 5678)
os.chmod("other", 0o2755)
if os.fork() == 0:
    os.setresgid(1234, 1234, 1234)
    os.setgroups([])
    os.setresuid(1234, 1234, 1234)
    attempt("own", os.setxattr, "other", ACCESS, FULL)
    attempt("another's", os.setxattr, "file", ACCESS, FULL)
    os._exit(0)
os.wait()
show("other")
