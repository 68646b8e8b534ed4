"""The options before the command: one object from the command line, annotations and Python."""

import json
import os
from pathlib import Path

import pytest

from runsc_py.runsc.arguments import help_text
from runsc_py.runsc.config import (
    OPTIONS,
    SYNTAX,
    Config,
    default_root,
    override_by_annotations,
    parse_config,
)
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.runtime_log import open_runtime_log


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
    assert {name.replace("_", "-") for name in config.to_dict()} == set(OPTIONS)
    text = help_text(SYNTAX)
    for option in OPTIONS.values():
        assert f"--{option.key}" in text
        value = getattr(config, option.key.replace("-", "_"))
        assert not option.choices or value in option.choices
    assert Config.from_dict(config.to_dict()).to_dict() == config.to_dict()


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
    with pytest.raises(RunscError, match="there is no option 'wings'"):
        override_by_annotations(config, {"dev.gvisor.flag.wings": "1"})
    config.allow_flag_override = True
    override_by_annotations(config, {"dev.gvisor.flag.network": "host"})
    assert config.network == "host"


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
