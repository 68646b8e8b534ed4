"""`bwrap`: the same command lines as bubblewrap's own, compared with what that prints.

What differs on purpose is not asked for: our /proc and /dev are the sandbox's own, the program is
process 1, and a bind of the host's /proc shows the sandbox's.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from harness.ordinary import NOBODY, install, interpreter
from harness.sandbox import EXECUTABLE

BWRAP = shutil.which("bwrap")
LIMIT = 60
#: a root with programs, as users of bubblewrap make it
USR = [
    "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin",
    "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
    "--ro-bind-try", "/etc/alternatives", "/etc/alternatives",
]  # fmt: skip
ROOT = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]


def call(
    program: list[str],
    words: list[str],
    folder: Path,
    files: dict[int, bytes] | None = None,
    environment: dict[str, str] | None = None,
) -> "subprocess.CompletedProcess[bytes]":
    """One of the two, in a working directory; `files`: number → what it is to be read there."""
    script, pipes = "", []
    for number, content in (files or {}).items():
        path = folder.parent / f"file{number}"
        path.write_bytes(content)
        script += f" {number}<'{path}'"
        pipes.append(path)
    return subprocess.run(
        ["sh", "-c", f'exec "$@"{script}', "sh", *program, *words],
        cwd=folder,
        env=environment or {"PATH": os.environ["PATH"], "HOME": "/usr", "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
    )


def both(
    words: list[str], folder: Path, files: dict[int, bytes] | None = None
) -> "list[subprocess.CompletedProcess[bytes]]":
    """bubblewrap's result and ours."""
    if BWRAP is None:
        pytest.skip("bwrap is not installed; Debian's package is bubblewrap")
    native = call([BWRAP], words, folder, files)
    if b"setting up uid map" in native.stderr or b"Creating new namespace" in native.stderr:
        pytest.skip("bwrap cannot make namespaces here")
    return [native, call([EXECUTABLE, "bwrap"], words, folder, files)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with a file."""
    made = tmp_path / "work"
    made.mkdir()
    (made / "file").write_text("content\n")
    (made / "link").symlink_to("file")
    return made


LS = "ls -ln --time-style=+ "
SH = ["sh", "-c"]
CASES = {
    "whole root": [*ROOT, *SH, "id; pwd; cat file; touch /usr/x; echo $?"],
    "built root": [*USR, "--dir", "/a/b", *SH, f"{LS} / /a; pwd; echo $PWD"],
    "bind": [*USR, "--bind", ".", "/p/q", "--chdir", "/p/q", *SH, "echo x > new; cat file; ls"],
    "bind a file": [*USR, "--ro-bind", "file", "/x/y", *SH, "cat /x/y; echo > /x/y; echo $?"],
    "bind-try": [*USR, "--bind-try", "/nowhere", "/n", "--ro-bind-try", ".", "/w", "ls", "/", "/w"],
    "order": [*USR, "--tmpfs", "/t", "--bind", ".", "/t/d", "--tmpfs", "/t", "ls", "/t"],
    "below": [*USR, "--bind", ".", "/t", "--dir", "/t/made", *SH, "ls /t; rmdir /t/made"],
    "tmpfs": [*USR, "--perms", "1770", "--tmpfs", "/t/u", *SH, f"echo x > /t/u/a; {LS} -d /t/u /t"],
    "tmpfs size": [
        *USR, "--size", "8192", "--tmpfs", "/t", *SH,
        "head -c 9000 /usr/bin/env > /t/a; wc -c < /t/a",
    ],
    "dirs": [*USR, "--perms", "0700", "--dir", "/a/b/c", "--dir", "/a/d", *SH, f"{LS} -R /a"],
    "symlinks": [*USR, "--symlink", "/usr", "/a/b/l", *SH, f"{LS} /a /a/b; ls -d /a/b/l/bin"],
    "chmod": [*USR, "--dir", "/a", "--chmod", "0711", "/a", *SH, f"{LS} -d /a"],
    "remount": [
        *USR, "--tmpfs", "/t", "--dir", "/t/d", "--remount-ro", "/t", *SH, "mkdir /t/x; ls /t",
    ],
    "remount root": [*USR, "--remount-ro", "/", *SH, "mkdir /x; echo $?"],
    "chdir": [*USR, "--dir", "/a", "--chdir", "/a", *SH, "pwd; echo $PWD"],
    "home": [*USR, *SH, "pwd; echo $PWD; echo $HOME"],
    "variables": [
        *USR, "--clearenv", "--setenv", "A", "1", "--setenv", "B", "2", "--unsetenv", "A",
        "--setenv", "B", "3", *SH, "/usr/bin/env | /usr/bin/sort",
    ],
    "env": [*USR, "--setenv", "NEW", "a b", *SH, "env | sort"],
    "uid": [*USR, "--unshare-user", "--uid", "1234", "--gid", "77", *SH, "id -u; id -g"],
    "hostname": [*USR, "--unshare-uts", "--hostname", "some-name", "uname", "-n"],
    "capabilities": [
        *ROOT, "--cap-drop", "ALL", "--cap-add", "CAP_CHOWN", "grep", "CapEff", "/proc/self/status",
    ],
    "no new privileges": [*ROOT, "grep", "NoNewPrivs", "/proc/self/status"],
    "network": [*ROOT, "--unshare-net", *SH, "tail -n +3 /proc/net/dev | cut -d: -f1"],
    "status": [*USR, *SH, "exit 7"],
    "signal": [*USR, *SH, "kill -TERM $$"],
    "devices": [
        *USR, "--dev", "/dev", *SH, "echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1",
    ],
    "dev-bind": [*USR, "--dev-bind", "/dev/null", "/n", *SH, "echo x > /n; wc -c < /n"],
    "no devices": [*USR, "--ro-bind", "/dev/null", "/n", *SH, "cat /n; echo $?"],
    "namespaces": [*USR, "--unshare-all", "--unshare-ipc", "--unshare-cgroup-try", "true"],
    "options end": [*USR, "--", *SH, "echo $0", "--bind"],
}  # fmt: skip


@pytest.mark.parametrize("words", CASES.values(), ids=CASES.keys())
def test_like_bubblewrap(words: list[str], folder: Path) -> None:
    """The same output and status; messages of the programs as well."""
    native, inside = both(words, folder)
    assert inside.stdout == native.stdout, (inside.stderr, native.stderr)
    assert inside.returncode == native.returncode
    assert inside.stderr == native.stderr


FAILURES = {
    "unknown": (["--nothing", "true"], "Unknown option --nothing"),
    "no source": (["--bind", "/nowhere", "/", "true"], "Can't find source path /nowhere"),
    "no chdir": ([*USR, "--chdir", "/nowhere", "true"], "Can't chdir to /nowhere"),
    "uid alone": ([*USR, "--uid", "5", "true"], "Specifying --uid requires --unshare-user"),
    "name alone": ([*USR, "--hostname", "x", "true"], "Specifying --hostname requires"),
    "read-only": (["--ro-bind", "/", "/", "--dir", "/usr/new", "true"], "Read-only file system"),
    "no program": ([*USR, "nonsense"], "nonsense"),
    "no values": (["--bind", "/"], "--bind takes"),
    "symlink there": ([*USR, "--symlink", "other", "/bin", "true"], ""),
    "bad perms": ([*USR, "--perms", "99999", "--dir", "/a", "true"], "--perms"),
    "size alone": ([*USR, "--size", "5", "--dir", "/a", "true"], "--size"),
    "no capability": ([*USR, "--cap-add", "CAP_NONE", "true"], "CAP_NONE"),
}


@pytest.mark.parametrize(("words", "reason"), FAILURES.values(), ids=FAILURES.keys())
def test_failures_like_bubblewrap(words: list[str], reason: str, folder: Path) -> None:
    """Status 1, nothing run, and the reason in its words where it has some."""
    native, inside = both(words, folder)
    assert (native.returncode, inside.returncode) == (1, 1)
    assert native.stdout == inside.stdout == b""
    assert reason in native.stderr.decode() and reason in inside.stderr.decode()
    assert inside.stderr.count(b"\n") == 1


def test_content_of_descriptors(folder: Path) -> None:
    """Copied, or mounted; with permissions."""
    words = [
        *USR, "--file", "7", "/a/file", "--perms", "0640", "--bind-data", "8", "/b",
        "--ro-bind-data", "9", "/c", *SH,
        f"cat /a/file /b /c; {LS} /a/file /b /c; echo x >> /b; echo x >> /c",
    ]  # fmt: skip
    native, inside = both(words, folder, {7: b"seven\n", 8: b"eight\n", 9: b"nine\n"})
    assert inside.stdout == native.stdout and inside.stderr == native.stderr


def test_arguments_from_a_descriptor(folder: Path) -> None:
    """Separated by NUL, among the others."""
    content = b"".join(word.encode() + b"\0" for word in [*USR, "--setenv", "X", "a b\nc"])
    native, inside = both(["--args", "7", "sh", "-c", 'echo "$X"'], folder, {7: content})
    assert (inside.stdout, inside.returncode) == (native.stdout, native.returncode)
    assert inside.stdout == b"a b\nc\n"


def test_status_descriptors(folder: Path) -> None:
    """The process and how it ended, as JSON."""
    words = ["--json-status-fd", "1", *USR, "sh", "-c", "exit 3"]
    native, inside = both(words, folder)
    for done in (native, inside):
        first, last = done.stdout.decode().splitlines()
        assert json.loads(first)["child-pid"] > 0
        assert json.loads(last) == {"exit-code": 3}
    native, inside = both(["--info-fd", "1", *USR, "true"], folder)
    assert all(json.loads(done.stdout)["child-pid"] > 0 for done in (native, inside))


def test_seccomp(folder: Path) -> None:
    """A filter that makes getppid(2) fail with EPERM, and lets everything else be."""
    import struct

    program = b"".join(
        struct.pack("=HBBI", *one)
        for one in (
            (0x20, 0, 0, 0),
            (0x15, 0, 1, 110),
            (0x06, 0, 0, 0x50001),
            (0x06, 0, 0, 0x7FFF0000),
        )
    )
    script = "import os; print(os.getppid())"
    native, inside = both([*ROOT, "--seccomp", "7", "python3", "-c", script], folder, {7: program})
    assert (inside.stdout, inside.returncode) == (native.stdout, native.returncode)
    assert inside.stdout == b"-1\n"


def test_ends_with_its_parent(folder: Path) -> None:
    """As soon as that is gone."""
    reader, writer = os.pipe()
    words = [EXECUTABLE, "bwrap", "--die-with-parent", *USR, "sh", "-c", "echo up; sleep 600"]
    parent = subprocess.Popen(
        ["sh", "-c", '"$@" & wait', "sh", *words], stdout=writer, cwd=folder, start_new_session=True
    )
    os.close(writer)
    with open(reader, "rb") as output:
        assert output.readline() == b"up\n"
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        begin = time.monotonic()
        assert output.read() == b"" and time.monotonic() - begin < LIMIT


@pytest.mark.parametrize("option", ["--userns", "--pidns", "--lock-file", "--exec-label"])
def test_what_cannot_be(option: str, folder: Path) -> None:
    """Refused with the reason."""
    done = call([EXECUTABLE, "bwrap"], [option, "5", *USR, "true"], folder)
    assert done.returncode == 1 and b"is not possible" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_for_an_ordinary_user() -> None:
    """No rights, files of others are nobody's, what is made is the user's own."""
    python = interpreter()
    if python is None or BWRAP is None:
        pytest.skip("no Python that everybody may run, or no bwrap")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "work"
        folder.mkdir()
        for path in (folder, folder.parent):
            path.chmod(0o777)
        (folder / "root").write_text("of root\n")
        install(folder.parent / "installed", python)
        ours = [str(folder.parent / "installed" / EXECUTABLE.name), "bwrap"]
        script = f"id; {LS} -d / /w /w/root /t; > /w/made; > /t/x; {LS} /t; "
        script += "grep CapEff /proc/self/status"
        other = ["--unshare-user", "--uid", "7", "--gid", "8", "--cap-add", "CAP_FOWNER"]
        become = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"]
        for options in ([], other):
            words = [*USR, "--proc", "/proc", "--tmpfs", "/t", "--bind", ".", "/w", *options]
            native, inside = (
                call([*become, *program], [*words, *SH, script], folder)
                for program in ([BWRAP], ours)
            )
            if b"setting up uid map" in native.stderr or b"No permissions" in native.stderr:
                pytest.skip("ordinary users cannot make user namespaces here")
            assert (inside.stdout, inside.stderr) == (native.stdout, native.stderr)
            assert (folder / "made").stat().st_uid == NOBODY
