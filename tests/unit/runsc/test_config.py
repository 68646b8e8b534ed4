"""The options before the command: one object from the command line, annotations and Python."""

import json
import os
from pathlib import Path

import pytest

from runsc_py.runsc.arguments import help_text
from runsc_py.runsc.config import (
    SYNTAX,
    Config,
    default_root,
    override_by_annotations,
    parse_config,
)
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.overlay import Overlay
from runsc_py.runsc.runtime_log import open_runtime_log
from runsc_py.runsc.settings import REFUSED, SETTINGS
from runsc_py.runsc.settings_page import render

ROOT = Path(__file__).parents[3]


def test_as_engines_pass_them() -> None:
    """containerd's and podman's ways; the command and its words are left."""
    options = ["--root", "/r", "--log=/l", "--log-format", "json", "--systemd-cgroup"]
    config, parsed = parse_config([*options, "create", "--bundle", "b", "x"])
    assert (config.root, config.log, config.log_format) == ("/r", "/l", "json")
    assert config.systemd_cgroup is True
    assert parsed.operands == ["create", "--bundle", "b", "x"]


@pytest.mark.parametrize(
    ("word", "value"), [("--debug", True), ("--debug=true", True), ("--debug=false", False)]
)
def test_booleans(word: str, value: bool) -> None:
    """Go's flags have a value only behind an equals sign."""
    config, parsed = parse_config([word, "list"])
    assert config.debug is value and parsed.operands == ["list"]


def test_every_option_is_an_attribute() -> None:
    """The table, the object and the help text are about the same options."""
    config = Config()
    assert {setting.attribute for setting in SETTINGS.values()} == set(config.to_dict())
    assert {setting.attribute for setting in SETTINGS.values()} == set(Config.__annotations__)
    text = help_text(SYNTAX)
    for setting in SETTINGS.values():
        assert f"--{setting.key}" in text
        setting.validate(setting.default)
        assert Config.__annotations__[setting.attribute] == type(setting.default).__name__
    assert Config.from_dict(config.to_dict()).to_dict() == config.to_dict()


def test_page() -> None:
    """docs/options.md is what `make docs` makes of the table."""
    assert (ROOT / "docs" / "options.md").read_text() == render()


@pytest.mark.parametrize("name", REFUSED)
def test_options_of_others(name: str) -> None:
    """gVisor's options that there are not say why, or what to use instead; also in annotations."""
    assert name not in SETTINGS
    for word in (f"--{name}", f"--{name}=1"):
        with pytest.raises(RunscError) as caught:
            parse_config([word, "list"])
        assert str(caught.value) == f"--{name}: {REFUSED[name]}"
    with pytest.raises(RunscError) as caught:
        override_by_annotations(Config(), {f"dev.gvisor.flag.{name}": "true"})
    assert REFUSED[name] in str(caught.value)
    if "use --" in REFUSED[name]:
        replacement = REFUSED[name].rpartition("use --")[2].split("=")[0].split()[0]
        assert replacement in SETTINGS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("none", ("none", "none", "", "")),
        ("root:memory", ("root", "memory", "", "")),
        ("all:self", ("all", "self", "", "")),
        ("root:dir=/var/tmp,size=1g", ("root", "dir", "/var/tmp", "1g")),
        ("all:memory,size=50%", ("all", "memory", "", "50%")),
    ],
)
def test_overlay(text: str, parts: tuple[str, str, str, str]) -> None:
    """gVisor's forms."""
    overlay = Overlay.parse(text)
    assert (overlay.mounts, overlay.medium, overlay.directory, overlay.size) == parts


@pytest.mark.parametrize(
    "text",
    [
        "", "memory", "root", "root:", "some:memory", "root:disk", "root:dir=", "root:dir=tmp",
        "all:memory,size=", "all:memory,size=x", "all:memory,size=0", "all:memory,mode=0",
        "all:memory,size=1,size=2", "none,size=1",
    ],
)  # fmt: skip
def test_no_overlay(text: str) -> None:
    """What is no value names those that are."""
    with pytest.raises(RunscError, match="--overlay2 .*(use none, or root:|absolute path)"):
        Config(overlay2=text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--debug=maybe", "x"], "--debug 'maybe': use true or false"),
        (["--strace-log-size", "-1", "x"], "--strace-log-size '-1': use a whole number"),
        (["--network", "wifi", "x"], "--network 'wifi': use none or host or sandbox"),
        (["--platform=kvm", "x"], "--platform 'kvm': use ptrace"),
        (["--wings", "x"], "unknown option --wings"),
    ],
)
def test_wrong_words(words: list[str], message: str) -> None:
    """Refused with what is possible."""
    with pytest.raises(RunscError) as caught:
        parse_config(words)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"wings": True}, "there is no option 'wings'"),
        ({"debug": "true"}, "--debug 'true': not a bool"),
        ({"strace_log_size": True}, "--strace-log-size True: not a int"),
        ({"network": "wifi"}, "--network 'wifi': use none"),
        ({"strace_log_size": -1}, "--strace-log-size '-1': use a whole number"),
        ({"directfs": True}, "not offered: only the gofer opens files"),
    ],
)
def test_wrong_values(values: dict[str, str | bool], message: str) -> None:
    """Of Python calls and of the wire."""
    with pytest.raises(RunscError) as caught:
        Config(**values)
    assert message in str(caught.value)


def test_annotations() -> None:
    """What weakens nothing may be set; the rest needs a flag of the command line."""
    config = Config(debug_log="/log")
    override_by_annotations(
        config,
        {
            "dev.gvisor.flag.strace": "true",
            "dev.gvisor.flag.overlay2": "root:memory",
            "dev.gvisor.flag.oci-seccomp": "true",
            "io.kubernetes.pod": "x",
        },
    )
    assert (config.strace, config.overlay2, config.oci_seccomp) == (True, "root:memory", True)
    for name, value in (("network", "host"), ("oci-seccomp", "false"), ("root", "/")):
        with pytest.raises(RunscError, match="flag override disabled, use --allow-flag-override"):
            override_by_annotations(config, {f"dev.gvisor.flag.{name}": value})
    for value in ("all:dir=/tmp", "root:dir=/var/tmp,size=1g"):
        with pytest.raises(RunscError, match="flag override disabled"):
            override_by_annotations(config, {"dev.gvisor.flag.overlay2": value})
    with pytest.raises(RunscError, match="annotation dev.gvisor.flag.debug: --debug 'x': use true"):
        override_by_annotations(config, {"dev.gvisor.flag.debug": "x"})
    with pytest.raises(RunscError, match="there is no option 'wings'"):
        override_by_annotations(config, {"dev.gvisor.flag.wings": "1"})
    config.allow_flag_override = True
    override_by_annotations(config, {"dev.gvisor.flag.network": "host"})
    assert config.network == "host"


def test_bundles_of_options() -> None:
    """Several options under one name; an annotation of their own comes before it."""
    name = "dev.gvisor.bundle.experimental-high-performance"
    config = Config()
    override_by_annotations(config, {name: "true"})
    assert config.overlay2 == "root:self"
    config = Config()
    override_by_annotations(config, {"dev.gvisor.flag.overlay2": "root:memory", name: "true"})
    assert config.overlay2 == "root:memory"
    config = Config()
    override_by_annotations(config, {name: "false"})
    assert config.overlay2 == "none"
    for annotations in ({name: "maybe"}, {"dev.gvisor.bundle.wings": "true"}):
        with pytest.raises(RunscError, match="use true or false|there is no bundle 'wings'"):
            override_by_annotations(config, annotations)


def test_default_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's runtime directory, else a place of the user's own."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_root() == "/run/user/7/runsc-py"
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    assert default_root() == "/tmp/runsc-py-7"


@pytest.mark.parametrize("line_format", ["text", "json", "json-k8s"])
def test_log_formats(tmp_path: Path, line_format: str) -> None:
    """What engines parse: a line for each message, whatever is in it."""
    path = tmp_path / "log"
    log = open_runtime_log(Config(log=str(path), log_format=line_format))
    log.debug("hidden")
    log.warning("first")
    log.report('a "quoted"\nline')
    first, second = path.read_text().splitlines()
    if line_format == "text":
        assert first.startswith('time="') and first.endswith('" level=warning msg="first"')
        assert second.endswith('level=error msg="a \\"quoted\\"\\nline"')
        return
    name = "msg" if line_format == "json" else "log"
    entry = json.loads(second)
    assert (entry["level"], entry[name]) == ("error", 'a "quoted"\nline')
    assert set(entry) == {"level", name, "time"}


def test_log_that_cannot_be_opened() -> None:
    """The option is named."""
    with pytest.raises(RunscError, match="--log /nowhere/log: No such file"):
        open_runtime_log(Config(log="/nowhere/log"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--strace", "x"], "--strace: there is no log for it; say where with --debug-log FILE"),
        (["--overlay2=root:memory", "--file-access=shared", "x"], "use --overlay2=none"),
    ],
)
def test_options_that_do_not_go_together(words: list[str], message: str) -> None:
    """Refused with what is to be done, also when a bundle's author asks."""
    with pytest.raises(RunscError, match=message):
        parse_config(words)
    with pytest.raises(RunscError, match="--strace: there is no log for it"):
        override_by_annotations(Config(), {"dev.gvisor.flag.strace": "true"})
