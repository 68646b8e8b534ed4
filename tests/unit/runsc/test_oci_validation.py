"""config.json: what is read, what is refused with which words, what is only warned about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.oci.reading import decode, decode_spec, encode_structure, read_bundle
from runsc_py.runsc.oci.spec import Spec
from runsc_py.runsc.oci.validation import validate

Document = dict[str, Any]


def document(root: str) -> Document:
    """A configuration that is right."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "cwd": "/",
            "args": ["/bin/true"],
            "env": ["PATH=/bin"],
            "user": {"uid": 1, "gid": 2, "additionalGids": [3]},
            "capabilities": {"bounding": ["CAP_CHOWN"]},
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}],
        },
        "root": {"path": root},
        "hostname": "inside",
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "hooks": {"prestart": [{"path": "/bin/true"}]},
        "annotations": {"a": "b"},
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "mount", "uts", "ipc", "network")],
            "maskedPaths": ["/proc/kcore"],
            "sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096"},
            "devices": [{"type": "c", "path": "/dev/x", "major": 1, "minor": 3}],
        },
    }


def read(content: Document) -> tuple[Spec, list[str]]:
    """The document as a specification, and the warnings."""
    spec, warnings = decode(Spec, json.dumps(content).encode())
    return spec, warnings + validate(spec)


def test_a_right_one(tmp_path: Path) -> None:
    """Nothing to warn about; it is the same when it was written and read again."""
    spec, warnings = read(document(str(tmp_path)))
    assert warnings == []
    assert decode_spec(encode_structure(spec)) == spec
    assert spec.process is not None and spec.process.user.additional_gids == [3]


def test_relative_paths_are_the_bundle_s(tmp_path: Path) -> None:
    """Of the root and of bind mounts, and of nothing else."""
    content = document("rootfs")
    content["mounts"].append({"destination": "/d", "source": "data", "options": ["rbind"]})
    (tmp_path / "config.json").write_text(json.dumps(content))
    spec, _ = read_bundle(str(tmp_path))
    assert spec.root is not None and spec.root.path == f"{tmp_path}/rootfs"
    assert [mount.source for mount in spec.mounts] == ["proc", f"{tmp_path}/data"]


def test_null_is_not_there(tmp_path: Path) -> None:
    """Engines in Go write it for empty lists."""
    content = document(str(tmp_path))
    content["process"]["rlimits"] = content["hooks"] = content["linux"]["seccomp"] = None
    spec, warnings = read(content)
    assert (spec.hooks, warnings) == (None, [])


def test_unknown_members_are_warnings(tmp_path: Path) -> None:
    """In structures, lists and maps, with their place."""
    content = document(str(tmp_path))
    content["linux"]["devices"][0]["color"] = "red"
    content["linux"]["resources"] = {"rdma": {"mlx": {"speed": 1}}}
    content["future"] = {}
    assert read(content)[1] == [
        "unknown member $.linux.devices[0].color is ignored",
        "unknown member $.linux.resources.rdma.mlx.speed is ignored",
        "unknown member $.future is ignored",
    ]


def change(*place: str | int) -> Callable[[Document, object], None]:
    """A function that sets what is at a place, or takes it away for None."""

    def apply(content: Document, value: object) -> None:
        target: Any = content
        for key in place[:-1]:
            target = target.setdefault(key, {}) if isinstance(target, dict) else target[key]
        target[place[-1]] = value

    return apply


WRONG = [
    # types, by the reader
    (("ociVersion",), 1, "Expected `str`, got `int` - at `$.ociVersion`"),
    (("process", "user", "uid"), -1, "Expected `int` >= 0 - at `$.process.user.uid`"),
    (("process", "user", "gid"), 1 << 32, "at `$.process.user.gid`"),
    (("process", "args"), "/bin/true", "at `$.process.args`"),
    (("process", "terminal"), "yes", "at `$.process.terminal`"),
    (("process", "consoleSize"), {"height": 1}, "missing required field `width`"),
    (("process", "scheduler"), {"policy": "SCHED_NICE"}, "at `$.process.scheduler.policy`"),
    (("process", "ioPriority"), {"class": "IOPRIO_CLASS_XX"}, "at `$.process.ioPriority.class`"),
    (("process", "rlimits"), [{"type": "RLIMIT_CPU", "soft": 1}], "required field `hard`"),
    (("linux", "namespaces"), [{"type": "dream"}], "at `$.linux.namespaces[0].type`"),
    (("linux", "seccomp"), {"defaultAction": "SCMP_ACT_MAYBE"}, "$.linux.seccomp.defaultAction"),
    (("linux", "resources"), {"pids": {"limit": "3"}}, "at `$.linux.resources.pids.limit`"),
    (("linux", "devices", 0, "type"), "q", "at `$.linux.devices[0].type`"),
    (("hooks", "prestart"), [{"args": ["x"]}], "required field `path`"),
    (("hooks", "prestart"), [{"path": "/x", "timeout": 0}], "at `$.hooks.prestart[0].timeout`"),
    (("annotations",), {"a": 1}, "at `$.annotations[...]`"),
    # what has the right type
    (("ociVersion",), "2.0.0", "ociVersion '2.0.0' is not supported"),
    (("windows",), {}, "Spec.Windows is not supported"),
    (("solaris",), {}, "Spec.Solaris is not supported"),
    (("process",), None, "process property must not be empty"),
    (("process", "args"), [], "args must not be empty"),
    (("process", "args"), [""], "the first of args must not be empty"),
    (("process", "args"), ["a\0b"], "holds a NUL"),
    (("process", "cwd"), "", "Cwd property must not be empty"),
    (("process", "cwd"), "tmp", "Cwd must be an absolute path"),
    (("process", "env"), ["PATH"], "invalid variable: PATH"),
    (("process", "selinuxLabel"), "a:b", "SELinux is not supported: a:b"),
    (("process", "oomScoreAdj"), 1001, "is not between -1000 and 1000"),
    (
        ("process", "rlimits"),
        [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}],
        "invalid rlimit type: RLIMIT_FOO",
    ),
    (
        ("process", "rlimits"),
        [{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}] * 2,
        "duplicate rlimit RLIMIT_CPU",
    ),
    (
        ("process", "rlimits"),
        [{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}],
        "soft limit above the hard one",
    ),
    (("root",), None, "Spec.Root must be defined"),
    (("root", "path"), "", "Spec.Root.Path must be defined"),
    (("root", "path"), "/nowhere", "invalid rootfs: stat /nowhere: no such file or directory"),
    (("root", "path"), "/etc/passwd", "invalid rootfs: /etc/passwd: not a directory"),
    (("mounts",), [{"destination": ""}], "a mount without destination"),
    (("mounts",), [{"destination": "/a", "type": "bind"}], "a bind mount needs a source"),
    (
        ("mounts",),
        [{"destination": "/a", "type": "bind", "source": "/nowhere"}],
        "mount /nowhere at /a: no such file or directory",
    ),
    (
        ("mounts",),
        [{"destination": "/a", "type": "tmpfs", "options": ["shared", "rslave"]}],
        "more than one propagation",
    ),
    (("hooks", "poststop"), [{"path": "true"}], "hook path 'true' is not absolute"),
    (("hostname",), "x" * 65, "up to 64 characters"),
    (("process", "scheduler"), {"policy": "SCHED_BATCH", "nice": 20}, "invalid scheduler.nice: 20"),
    (("process", "scheduler"), {"policy": "SCHED_BATCH", "priority": 1}, "only be specified for"),
    (("process", "scheduler"), {"policy": "SCHED_FIFO"}, "invalid scheduler.priority: 0"),
    (("process", "scheduler"), {"policy": "SCHED_FIFO", "priority": 1, "period": 1}, "deadline"),
    (("process", "ioPriority"), {"class": "IOPRIO_CLASS_BE", "priority": 8}, "ioPriority"),
    (("linux", "namespaces"), [{"type": "pid"}] * 2, "duplicated ns 'pid'"),
    (("linux", "namespaces"), [{"type": "pid", "path": "x"}], "path 'x' is not absolute"),
    (("linux", "namespaces"), [{"type": "mount"}], "unable to set hostname without"),
    (("linux", "rootfsPropagation"), "nonsense", "rootfsPropagation=nonsense is not supported"),
    (("linux", "maskedPaths"), ["proc"], "is not absolute"),
    (("linux", "timeOffsets"), {"monotonic": {"secs": 1}}, "there is no time namespace"),
    (("linux", "sysctl"), {"kernel.pid_max": "9"}, "is not in a separate kernel namespace"),
    (
        ("linux", "uidMappings"),
        [{"containerID": 0, "hostID": 0, "size": 1}],
        "user namespace isn't enabled in the config",
    ),
    (("linux", "mountLabel"), "l", "SELinux is not supported"),
    (("linux", "personality"), {"domain": "LINUX64"}, "Invalid enum value 'LINUX64'"),
    (("linux", "devices", 0, "path"), "x", "device path 'x' is not absolute"),
    (("linux", "devices", 0, "major"), -1, "major and minor numbers are missing"),
]


@pytest.mark.parametrize(
    ("place", "value", "words"),
    WRONG,
    ids=[f"{'.'.join(map(str, place))}-{index}" for index, (place, _, _) in enumerate(WRONG)],
)
def test_wrong_ones(tmp_path: Path, place: tuple[str, ...], value: object, words: str) -> None:
    """Each is refused, in words that name what is wrong."""
    content = document(str(tmp_path))
    change(*place)(content, value)
    with pytest.raises((RunscError, ValueError)) as caught:
        read(content)
    assert words in str(caught.value)


def test_sysctls_and_paths_need_their_namespace(tmp_path: Path) -> None:
    """Otherwise they would be the host's."""
    content = document(str(tmp_path))
    content["linux"]["namespaces"] = [{"type": "mount"}, {"type": "uts"}]
    with pytest.raises(RunscError, match="is not allowed in the hosts network namespace"):
        read(content)
    content["linux"]["namespaces"] = [{"type": "uts"}]
    with pytest.raises(RunscError, match="without a private MNT namespace"):
        read(content)


@pytest.mark.parametrize("overlaps", [True, False])
def test_id_mappings(tmp_path: Path, overlaps: bool) -> None:
    """Ranges of a user namespace must not overlap."""
    content = document(str(tmp_path))
    content["linux"]["namespaces"].append({"type": "user"})
    start = 5 if overlaps else 10
    content["linux"]["uidMappings"] = [
        {"containerID": 0, "hostID": 1000, "size": 10},
        {"containerID": start, "hostID": 2000, "size": 10},
    ]
    if overlaps:
        with pytest.raises(RunscError, match="uid mappings overlap at 5"):
            read(content)
    else:
        assert read(content)[1] == []


def test_warnings(tmp_path: Path) -> None:
    """Capabilities that nobody knows are taken out; what is not done is said."""
    content = document(str(tmp_path))
    content["process"]["capabilities"]["bounding"] = ["CAP_CHOWN", "CAP_WINGS", "chown"]
    content["process"]["apparmorProfile"] = "strict"
    content["linux"]["intelRdt"] = {"closID": "x"}
    content["mounts"].append({"destination": "tmp", "type": "tmpfs"})
    spec, warnings = read(content)
    assert warnings == [
        "AppArmor profile 'strict' is being ignored",
        "ignoring unknown or unavailable capabilities: ['CAP_WINGS', 'chown']",
        "mount destination tmp not absolute: taken below /",
        "Spec.Linux.intel_rdt is being ignored",
    ]
    assert spec.process is not None and spec.process.capabilities is not None
    assert spec.process.capabilities.bounding == ["CAP_CHOWN"]
    assert spec.mounts[-1].destination == "/tmp"


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "truncated"), (b"[]", "Expected `object`"), (b"{}", "missing required field")],
)
def test_files_that_are_none(tmp_path: Path, content: bytes, words: str) -> None:
    """The error names the file."""
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(RunscError) as caught:
        read_bundle(str(tmp_path))
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    """runc's words."""
    with pytest.raises(RunscError, match=r"JSON specification file .*config\.json not found"):
        read_bundle(str(tmp_path))
