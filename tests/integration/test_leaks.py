"""`--ref-leak-mode`: nothing of a container is left in the sentry or gofer when it has ended."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.compiler import compile_c
from harness.containers import BUSYBOX, WAIT, Engine
from harness.live import eventually
from runsc_py.runsc.services.leaks import LeakCheck
from runsc_py.sentry.vfs.path import Dentry

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")

#: opens one of everything, passes sockets to each other, leaves children, and exits or waits
HOLDER = r"""
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static void *forever(void *unused) {
    for (;;) pause();
    return unused;
}

static void pass(int over, int fd) {
    char data = 'x', control[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec vector = {&data, 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    sendmsg(over, &message, 0);
}

int main(int argc, char **argv) {
    int pair[2], pipes[2], other[2];
    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, other);
    pass(pair[0], pair[1]);  /* in each other's queues, and closed */
    pass(pair[1], pair[0]);
    pass(other[0], pipes[0]);
    close(pair[0]);
    close(pair[1]);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/bound"};
    int bound = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(bound, (struct sockaddr *)&name, sizeof name);
    listen(bound, 1);
    connect(client, (struct sockaddr *)&name, sizeof name);
    int file = open("/bin/busybox", O_RDONLY), made = open("/made", O_RDWR | O_CREAT, 0600);
    mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    unlink("/made");
    ftruncate(made, 1 << 20);
    int memory = memfd_create("m", 0), event = eventfd(0, 0), timer = timerfd_create(1, 0);
    ftruncate(memory, 1 << 20);
    struct itimerspec soon = {{1000, 0}, {1000, 0}};
    timerfd_settime(timer, 0, &soon, NULL);
    int watch = inotify_init(), poll = epoll_create1(0), nested = epoll_create1(0);
    inotify_add_watch(watch, "/bin", IN_ALL_EVENTS);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    int fds[] = {bound, client, event, timer, watch, nested, other[1],
                 signalfd(-1, &all, 0), pipes[1]};
    for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++) {
        struct epoll_event wanted = {.events = EPOLLIN | EPOLLET};
        epoll_ctl(poll, EPOLL_CTL_ADD, fds[i], &wanted);
    }
    fcntl(file, F_SETLEASE, F_RDLCK);
    struct flock lock = {.l_type = F_WRLCK};
    fcntl(made, F_SETLK, &lock);
    shmat(shmget(IPC_PRIVATE, 4096, 0600), NULL, 0);
    semget(1, 1, IPC_CREAT | 0600);
    timer_t posix;
    timer_create(CLOCK_MONOTONIC, NULL, &posix);
    pthread_t thread;
    pthread_create(&thread, NULL, forever, NULL);
    if (fork() == 0) {
        if (fork() == 0) forever(NULL);
        setsid();
        chdir("/bin");
        forever(NULL);
    }
    if (fork() == 0) _exit(0);
    if (argc > 1 && strcmp(argv[1], "wait") == 0) forever(NULL);
    usleep(50000);
    return 0;
}
"""
SHELL = """
busybox mkdir -p /tmp /m /n; echo x >/tmp/f; busybox mkfifo /fifo
busybox sleep 100 >/fifo & busybox sleep 100 </fifo &
busybox mount -t tmpfs x /m; echo 1 >/m/1; exec 7</m/1; busybox umount -l /m
busybox mount --bind /volume /n; busybox ls /n >/dev/null; cd /n; busybox umount -l /n; cd /
busybox unshare -m -p -f -i -u busybox ls >/dev/null
busybox find /proc /sys /dev /volume >/dev/null 2>&1
i=0; while [ $i -lt 40 ]; do echo $i >/volume/$i; busybox rm /volume/$i; i=$((i+1)); done
busybox mv /volume/there /volume/moved; busybox cat /volume/moved
"""


def holder(engine: Engine, bundle: Path) -> None:
    """Put the program into a bundle."""
    source = engine.folder / "holder.c"
    source.write_text(HOLDER)
    program = compile_c(source, ["-static", "-pthread", "-Wno-unused-result"])
    shutil.copy(program, bundle / "rootfs" / "bin" / "holder")


def prepare(engine: Engine, mode: str, *words: str) -> Path:
    """A bundle with a volume, capabilities, and a root that can be written to."""
    volume = engine.folder / "volume"
    volume.mkdir(exist_ok=True)
    (volume / "there").write_text("content\n")

    def change(document: Any) -> None:
        document["root"]["readonly"] = False
        for kind in ("bounding", "effective", "permitted"):
            document["process"]["capabilities"][kind] = ["CAP_SYS_ADMIN", "CAP_KILL"]
        document["mounts"].append(
            {"destination": "/volume", "type": "bind", "source": str(volume), "options": ["bind"]}
        )

    engine.options = ["--ref-leak-mode", mode, "--debug-log", str(engine.folder / "sandbox.log")]
    bundle = engine.bundle(*words, change=change)
    holder(engine, bundle)
    return bundle


def leaks(engine: Engine) -> list[str]:
    """What the sandbox said that has ended."""
    log = engine.folder / "sandbox.log"
    eventually("the sandbox looks for leaks", lambda: "leaks of containers: " in log.read_text())
    lines = log.read_text().splitlines()
    found = [line.partition("leak: ")[2] for line in lines if "leak: " in line]
    assert f"leaks of containers: {len(found)}" in lines[-1] or found
    return found


@pytest.mark.parametrize("overlay", ["none", "all:memory"])
def test_shell(engine: Engine, overlay: str) -> None:
    """Mounts that came and went, FIFOs, processes that are killed at the end, /proc."""
    bundle = prepare(engine, "log-names", "/bin/sh", "-c", SHELL)
    engine.options += ["--overlay2", overlay]
    done = engine("run", "--bundle", bundle, "a")
    assert (done.returncode, done.stdout) == (0, "content\n"), done.stderr
    assert not leaks(engine)


def test_one_of_everything(engine: Engine) -> None:
    """Descriptors of every kind, in queues and epoll instances, threads, timers, IPC."""
    bundle = prepare(engine, "log-names", "/bin/holder")
    done = engine("run", "--bundle", bundle, "a")
    assert done.returncode == 0, done.stderr
    assert not leaks(engine)


def test_exec_and_subcontainers(engine: Engine) -> None:
    """Others come and go, by themselves, killed or deleted, or stay until the end."""
    assert engine("create", "--bundle", prepare(engine, "log-names", *WAIT), "a").returncode == 0
    assert engine("start", "a").returncode == 0
    assert engine("exec", "a", "/bin/holder").returncode == 0
    assert engine("exec", "--detach", "a", "/bin/holder", "wait").returncode == 0

    def inside(document: Any) -> None:
        document["annotations"] = {
            "io.kubernetes.cri.container-type": "container",
            "io.kubernetes.cri.sandbox-id": "a",
        }

    for name in ("b", "c"):
        bundle = engine.bundle("/bin/holder", "wait", change=inside)
        holder(engine, bundle)
        assert engine("create", "--bundle", bundle, name).returncode == 0
        assert engine("start", name).returncode == 0
    assert engine("delete", "--force", "b").returncode == 0
    assert engine("kill", "a", "KILL").returncode == 0
    assert not leaks(engine)


def test_a_leak_is_found() -> None:
    """With where it was made."""
    check = LeakCheck("log-traces")
    try:
        kept = [Dentry(b"forgotten", None, None)]
        (line,) = [line for line in check.find(()) if "forgotten" in line]
        assert line.startswith("leak: Dentry b'forgotten', made at ") and __file__ in line
        kept.clear()
        assert not [line for line in check.find(()) if "forgotten" in line]
    finally:
        check.stop()
