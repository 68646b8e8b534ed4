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


@pytest.mark.parametrize("engine", ["podman", "crio"])
def test_engines_with_folders(tmp_path: Path, engine: str) -> None:
    """A file of our own, which TOML readers understand; one that is not ours is left alone."""
    path = tmp_path / "conf.d" / "ours"
    assert install(path, "--engine", engine).returncode == 0
    document = tomllib.loads(path.read_text())
    if engine == "podman":
        assert document == {"engine": {"runtimes": {"runsc-py": [PROGRAM]}}}
    else:
        entry = {"runtime_path": PROGRAM, "runtime_type": "oci"}
        assert document == {"crio": {"runtime": {"runtimes": {"runsc-py": entry}}}}
    assert "is as it should be" in install(path, "--engine", engine).stdout
    assert call("uninstall", "--engine", engine, "--config-file", path).returncode == 0
    assert not path.exists()
    path.write_text("# somebody else's\n")
    for name in ("install", "uninstall"):
        refused = call(name, "--engine", engine, "--config-file", path)
        assert refused.returncode == 125 and "is not ours" in refused.stderr
    assert path.read_text() == "# somebody else's\n"
    assert install(path, "--engine", engine, "--clobber").returncode == 0


CONTAINERD = """\
version = {version}
root = "/somewhere"
[plugins."{plugin}"]
sandbox_image = "pause"
[plugins."{plugin}".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"  # a comment that stays
"""
PLUGINS = {2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
ENTRY = {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": PROGRAM}}


@pytest.mark.parametrize("version", [2, 3])
def test_containerd(tmp_path: Path, version: int) -> None:
    """A table of the administrator's file, whose own text stays as it is, byte for byte."""
    path, plugin = tmp_path / "config.toml", PLUGINS[version]
    text = CONTAINERD.format(version=version, plugin=plugin)
    path.write_text(text)
    assert install(path, "--engine", "containerd").returncode == 0
    assert path.read_text().startswith(text)
    section = tomllib.loads(path.read_text())["plugins"][plugin]
    assert section["sandbox_image"] == "pause"
    assert section["containerd"]["runtimes"]["runsc-py"] == ENTRY
    assert "is as it should be" in install(path, "--engine", "containerd").stdout
    assert install(path, "--engine", "containerd", "--runtime", "two").returncode == 0
    for name in ("runsc-py", "two"):
        words = ("--engine", "containerd", "--config-file", path, "--runtime", name)
        assert call("uninstall", *words).returncode == 0
    assert path.read_text() == text


def test_containerd_without_a_file(tmp_path: Path) -> None:
    """The runtime that containerd has by default is there all the same."""
    path = tmp_path / "config.toml"
    assert install(path, "--engine", "containerd").returncode == 0
    section = tomllib.loads(path.read_text())["plugins"][PLUGINS[2]]["containerd"]
    assert section["runtimes"] == {
        "runc": {"runtime_type": "io.containerd.runc.v2"},
        "runsc-py": ENTRY,
    }
    assert call("uninstall", "--engine", "containerd", "--config-file", path).returncode == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("root = '/somewhere'\n", "another version"),
        ("version = 2\n[", "config.toml: "),
        (f"version = 2\n[plugins.'{PLUGINS[2]}'.containerd.runtimes.runsc-py]\n", "remove it"),
        (f"version = 2\nplugins = {{ '{PLUGINS[2]}' = {{}} }}\n", "config.toml: "),
    ],
)
def test_containerd_that_cannot_be_added_to(tmp_path: Path, text: str, reason: str) -> None:
    """Refused with the reason, and nothing written."""
    path = tmp_path / "config.toml"
    path.write_text(text)
    done = install(path, "--engine", "containerd")
    assert done.returncode == 125 and reason in done.stderr
    assert path.read_text() == text


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
