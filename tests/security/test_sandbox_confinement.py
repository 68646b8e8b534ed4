"""A sandbox process that was taken over reaches no file of the host but the container's own."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.sandbox import EXECUTABLE

BUSYBOX = shutil.which("busybox")
pytestmark = [
    pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static"),
    pytest.mark.skipif(os.geteuid() != 0, reason="mount namespaces need root"),
]
#: CAP_IPC_LOCK, CAP_SYS_NICE and CAP_SYS_RESOURCE
HARMLESS = 1 << 14 | 1 << 23 | 1 << 24


def run(state: Path, *words: str | Path) -> None:
    """`runsc-py --root STATE WORDS`, with nothing of ours left open in it."""
    command = [str(EXECUTABLE), "--root", str(state), *map(str, words)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[int]:
    """The process of a running container, whose bundle is beside a secret."""
    assert BUSYBOX is not None
    (tmp_path / "secret").write_text("secret")
    bundle, state = tmp_path / "bundle", tmp_path / "state"
    (bundle / "rootfs" / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, bundle / "rootfs" / "bin" / "busybox")
    run(state, "spec", "--bundle", bundle, "--", "/bin/busybox", "sleep", "600")
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["terminal"] = config["root"]["readonly"] = False
    (bundle / "config.json").write_text(json.dumps(config))
    run(state, "create", "--bundle", bundle, "--pid-file", tmp_path / "pid", "one")
    try:
        run(state, "start", "one")
        yield int((tmp_path / "pid").read_text())
    finally:
        run(state, "delete", "--force", "one")


def leads_to(directory: int, path: Path) -> bool:
    """Whether a file is found from a directory by `..`, however deep that is."""
    try:
        os.stat("../" * 40 + str(path)[1:], dir_fd=directory)
    except OSError:
        return False
    return True


def open_directories(pid: int) -> Iterator[int]:
    """Each directory that a process has open, open here; some are closed before we come to them."""
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            descriptor = os.open(f"/proc/{pid}/fd/{name}", os.O_PATH)
        except FileNotFoundError:
            continue
        try:
            if os.path.isdir(f"/proc/self/fd/{descriptor}"):
                yield descriptor
        finally:
            os.close(descriptor)


def test_no_path_leads_to_the_host(sandbox: int, tmp_path: Path) -> None:
    """Neither the root directory nor any open directory; a directory of ours does."""
    ours = os.open(tmp_path / "state", os.O_PATH)
    assert leads_to(ours, tmp_path / "secret")
    os.close(ours)
    root = Path(f"/proc/{sandbox}/root")
    assert (root / "bin/busybox").exists()
    assert not Path(f"{root}{tmp_path}").exists()
    seen = 0
    for directory in open_directories(sandbox):
        seen += 1
        assert not leads_to(directory, tmp_path / "secret")
    assert seen > 2, "the library and /proc are open"


def test_engines_do_not_configure_the_hosts_network(sandbox: int) -> None:
    """They do what they do in the network namespace of the process; its gofer's is the same."""
    ours = os.readlink("/proc/self/ns/net")
    children = Path(f"/proc/{sandbox}/task/{sandbox}/children").read_text().split()
    assert len(children) >= 2
    theirs = {os.readlink(f"/proc/{pid}/ns/net") for pid in (str(sandbox), *children)}
    assert len(theirs) == 1
    assert ours not in theirs


def test_the_hosts_sockets_are_those_of_a_new_network(tmp_path: Path) -> None:
    """`--network host` with a specification that wants a namespace: it has a loopback, up."""
    assert BUSYBOX is not None
    bundle = tmp_path / "bundle"
    (bundle / "rootfs" / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, bundle / "rootfs" / "bin" / "busybox")
    state = ["--root", tmp_path / "state", "--network", "host"]
    arguments = ["/bin/busybox", "ip", "-o", "link"]
    subprocess.run([EXECUTABLE, "spec", "--bundle", bundle, "--", *arguments], check=True)
    config = json.loads((bundle / "config.json").read_text())
    config["process"]["terminal"] = False
    wanted = config["linux"]["namespaces"]
    seen = []
    for namespaces in (wanted, [one for one in wanted if one["type"] != "network"]):
        config["linux"]["namespaces"] = namespaces
        (bundle / "config.json").write_text(json.dumps(config))
        ended = subprocess.run(
            [EXECUTABLE, *state, "run", "--bundle", bundle, "net"],
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        seen.append(ended.stdout.splitlines())
    alone, shared = seen
    assert [line.split(":")[1].strip() for line in alone if "UP" in line] == ["lo"]
    native = subprocess.run([BUSYBOX, "ip", "-o", "link"], capture_output=True, text=True)
    assert len(shared) == len(native.stdout.splitlines()) != 1


def test_no_rights_are_left(sandbox: int) -> None:
    """The sandbox, and the processes that run guests, keep no capability that opens a file."""
    children = Path(f"/proc/{sandbox}/task/{sandbox}/children").read_text().split()
    stubs = [pid for pid in children if "runsc-guest" in Path(f"/proc/{pid}/comm").read_text()]
    assert stubs
    for pid in (str(sandbox), *stubs):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        sets = dict(line.split(":\t") for line in lines if line.startswith("Cap"))
        for name in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            assert int(sets[name], 16) & ~HARMLESS == 0, (pid, name)
        assert os.readlink(f"/proc/{pid}/root") == os.readlink(f"/proc/{sandbox}/root")
        assert os.readlink(f"/proc/{pid}/ns/mnt") != os.readlink("/proc/self/ns/mnt")


EVERYTHING = """
import importlib, importlib.util, pkgutil, sys
import runsc_py.runsc.loader.sandbox, runsc_py.runsc.boot, runsc_py.runsc.loader.manager
import runsc_py.runsc.control.server, runsc_py.sentry.syscalls.all, runsc_py.sentry.kernel.run_loop
import runsc_py.runsc.loader.root_gofer, runsc_py.runsc.loader.start
from runsc_py.runsc.confinement import host_calls, library, modules
modules.import_extensions()
names = [
    module.name
    for package in ("sentry", "runsc.loader", "runsc.control", "runsc.services")
    for top in [importlib.util.find_spec(f"runsc_py.{package}")]
    if top is not None
    for module in pkgutil.walk_packages(top.submodule_search_locations, f"runsc_py.{package}.")
]
host_calls.unshare(host_calls.CLONE_NEWNS)
host_calls.follow_mounts()
found = library.open_library()
import os
os.chroot(sys.argv[1])
os.chdir("/")
library.import_only_from(found)
for name in names:
    importlib.import_module(name)
import gzip, struct, bisect, heapq
print(len(names))
"""


def test_everything_can_still_be_imported(tmp_path: Path) -> None:
    """No module of the sentry needs a path, or an extension module that was not there before."""
    done = subprocess.run(
        [sys.executable, "-c", EVERYTHING, tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 200


def test_nothing_is_imported_from_the_container(tmp_path: Path) -> None:
    """A module that lies where the library was is not found."""
    planted = tmp_path / os.path.dirname(os.__file__)[1:]
    planted.mkdir(parents=True)
    (planted / "planted.py").write_text("print('planted')")
    script = EVERYTHING.replace("import gzip, struct, bisect, heapq", "import planted")
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert done.returncode != 0 and "No module named 'planted'" in done.stderr


def stubs_and_gofer(sandbox: int) -> list[int]:
    """Processes of the host below the sandbox's."""
    children = Path(f"/proc/{sandbox}/task/{sandbox}/children").read_text().split()
    return [int(pid) for pid in children]


def test_it_is_the_first_process_of_a_namespace(sandbox: int) -> None:
    """No other process of the host has a number there; its /proc has its own only."""
    ours = os.readlink("/proc/self/ns/pid")
    below = stubs_and_gofer(sandbox)
    assert len(below) > 2
    for pid in (sandbox, *below):
        assert os.readlink(f"/proc/{pid}/ns/pid") != ours
        assert os.readlink(f"/proc/{pid}/ns/pid") == os.readlink(f"/proc/{sandbox}/ns/pid")
    numbers = Path(f"/proc/{sandbox}/status").read_text().split("NSpid:")[1].split()
    assert numbers[:2] == [str(sandbox), "1"]
    looked_at = 0
    for directory in open_directories(sandbox):
        try:
            seen = os.listdir(f"/proc/self/fd/{directory}")
        except PermissionError:
            continue
        if "self" in seen and "thread-self" in seen:
            looked_at += 1
            assert len([one for one in seen if one.isdigit()]) <= len(below) + 1
    assert looked_at, "a /proc is open"


def test_its_death_ends_all(sandbox: int) -> None:
    """Gofer and stubs are killed by the host, not by each other's attention."""
    below = stubs_and_gofer(sandbox)
    watched = [os.pidfd_open(pid) for pid in below]
    os.kill(sandbox, signal.SIGKILL)
    for descriptor in watched:
        assert select.select([descriptor], [], [], 30)[0]
        os.close(descriptor)
