"""Completion of options before the command and of containers, in each shell."""

import os
import shutil
import subprocess

import pytest

from harness.containers import BUSYBOX, WAIT, Engine
from harness.sandbox import EXECUTABLE

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
BASH = """
source <(runsc-py completion bash)
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_runsc_py
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compdef() {{ : }}
_describe() {{ print -l ${{(P)2%%:*}} }}
_files() {{ print files }}
_arguments() {{
    for word; do
        [[ $word == 1:container:* ]] && ${{word##*:}}
    done
}}
compadd() {{ print -l ${{(P)2}} }}
source <(runsc-py completion zsh)
words=({words})
CURRENT=$#words
_runsc_py
"""
FISH = "source (runsc-py completion fish | psub); complete -C {line}"


def complete(engine: Engine, shell: str, script: str) -> list[str]:
    """What a shell offers."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed; Debian's package is {shell}")
    environment = {
        **os.environ,
        "PATH": f"{os.path.dirname(EXECUTABLE)}:{os.environ['PATH']}",
        "XDG_RUNTIME_DIR": str(engine.root.parent / "runtime"),
        "HOME": str(engine.folder),
    }
    done = subprocess.run(
        [shell, "-c", script], capture_output=True, text=True, timeout=60, env=environment
    )
    return [line.partition("\t")[0] for line in done.stdout.splitlines()]


def quoted(words: list[str]) -> str:
    """For a shell's array."""
    return " ".join(f"'{word}'" for word in words)


@pytest.fixture
def several(engine: Engine) -> Engine:
    """Containers `web` and `worker`, also where commands look without --root."""
    for name in ("web", "worker"):
        engine.create(name, *WAIT)
    runtime = engine.root.parent / "runtime"
    runtime.mkdir()
    (runtime / "runsc-py").symlink_to(engine.root)
    return engine


def test_bash(several: Engine) -> None:
    """Also behind options before the command, which bash takes apart at `=`."""

    def offered(*words: str) -> list[str]:
        return complete(several, "bash", BASH.format(words=quoted(["runsc-py", *words])))

    assert offered("kill", "") == ["web", "worker"]
    assert offered("exec", "--tty", "wo") == ["worker"]
    assert offered("--root", str(several.root), "kill", "--all", "we") == ["web"]
    assert offered("--root", "=", str(several.root), "delete", "") == ["web", "worker"]
    assert offered("--root", "/nowhere", "kill", "") == [""]
    assert offered("--log-form") == ["--log-format"]
    assert offered("--log-format", "js") == ["json", "json-k8s"]
    assert "kill" in offered("--debug", "ki")


def test_zsh(several: Engine) -> None:
    """The same words by zsh's own functions, which are not there without a terminal."""

    def offered(*words: str) -> list[str]:
        return complete(several, "zsh", ZSH.format(words=quoted(["runsc-py", *words])))

    assert offered("kill", "") == ["web", "worker"]
    assert offered("--root", str(several.root), "state", "") == ["web", "worker"]
    assert offered("--root=/nowhere", "state", "") == [""]
    assert "kill" in offered("--debug", "")
    assert offered("--log", "") == ["files"]


def test_fish(several: Engine) -> None:
    """Ids and options."""

    def offered(line: str) -> list[str]:
        return complete(several, "fish", FISH.format(line=quoted([line])))

    assert offered("runsc-py kill ") == ["web", "worker"]
    assert "--log-format" in offered("runsc-py --log-f")
    assert "--console-socket" in offered("runsc-py create --cons")
