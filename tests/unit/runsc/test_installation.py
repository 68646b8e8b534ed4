"""Our entry in the configuration of container engines: added once, removed without a trace."""

import json
import os
import subprocess
import tomllib
from pathlib import Path

import pytest

from harness.sandbox import EXECUTABLE

PROGRAM = str(EXECUTABLE)


def call(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """`runsc-py WORDS`"""
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60)


def install(path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """`runsc-py install --config-file PATH WORDS`"""
    return call("install", "--config-file", path, *words)


def test_docker(tmp_path: Path) -> None:
    """The administrator's own members stay as they are; twice is once."""
    path = tmp_path / "docker" / "daemon.json"
    path.parent.mkdir()
    path.write_text('{"debug": true, "runtimes": {"kata": {"path": "/kata"}}}')
    done = json.loads(install(path, "--json", "--", "--network=host").stdout)
    assert (done["file"], done["changed"]) == (str(path), True)
    assert json.loads(path.read_text()) == {
        "debug": True,
        "runtimes": {
            "kata": {"path": "/kata"},
            "runsc-py": {"path": PROGRAM, "runtimeArgs": ["--network=host"]},
        },
    }
    before = path.stat()
    again = install(path, "--", "--network=host")
    assert again.stdout == f"{path} is as it should be\n"
    assert path.stat().st_ino == before.st_ino
    other = install(path)
    assert other.returncode == 125 and "--clobber replaces it" in other.stderr
    assert install(path, "--clobber").returncode == 0
    assert json.loads(path.read_text())["runtimes"]["runsc-py"] == {"path": PROGRAM}
    assert call("uninstall", "--config-file", path).returncode == 0
    assert json.loads(path.read_text())["runtimes"] == {"kata": {"path": "/kata"}}
    assert os.listdir(path.parent) == ["daemon.json"]
    assert call("uninstall", "--config-file", path).stdout == f"{path} is as it should be\n"


def test_docker_without_a_file(tmp_path: Path) -> None:
    """It is made, for the last entry's `runtimes` is removed again; a dry run changes nothing."""
    path = tmp_path / "new" / "daemon.json"
    shown = install(path, "--dry-run", "--runtime", "mine")
    document = {"runtimes": {"mine": {"path": PROGRAM}}}
    assert json.loads(shown.stdout) == document and not path.parent.exists()
    assert install(path, "--runtime", "mine").returncode == 0
    assert json.loads(path.read_text()) == document
    assert call("uninstall", "--config-file", path, "--runtime", "mine").returncode == 0
    assert json.loads(path.read_text()) == {}


@pytest.mark.parametrize("engine", ["podman", "containerd", "crio"])
def test_engines_with_folders(tmp_path: Path, engine: str) -> None:
    """A file of our own, which TOML readers understand; one that is not ours is left alone."""
    path = tmp_path / "conf.d" / "ours"
    assert install(path, "--engine", engine).returncode == 0
    document = tomllib.loads(path.read_text())
    if engine == "podman":
        assert document == {"engine": {"runtimes": {"runsc-py": [PROGRAM]}}}
    elif engine == "crio":
        entry = {"runtime_path": PROGRAM, "runtime_type": "oci"}
        assert document == {"crio": {"runtime": {"runtimes": {"runsc-py": entry}}}}
    else:
        plugin = document["plugins"]["io.containerd.grpc.v1.cri"]
        entry = plugin["containerd"]["runtimes"]["runsc-py"]
        options = {"BinaryName": PROGRAM}
        assert entry == {"runtime_type": "io.containerd.runc.v2", "options": options}
    assert "is as it should be" in install(path, "--engine", engine).stdout
    assert call("uninstall", "--engine", engine, "--config-file", path).returncode == 0
    assert not path.exists()
    path.write_text("# somebody else's\n")
    for name in ("install", "uninstall"):
        refused = call(name, "--engine", engine, "--config-file", path)
        assert refused.returncode == 125 and "is not ours" in refused.stderr
    assert path.read_text() == "# somebody else's\n"
    assert install(path, "--engine", engine, "--clobber").returncode == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--runtime", "../x"), "use letters, digits"),
        (("--engine", "lxc"), "use docker or podman"),
        (("--", "--wings"), "unknown option --wings"),
        (("--", "--debug", "create"), "options only"),
        (("--engine", "podman", "--", "--debug"), "passes no options to a runtime"),
    ],
)
def test_wrong_words(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    """Refused, and nothing written."""
    done = install(tmp_path / "daemon.json", *words)
    assert done.returncode == 125 and reason in done.stderr
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("content", ["{", "[]", '{"runtimes": []}'])
def test_a_file_that_is_none(tmp_path: Path, content: str) -> None:
    """It is not overwritten."""
    path = tmp_path / "daemon.json"
    path.write_text(content)
    done = install(path)
    assert done.returncode == 125 and str(path) in done.stderr
    assert path.read_text() == content


def test_features() -> None:
    """What engines look at; a bundle's seccomp filter only when it is installed."""
    document = json.loads(call("features").stdout)
    assert document["ociVersionMin"] == "1.0.0"
    assert document["hooks"][0] == "prestart" and "rro" in document["mountOptions"]
    assert "CAP_NET_RAW" in document["linux"]["capabilities"]
    assert "pid" in document["linux"]["namespaces"]
    assert document["linux"]["seccomp"] == {"enabled": False}
    enabled = json.loads(call("--oci-seccomp", "features").stdout)["linux"]["seccomp"]
    assert enabled["enabled"] is True and "SCMP_ACT_ERRNO" in enabled["actions"]


def test_experimental(tmp_path: Path) -> None:
    """Docker's switch stays when the runtime goes; others have none.  gVisor's spelling works."""
    path = tmp_path / "daemon.json"
    done = call("install", "--config_file", path, "--experimental")
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text())["experimental"] is True
    assert call("uninstall", "--config-file", path).returncode == 0
    assert json.loads(path.read_text()) == {"experimental": True}
    refused = install(tmp_path / "x", "--engine", "crio", "--experimental")
    assert refused.returncode == 125 and "no switch" in refused.stderr
