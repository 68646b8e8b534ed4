"""What the host refuses reaches the client as what it is, and the gofer goes on, with no leak."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.gofer import Served, serving_directory
from runsc_py.gofer import host, protocol

ERRORS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ESTALE]
Act = Callable[[Served], object]

#: the host's call that fails, and a request that makes it
CALLS: list[tuple[object, str, Act]] = [
    (host, "walk", lambda served: served.client.lookup(served.root, b"file")),
    (host, "stat", lambda served: served.client.stat(served.root)),
    (host, "statfs", lambda served: served.client.statfs(served.root)),
    (host, "getdents", lambda served: served.client.readdir(served.root)),
    (host, "open_beneath", lambda served: served.client.create(served.root, b"n", 0o600, 2)),
    (host, "rename", lambda served: served.client.rename(served.root, b"file", served.root, b"x")),
    (host, "set_times", lambda served: _set_times(served)),
    (os, "mkdir", lambda served: served.client.mkdir(served.root, b"n", 0o700)),
    (os, "symlink", lambda served: served.client.symlink(served.root, b"n", b"target")),
    (os, "mknod", lambda served: served.client.mknod(served.root, b"n", 0o010600)),
    (os, "unlink", lambda served: served.client.unlink(served.root, b"file")),
    (os, "rmdir", lambda served: served.client.unlink(served.root, b"directory", 0x200)),
    (os, "fsync", lambda served: served.client.fsync(served.root)),
    (os, "listxattr", lambda served: served.client.listxattr(served.root)),
    (os, "setxattr", lambda served: served.client.setxattr(served.root, b"user.a", b"x")),
]


def _set_times(served: Served) -> None:
    failed, number, _ = served.client.setattr(served.root, protocol.SET_ATIME_NOW | 16)
    if failed:
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize(("module", "name", "act"), CALLS, ids=[name for _, name, _ in CALLS])
def test_errors_of_the_host(
    tree: Path, module: object, name: str, act: Act, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "file").write_text("x")
    (tree / "directory").mkdir()
    before = sorted(os.listdir(tree))
    switch = tree.parent / "fails"
    works = getattr(module, name)

    def fails(*arguments: object, **options: object) -> object:
        if not os.access(switch, os.F_OK):
            return works(*arguments, **options)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(module, name, fails)
    with serving_directory(tree) as served:
        monkeypatch.undo()
        descriptors = served.descriptors()
        switch.touch()
        with pytest.raises(OSError, match=r".") as raised:
            act(served)
        assert raised.value.errno == number
        assert sorted(os.listdir(tree)) == before
        switch.unlink()
        assert served.descriptors() == descriptors
        served.client.stat(served.root)
        act(served)
