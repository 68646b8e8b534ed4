"""The commands of container engines, as far as they need no container."""

import json
import os
from pathlib import Path

import pytest

from harness.processes import Finished, run
from harness.sandbox import EXECUTABLE


def runsc(*words: str | Path) -> Finished:
    """`runsc-py …`"""
    return run([EXECUTABLE, *words], cwd=Path("/"), timeout=60)


def test_spec(tmp_path: Path) -> None:
    """A file that our own reader has nothing to say about; never replaced."""
    from runsc_py.runsc.oci.reading import read_bundle
    from runsc_py.runsc.oci.validation import validate

    (tmp_path / "rootfs").mkdir()
    words = ("spec", "--bundle", tmp_path, "--cwd", "/tmp", "--netns", "/n", "--", "ls", "-l")
    assert runsc(*words).status == 0
    spec, warnings = read_bundle(str(tmp_path))
    assert warnings + validate(spec) == []
    assert spec.process is not None and spec.linux is not None
    assert (spec.process.args, spec.process.cwd) == (["ls", "-l"], "/tmp")
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["process"]["user"] == {"uid": 0, "gid": 0}, "the specification requires both"
    network = spec.namespace("network")
    assert network is not None and network.path == "/n"
    again = runsc(*words)
    assert (again.status, again.stdout) == (125, b"")
    assert f"{tmp_path}/config.json exists" in again.stderr.decode()


def test_spec_for_an_ordinary_user(tmp_path: Path) -> None:
    """One user, who is root inside, as `runc spec --rootless` has it."""
    from runsc_py.runsc.oci.reading import read_bundle
    from runsc_py.runsc.oci.validation import validate

    (tmp_path / "rootfs").mkdir()
    assert runsc("spec", "--rootless", "--bundle", tmp_path).status == 0
    spec, warnings = read_bundle(str(tmp_path))
    assert warnings + validate(spec) == []
    assert spec.linux is not None
    kinds = {one.type for one in spec.linux.namespaces}
    assert "user" in kinds and "network" not in kinds
    for mappings, identifier in (
        (spec.linux.uid_mappings, os.geteuid()),
        (spec.linux.gid_mappings, os.getegid()),
    ):
        assert [(one.container_id, one.host_id, one.size) for one in mappings] == [
            (0, identifier, 1)
        ]
    assert not any("gid=5" in mount.options for mount in spec.mounts)


def test_errors_are_logged_where_engines_look(tmp_path: Path) -> None:
    """As JSON in `--log`, and as one line on standard error."""
    log = tmp_path / "log"
    finished = runsc("--log", log, "--log-format", "json", "spec", "--bundle", "/nowhere")
    message = "/nowhere/config.json: No such file or directory"
    assert finished.stderr.decode() == f"runsc-py: {message}\n"
    entry = json.loads(log.read_text().splitlines()[-1])
    assert (entry["level"], entry["msg"]) == ("error", message)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--root", "/x"], "no command given"),
        (["--debug", "frob"], "unknown command 'frob'"),
        (["--network", "none", "run", "ls"], "JSON specification file config.json not found"),
        (["--network", "wifi", "spec"], "--network 'wifi': use none or host or sandbox"),
    ],
)
def test_options_before_the_command(words: list[str], message: str) -> None:
    """Told in one line."""
    finished = runsc(*words)
    assert finished.status == 125
    assert finished.stderr.decode().startswith(f"runsc-py: {message}")


def test_help_with_options() -> None:
    """All options before the command are in it."""
    text = runsc("--debug", "--help").stdout.decode()
    assert "--log-format" in text and "commands:" in text
