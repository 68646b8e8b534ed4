"""overlayfs with redirect_dir=on: moved directories of lower layers, also when it is mounted again;
and whiteouts that are extended attributes."""
# guest: user = root
# guest: kernel = 6.7

import ctypes
import errno
import os

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18
RENAME_EXCHANGE = 2


def mount(source, target, kind, flags=0, data=None):
    if LIBC.mount(source, target, kind, flags, data):
        raise OSError(ctypes.get_errno(), "mount")


def umount(target):
    if LIBC.umount2(target, 0):
        raise OSError(ctypes.get_errno(), "umount")


def put(path):
    with open(path, "w") as file:
        file.write(path)


def attempt(label, function, *arguments):
    try:
        print(label, function(*arguments))
    except OSError as error:
        print(label, errno.errorcode[error.errno])


def exchange(one, other):
    if LIBC.renameat2(-100, one.encode(), -100, other.encode(), RENAME_EXCHANGE):
        raise OSError(ctypes.get_errno(), "renameat2")


def show(root):
    for path, directories, files in os.walk(root):
        directories.sort()
        print(path, directories, sorted(files), os.stat(path).st_nlink)


def make_layers():
    for layer in ("l1", "l2", "u", "w", "m"):
        os.mkdir(layer)
    for layer in ("l1", "l2"):
        for path in ("a", "a/b", "a/b/c", "x", "x/y"):
            os.mkdir(f"{layer}/{path}")
            put(f"{layer}/{path}/{layer}")
    os.mkdir("l2/marked")
    for name in ("hidden", "shown"):
        put(f"l2/marked/{name}")
    os.mkdir("l1/marked")
    put("l1/marked/hidden")
    os.truncate("l1/marked/hidden", 0)
    os.setxattr("l1/marked/hidden", "trusted.overlay.whiteout", b"")
    os.setxattr("l1/marked", "trusted.overlay.opaque", b"x")


def move():
    attempt("beside", os.rename, "m/a/b", "m/a/beside")
    show("m/a")
    attempt("down", os.rename, "m/a", "m/x/y/down")
    show("m/x")
    attempt("out of what moved", os.rename, "m/x/y/down/beside/c", "m/out")
    attempt("a new one under an old name", os.mkdir, "m/a")
    put("m/a/new")
    attempt("exchange", exchange, "m/x", "m/out")
    attempt("into itself", os.rename, "m/out", "m/out/y/in")
    attempt("over what is not empty", os.rename, "m/out", "m/a")
    os.unlink("m/a/new")
    attempt("over what is empty", os.rename, "m/out", "m/a")
    show("m")


def main():
    if LIBC.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
    os.mkdir("here")
    mount(b"none", b"here", b"tmpfs")
    os.chdir("here")
    make_layers()
    options = b"lowerdir=l1:l2,upperdir=u,workdir=w,redirect_dir=on"
    mount(b"overlay", b"m", b"overlay", 0, options)
    show("m")
    move()
    umount(b"m")
    print("-- mounted again")
    mount(b"overlay", b"m", b"overlay", 0, options)
    show("m")
    attempt("hidden", os.stat, "m/marked/hidden")
    umount(b"m")
    os.chdir("..")
    umount(b"here")
    os.rmdir("here")


main()
