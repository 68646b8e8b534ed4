"""Options of `runsc-py run` about files and the program's surroundings."""

import os
import socket
import threading
from pathlib import Path

import pytest

from harness.differential import Inside
from harness.programs import PYTHON

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root for files of other owners")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory of the host with one file, to be mounted."""
    directory = tmp_path / "shared"
    directory.mkdir(mode=0o755)
    (directory / "old").write_text("host\n")
    return directory


# -- volumes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", ":ro"])
def test_volume_is_read_only(suffix: str, shared: Path, inside: Inside) -> None:
    """Every way to change it is EROFS, and the host keeps what it had."""
    script = """
        cat /data/old
        for what in 'touch /data/new' 'rm /data/old' 'mkdir /data/sub' 'chmod 0 /data/old' \
            'mv /data/old /data/x' 'ln -s a /data/l' 'sh -c "echo x >> /data/old"'; do
            eval "$what" 2>&1 | grep -o 'Read-only file system' || echo "allowed: $what"
        done"""
    done = inside(["sh", "-c", script], options=["-v", f"{shared}:/data{suffix}"])
    assert done.text == "host\n" + "Read-only file system\n" * 7
    assert [path.name for path in shared.iterdir()] == ["old"]
    assert (shared / "old").read_text() == "host\n"


def test_volume_rw_writes_on_the_host(shared: Path, inside: Inside) -> None:
    """New files, changed ones, directories, modes and removals arrive."""
    (shared / "gone").touch()
    script = (
        "cd /data && echo new > new && echo more >> old && mkdir sub && chmod 640 new && rm gone"
    )
    inside(["sh", "-c", script], options=["--volume", f"{shared}:/data:rw"])
    assert sorted(path.name for path in shared.iterdir()) == ["new", "old", "sub"]
    assert (shared / "new").read_text() == "new\n"
    assert (shared / "old").read_text() == "host\nmore\n"
    assert (shared / "new").stat().st_mode & 0o7777 == 0o640
    assert (shared / "new").stat().st_uid == os.getuid()


@needs_root
def test_files_in_a_volume_belong_to_the_user_inside(shared: Path, inside: Inside) -> None:
    """With --user, what is made on the host has that owner."""
    shared.chmod(0o777)
    options = ["-u", "1234:2345", "-v", f"{shared}:/data:rw"]
    inside(["sh", "-c", "echo x > /data/mine; mkdir /data/dir"], options=options)
    for name in ("mine", "dir"):
        status = (shared / name).stat()
        assert (status.st_uid, status.st_gid) == (1234, 2345)


def test_volume_of_a_single_file(shared: Path, inside: Inside) -> None:
    """A file is mounted over a file, or where there was nothing."""
    options = ["-v", f"{shared}/old:/etc/hostname", "-v", f"{shared}/old:/srv/new/place:rw"]
    script = "cat /etc/hostname; echo more >> /srv/new/place; cat /srv/new/place"
    done = inside(["sh", "-c", script + "; echo x > /etc/hostname"], options=options)
    assert done.text == "host\nhost\nmore\n"
    assert b"Read-only file system" in done.stderr
    assert (shared / "old").read_text() == "host\nmore\n"


def test_volumes_nest_in_any_order(shared: Path, tmp_path: Path, inside: Inside) -> None:
    """A mount below another is not hidden by it, whichever comes first."""
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "file").write_text("inner\n")
    (shared / "sub").mkdir()
    (shared / "empty").mkdir()
    (shared / "empty" / "hidden").touch()
    volumes = ["-v", f"{inner}:/data/sub", "-v", f"{shared}:/data"]
    script = "cat /data/old /data/sub/file; ls -A /data/empty"
    done = inside(["sh", "-c", script], options=[*volumes, "--tmpfs", "/data/empty"])
    assert done.text == "host\ninner\n"


def test_volume_shows_what_the_host_changes(shared: Path, inside: Inside) -> None:
    """Also while the program runs."""
    fifo = shared / "fifo"
    os.mkfifo(fifo)

    def answer() -> None:
        with open(shared / "ready.tmp", "w") as file:
            file.write("changed\n")
        os.rename(shared / "ready.tmp", shared / "old")
        (shared / "added").touch()

    timer = threading.Timer(1.0, answer)
    timer.start()
    script = "while ! [ -e /data/added ]; do sleep 0.05; done; cat /data/old; ls /data"
    done = inside(["sh", "-c", script], options=["-v", f"{shared}:/data"])
    timer.join()
    assert done.text == "changed\nadded\nfifo\nold\n"


def test_tmpfs_has_its_size(inside: Inside) -> None:
    """It is empty, holds what it says and not more."""
    script = """
        ls -A /etc/ssl; df --output=size,target /etc/ssl | tail -1
        head -c 1M /dev/zero > /etc/ssl/a && echo fits
        head -c 1 /dev/zero > /etc/ssl/b || echo full"""
    done = inside(["sh", "-c", script], options=["--tmpfs", "/etc/ssl:1M"])
    assert done.text.split() == ["1024", "/etc/ssl", "fits", "full"]
    assert b"No space left" in done.stderr


def test_rootfs(tmp_path: Path, inside: Inside) -> None:
    """Another root directory: nothing of the host's is seen, writes stay out of it."""
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    busybox = Path("/bin/busybox")
    if not busybox.exists():
        pytest.skip("busybox is not installed; Debian's package is busybox-static")
    (root / "bin" / "busybox").write_bytes(busybox.read_bytes())
    (root / "bin" / "busybox").chmod(0o755)
    script = "busybox pwd; busybox ls /; busybox touch /new; busybox ls /"
    done = inside(["/bin/busybox", "sh", "-c", script], options=["--rootfs", str(root)])
    assert done.text == "/\nbin\ndev\nproc\nsys\nbin\ndev\nnew\nproc\nsys\n"
    assert [path.name for path in root.iterdir()] == ["bin"]


def test_writes_stay_in_memory(inside: Inside) -> None:
    """Files of the host can be changed inside, and are not changed outside."""
    script = "echo changed > /etc/hostname; cat /etc/hostname; rm /etc/passwd; ls /etc/passwd"
    done = inside(["sh", "-c", script])
    assert done.text == "changed\n"
    assert Path("/etc/passwd").exists()


# -- surroundings ------------------------------------------------------------------------------


def test_environment(inside: Inside) -> None:
    """It is taken over; -e adds, replaces, and takes over by name."""
    env = {"KEPT": "1", "REPLACED": "old", "EMPTY": ""}
    options = ["-e", "REPLACED=new", "--env", "ADDED=a=b c", "-eSHORT=x", "-e", "NOT_SET_HERE"]
    done = inside(["env"], env=env, options=options)
    lines = done.text.splitlines()
    assert {"KEPT=1", "REPLACED=new", "ADDED=a=b c", "SHORT=x", "EMPTY="} <= set(lines)
    assert not any(line.startswith("NOT_SET_HERE") for line in lines)


def test_clean_environment(inside: Inside) -> None:
    """Only PATH, HOME and TERM, and what is named."""
    env = {"SECRET": "1", "NAMED": "2", "HOME": "/somewhere"}
    done = inside(["env"], env=env, options=["--clean-env", "-e", "NAMED", "-e", "X=y"])
    names = {line.partition("=")[0] for line in done.text.splitlines()}
    assert names == {"PATH", "HOME", "TERM", "NAMED", "X"}
    assert "HOME=/somewhere\n" in done.text


def test_bytes_in_environment_and_arguments(inside: Inside) -> None:
    """What is no UTF-8 arrives as it is."""
    raw = os.fsdecode(b"\xff\xfe")
    done = inside(["printf", "%s.%s", raw, ""], options=["-e", f"RAW={raw}"])
    assert done.stdout == b"\xff\xfe."
    done = inside(["sh", "-c", 'printf %s "$RAW"'], options=["-e", f"RAW={raw}"])
    assert done.stdout == b"\xff\xfe"


def test_working_directory(workplace: Path, inside: Inside) -> None:
    """The current one, or the one that is asked for."""
    assert inside(["pwd"]).text == f"{workplace}\n"
    assert inside(["pwd"], options=["-w", "/usr/share"]).text == "/usr/share\n"
    assert inside(["pwd"], options=["--workdir=/proc/self"]).text.startswith("/proc/")


def test_root_is_the_default_user(inside: Inside) -> None:
    """Whoever runs the tests."""
    assert inside(["id"]).text.startswith("uid=0(root) gid=0(root)")


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("daemon", "1 1 1 /usr/sbin"),
        ("daemon:games", "1 60 60 /usr/sbin"),
        ("1", "1 1 1 /usr/sbin"),
        ("4321", "4321 0 0 /root"),
        ("4321:8765", "4321 8765 8765 /root"),
    ],
)
def test_user(user: str, expected: str, tmp_path: Path, inside: Inside) -> None:
    """Names and groups are those of the sandbox's own /etc."""
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_text("root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/usr/sbin:/bin/sh\n")
    group.write_text("root:x:0:\ndaemon:x:1:\ngames:x:60:\n")
    options = ["-u", user, "-v", f"{passwd}:/etc/passwd", "-v", f"{group}:/etc/group"]
    script = 'echo $(id -u) $(id -g) $(id -G) "$HOME"'
    done = inside(["sh", "-c", script], options=options, env={"HOME": "/root"})
    assert done.text == f"{expected}\n"


def test_user_has_supplementary_groups(tmp_path: Path, inside: Inside) -> None:
    """Those of /etc/group, unless a group was named."""
    group = tmp_path / "group"
    group.write_text("root:x:0:\ndaemon:x:1:\naudio:x:29:daemon,games\nvideo:x:44:daemon\n")
    options = ["-v", f"{group}:/etc/group"]
    assert inside(["id", "-G"], options=["-u", "daemon", *options]).text == "1 29 44\n"
    assert inside(["id", "-G"], options=["-u", "daemon:daemon", *options]).text == "1\n"


def test_user_is_held_to_permissions(tmp_path: Path, inside: Inside) -> None:
    """Another user than root has no privileges inside."""
    script = "cat /etc/shadow; touch /etc/new; chown 0 /tmp; kill -0 1 && echo own"
    done = inside(["sh", "-c", script], options=["-u", "4321"])
    assert done.text == "own\n"
    assert done.stderr.count(b"Permission denied") == 2
    assert b"Operation not permitted" in done.stderr


def test_named_home_wins_over_the_users(inside: Inside) -> None:
    """-e HOME=… says what is wanted."""
    done = inside(["sh", "-c", "echo $HOME"], options=["-u", "daemon", "-e", "HOME=/x"])
    assert done.text == "/x\n"


def test_host_name(inside: Inside) -> None:
    """Seen by uname(2) and in /proc."""
    script = "uname -n; cat /proc/sys/kernel/hostname"
    assert inside(["sh", "-c", script], options=["--hostname", "box"]).text == "box\nbox\n"
    assert inside(["uname", "-n"]).text == f"{os.uname().nodename}\n"


def test_umask_is_taken_over(workplace: Path, inside: Inside) -> None:
    """As natively: the caller's."""
    assert inside(["sh", "-c", "umask"]).text == "0022\n"


def test_nice_value_is_taken_over(workplace: Path, inside: Inside) -> None:
    """The program is as nice as the caller, and may be nicer."""
    here = os.getpriority(os.PRIO_PROCESS, 0)
    wanted = f"{here}\n{min(here + 3, 19)}\n"
    assert inside(["sh", "-c", "nice; nice -n 3 nice"]).text == wanted


# -- network -----------------------------------------------------------------------------------

CONNECT = """
import socket, sys
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5).sendall(b"x")
    print("connected")
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "Connection refused"),
        (["--network", "none"], "Connection refused"),
        (["--network=host"], "connected"),
    ],
    ids=["default", "none", "host"],
)
def test_network(options: list[str], expected: str, inside: Inside) -> None:
    """A server of the host is reached with --network host only."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = inside([PYTHON, "-c", CONNECT, str(port)], options=options)
    assert done.text == f"{expected}\n"


def test_loopback_is_up(inside: Inside) -> None:
    """Programs inside reach each other without --network host."""
    script = """
import socket
server = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(server.getsockname())
client.sendall(b"hello")
print(server.accept()[0].recv(5))
"""
    assert inside([PYTHON, "-c", script]).text == "b'hello'\n"


def test_do_is_run(inside: Inside) -> None:
    """gVisor's name for it."""
    from harness.processes import run
    from harness.sandbox import EXECUTABLE

    finished = run([EXECUTABLE, "do", "echo", "-n", "--", "x"], cwd=Path("/"))
    assert (finished.status, finished.stdout) == (0, b"-- x")


def test_standard_files_belong_to_the_user(inside: Inside) -> None:
    """A pipe to standard input can be opened again, whoever made it on the host."""
    command = ["sh", "-c", "stat -Lc %u:%g /dev/stdin && cat /dev/stdin"]
    result = inside(command, options=["-u", "1234:2345"], stdin=b"through the pipe\n")
    assert result.text == "1234:2345\nthrough the pipe\n"
