"""Print a tree with what an archive must keep: modes, owners, times, links, attributes."""

import os
import stat
import sys

first_names: dict[int, str] = {}
os.chdir(sys.argv[1])
for directory, directories, files in os.walk("."):
    directories.sort()
    for name in sorted((*directories, *files)):
        path = os.path.join(directory, name)
        status = os.lstat(path)
        print(path, stat.filemode(status.st_mode), status.st_uid, status.st_gid, end=" ")
        if not stat.S_ISDIR(status.st_mode):
            same = first_names.setdefault(status.st_ino, path)
            print(status.st_nlink, same, status.st_size, status.st_mtime_ns, end=" ")
        names = sorted(os.listxattr(path, follow_symlinks=False))
        print({each: os.getxattr(path, each, follow_symlinks=False) for each in names})
