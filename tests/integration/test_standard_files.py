"""Standard input, output and error are the caller's: offsets, appending, pipes, closed ones.

Each case is a shell script that starts programs by `run`, which natively is nothing and inside
`runsc-py run`; what the script itself prints around them must be the same.
"""

import shlex
from pathlib import Path

import pytest

from harness import sandbox
from harness.differential import environment
from harness.processes import run
from harness.programs import PYTHON

INPUT = "printf 'line1\\nline2\\nline3\\n' > in; "
CASES = {
    "shared input offset": INPUT + "{ run sh -c 'read a; echo got $a'; cat; } < in",
    "appending": "echo start > out; { run echo more; echo between; run sh -c 'echo e >&2'; } "
    ">> out 2>&1; cat out",
    "both into one file": "run sh -c 'echo one; echo two >&2; echo three' > both 2>&1; cat both",
    "overwriting": "echo 0123456789 > out; run sh -c 'printf ab' 1<> out; cat out",
    "reader goes first": "run sh -c 'yes; echo $? >&2' 2> status | head -2; cat status",
    "writer without end": "yes | run head -2",
    "much into a pipe": "run seq 1 100000 | tail -1",
    "much from a pipe": "seq 1 100000 | run sort -rn | head -1",
    "closed output": "run sh -c 'exec >&-; echo x; echo $? >&2' 2>&1 | grep -c .",
    "closed input": "run cat <&-; echo $?",
    "opened again": INPUT + "run sh -c 'head -c 6 >/dev/null; cat /dev/stdin | head -1' < in",
    "opened again by number": INPUT + "run sh -c 'cat /proc/self/fd/0 | wc -l' < in",
    "opened again for writing": "run sh -c 'echo x > /dev/stdout; echo y >> /dev/fd/1' | cat",
    "truncated": "echo 0123456789 > out; run sh -c ': > /dev/stdout' >> out; wc -c < out",
    "seeking": INPUT + "run dd if=/dev/stdin bs=5 skip=1 count=1 2>/dev/null < in",
    "mapped": INPUT + f"run {PYTHON} -c 'import mmap; print(mmap.mmap(0, 0, prot=1)[:5])' < in",
    "what they are": "run stat -L -c %F /dev/stdin /dev/stdout < /dev/null | cat",
    "empty": "run sh -c : < /dev/null",
    "flags stay the caller's": f"{{ run {PYTHON} -c 'import os; os.set_blocking(0, False)'; "
    f"{PYTHON} -c 'import os; print(os.get_blocking(0) or natively)'; }} < <(sleep 0.5)",
}


@pytest.mark.parametrize("name", CASES)
def test_same_around_the_program(name: str, tmp_path: Path) -> None:
    outputs = []
    for prefix in ("env", shlex.join(map(str, sandbox.command([])))):
        place = tmp_path / str(len(outputs))
        place.mkdir()
        natively = "True" if prefix == "env" else "False"
        script = CASES[name].replace("natively", natively)
        finished = run(
            ["bash", "-c", f'run() {{ {prefix} "$@"; }}; {script}'],
            cwd=place,
            env=environment(),
        )
        assert not finished.timed_out and not finished.leaked, name
        outputs.append((finished.status, finished.stdout, finished.stderr))
    assert outputs[0] == outputs[1]
