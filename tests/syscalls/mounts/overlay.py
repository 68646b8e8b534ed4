"""overlayfs with several lower layers: what is merged, copied up, hidden, moved, and what of it is
seen in the upper layer.  Linux keeps hard links with `index` only, moves directories with
`redirect_dir` only."""
# guest: user = root
# guest: kernel = 6.7

import ctypes
import errno
import os
import stat
import subprocess

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def mount(source, target, kind, flags=0, data=None):
    if LIBC.mount(source, target, kind, flags, data):
        raise OSError(ctypes.get_errno(), "mount")


def umount(target):
    if LIBC.umount2(target, 0):
        raise OSError(ctypes.get_errno(), "umount")


def put(path, text=None):
    with open(path, "w") as file:
        file.write(path if text is None else text)


def get(path):
    with open(path) as file:
        return file.read()


def attempt(label, function, *arguments, **options):
    try:
        print(label, function(*arguments, **options))
    except OSError as error:
        print(label, errno.errorcode[error.errno])


def describe(path, links):
    status = os.lstat(path)
    kind = stat.filemode(status.st_mode)
    words = [path, kind, str(status.st_uid), str(status.st_nlink) if links else "-"]
    if stat.S_ISLNK(status.st_mode):
        words.append("-> " + os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        words.append(repr(get(path)[:20]) + str(status.st_size))
    elif stat.S_ISCHR(status.st_mode):
        words.append(f"device {os.major(status.st_rdev)}:{os.minor(status.st_rdev)}")
    if not stat.S_ISLNK(status.st_mode):
        words += [
            name
            for name in sorted(os.listxattr(path))
            if not name.startswith("trusted.overlay.") or name.endswith(("opaque", "whiteout"))
        ]
    return " ".join(words)


def show(*roots, links=True):
    for root in roots:
        print(describe(root, links))
        for path, directories, files in os.walk(root):
            directories.sort()
            for name in sorted(directories + files):
                print(" ", describe(os.path.join(path, name), links))


def check_numbers(path):
    """Inode numbers and types that a listing tells are those of stat."""
    for entry in os.scandir(path):
        status = entry.stat(follow_symlinks=False)
        if entry.inode() != status.st_ino or entry.is_dir(follow_symlinks=False) != stat.S_ISDIR(
            status.st_mode
        ):
            print("listing differs from stat:", path, entry.name)


def make_layers():
    for layer in ("l1", "l2", "l3", "u", "w", "m"):
        os.mkdir(layer)
    for layer in ("l1", "l2", "l3"):
        os.mkdir(f"{layer}/both")
        put(f"{layer}/both/same")
        put(f"{layer}/both/of {layer}")
        put(f"{layer}/top {layer}")
    put("l3/both/hidden")
    os.mknod("l1/both/hidden", stat.S_IFCHR, 0)
    put("l2/file or directory")
    os.mkdir("l3/file or directory")
    put("l3/file or directory/inner")
    os.mkdir("l1/directory over file")
    put("l1/directory over file/inner")
    put("l2/directory over file")
    os.mkdir("l3/directory over file")
    put("l3/directory over file/too deep")
    for layer in ("l1", "l2", "l3"):
        os.mkdir(f"{layer}/opaque")
        put(f"{layer}/opaque/of {layer}")
    os.setxattr("l2/opaque", "trusted.overlay.opaque", b"y")
    os.mkdir("l3/tree")
    os.mkdir("l3/tree/deep")
    put("l3/tree/deep/leaf")
    put("l3/linked")
    os.link("l3/linked", "l3/tree/link")
    os.symlink("nowhere", "l3/symbolic")
    os.mkfifo("l3/fifo", 0o640)
    os.chown("l3/fifo", 5, 6)
    put("l3/attributes")
    os.setxattr("l3/attributes", "user.a", b"1")
    os.chmod("l3/attributes", 0o4751)
    os.utime("l3/attributes", ns=(10**18, 2 * 10**18))
    os.mkdir("u/already")
    put("u/already/there")


def copy_up():
    before = os.stat("m/linked").st_ino
    with open("m/linked") as reader:
        with open("m/linked", "a") as writer:
            writer.write("+")
        print("read through an older descriptor:", reader.read())
    status = os.stat("m/linked")
    print("same number", status.st_ino == before, "links", status.st_nlink)
    print("other name", get("m/tree/link"), os.stat("m/tree/link").st_ino == status.st_ino)
    os.chmod("m/attributes", 0o640)
    status = os.stat("m/attributes")
    print(status.st_atime_ns, status.st_mtime_ns, os.getxattr("m/attributes", "user.a"))
    os.chown("m/symbolic", 7, 7, follow_symlinks=False)
    os.utime("m/fifo")
    os.truncate("m/both/same", 3)
    os.setxattr("m/tree/deep/leaf", "user.b", b"2")
    parent = os.stat("m/tree/deep").st_mtime_ns
    put("m/tree/deep/new")
    print("a new entry moves the time", os.stat("m/tree/deep").st_mtime_ns > parent)
    before = os.stat("m/top l1").st_ino
    os.rename("m/top l1", "m/both/top")
    print("same number", os.stat("m/both/top").st_ino == before)
    for path in ("m", "m/both", "m/tree", "m/tree/deep"):
        check_numbers(path)


def names():
    attempt("remove what is not empty", os.rmdir, "m/both")
    attempt("unlink", os.unlink, "m/both/of l2")
    attempt("again", os.unlink, "m/both/of l2")
    attempt("make what was removed", put, "m/both/of l2", "new")
    attempt("link over a lower name", os.link, "m/both/of l1", "m/both/of l3")
    attempt("link", os.link, "m/both/of l1", "m/both/linked")
    attempt("a whiteout by hand", os.mknod, "m/whiteout", stat.S_IFCHR, 0)
    attempt("a device", os.mknod, "m/device", stat.S_IFCHR, os.makedev(1, 3))
    attempt("rename a lower directory", os.rename, "m/tree", "m/moved")
    attempt("rename an upper directory", os.rename, "m/already", "m/moved")
    attempt("rename over a whiteout", os.rename, "m/moved", "m/both/hidden")
    attempt("rename over a directory that is not empty", os.rename, "m/both/hidden", "m/opaque")
    for name in os.listdir("m/opaque"):
        os.unlink("m/opaque/" + name)
    attempt("over one that is", os.rename, "m/both/hidden", "m/opaque")
    attempt("its content", os.listdir, "m/opaque")
    attempt("remove a tree", subprocess.run, ["rm", "-r", "m/directory over file"], check=True)
    attempt("make the directory again", os.mkdir, "m/directory over file")
    attempt("empty", os.listdir, "m/directory over file")
    attempt("replace a file by a directory", os.unlink, "m/file or directory")
    attempt("so", os.mkdir, "m/file or directory")
    attempt("nothing from below", os.listdir, "m/file or directory")
    attempt("private attribute", os.setxattr, "m/opaque", "trusted.overlay.opaque", b"y")
    attempt("private attribute", os.getxattr, "m/opaque", "trusted.overlay.opaque")
    attempt("of a volume of its own", os.statvfs, "m/missing")


def main():
    if LIBC.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
    os.mkdir("here")
    mount(b"none", b"here", b"tmpfs")
    os.chdir("here")
    make_layers()
    options = b"lowerdir=l1:l2:l3,upperdir=u,workdir=w,index=on"
    mount(b"overlay", b"m", b"overlay", 0, options)
    show("m")
    copy_up()
    names()
    show("m")
    umount(b"m")
    print("-- layers: Linux's index, in the work directory, holds further links")
    show("u", "l1", "l2", "l3", links=False)
    print("-- mounted again, read-only")
    mount(b"overlay", b"m", b"overlay", 0, b"lowerdir=u:l1:l2:l3")
    show("m", links=False)
    attempt("write", put, "m/new")
    attempt("open to write", os.open, "m/top l2", os.O_WRONLY)
    attempt("touch", os.utime, "m/top l2")
    umount(b"m")
    os.chdir("..")
    umount(b"here")
    os.rmdir("here")


main()
