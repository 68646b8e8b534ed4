"""ps, top, free, df, mount: what they show is the sandbox's, so only its form is checked."""

import re

from harness.differential import Find, Inside


def test_ps(program: Find, inside: Inside) -> None:
    """Only the sandbox's own processes, with small ids, ours among them."""
    ps = program("ps", "procps")
    outcome = inside(["/bin/sh", "-c", f"sleep 30 & {ps} -e -o pid,ppid,stat,args; kill $!"])
    assert outcome.status == 0, outcome.summary()
    lines = outcome.text.splitlines()
    assert lines[0].split() == ["PID", "PPID", "STAT", "COMMAND"]
    assert any(line.endswith("sleep 30") for line in lines)
    assert all(int(line.split()[0]) < 100 for line in lines[1:]), outcome.text
    assert len(lines) <= 5, outcome.text


def test_ps_formats(program: Find, inside: Inside) -> None:
    """The formats that people type."""
    ps = program("ps", "procps")
    for options in ("aux", "-ef", "-eLf", "axjf"):
        outcome = inside([ps, options])
        assert outcome.status == 0 and not outcome.stderr, outcome.summary()
        assert f"ps {options}" in outcome.text


def test_top(program: Find, inside: Inside) -> None:
    """One page, with processes, CPU and memory."""
    outcome = inside([program("top", "procps"), "-b", "-n1"])
    assert outcome.status == 0, outcome.summary()
    assert re.search(r"^top - \d\d:\d\d:\d\d up", outcome.text)
    assert re.search(r"Tasks: +\d+ total", outcome.text)
    assert re.search(r"%Cpu\(s\):.* id", outcome.text)
    assert re.search(r"^ *\d+ .* top$", outcome.text, re.MULTILINE)


def test_free(program: Find, inside: Inside) -> None:
    """Total is the sum of what is used and what is not."""
    outcome = inside([program("free", "procps"), "-k"])
    assert outcome.status == 0, outcome.summary()
    memory = next(line for line in outcome.text.splitlines() if line.startswith("Mem:")).split()
    assert int(memory[1]) >= int(memory[3]) > 0


def test_memory_limit_is_shown(program: Find, inside: Inside) -> None:
    """`--memory` is the machine's size inside."""
    outcome = inside([program("free", "procps"), "-m"], options=("--memory", "256M"))
    assert int(outcome.text.splitlines()[1].split()[1]) == 256, outcome.text


def test_df(inside: Inside) -> None:
    """The root and the memory filesystems."""
    outcome = inside(["df", "-P"])
    assert outcome.status == 0, outcome.summary()
    points = [line.split()[-1] for line in outcome.text.splitlines()[1:]]
    assert "/" in points, outcome.text


def test_mount(program: Find, inside: Inside) -> None:
    """The sandbox's mounts, none of the host's."""
    outcome = inside([program("mount", "mount")])
    assert outcome.status == 0, outcome.summary()
    points = re.findall(r" on (\S+) type (\S+) \(", outcome.text)
    assert {"/", "/proc", "/dev", "/sys"} <= {point for point, _ in points}, outcome.text


def test_uptime_and_w(program: Find, inside: Inside) -> None:
    """/proc/uptime and /proc/loadavg can be read."""
    outcome = inside([program("uptime", "procps")])
    assert outcome.status == 0 and "load average" in outcome.text, outcome.summary()


def test_user(inside: Inside) -> None:
    """Without `--user` the program is root, to whom the caller's files belong."""
    script = "id -u; touch mine; stat -c '%u %g' mine ."
    assert inside(["/bin/sh", "-c", script]).text.split() == ["0"] * 5
