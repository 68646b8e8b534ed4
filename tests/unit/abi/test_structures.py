"""Every declared structure has the sizes and offsets of the headers, however it is read."""

import struct
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.abi import source, structures
from harness.compiler import compile_c
from runsc_py.sentry.abi.structure import Structure

STRUCTURES = structures()
Layout = dict[str, dict[str, tuple[int, int]]]


@pytest.fixture(scope="module")
def layouts(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """(offset, size) by structure and field; the field "-" is the structure itself."""
    result: Layout = {}
    for library in (False, True):
        path = tmp_path_factory.mktemp("abi") / ("abi_library.c" if library else "abi_kernel.c")
        path.write_text(source(library))
        output = subprocess.run([compile_c(path)], check=True, capture_output=True, text=True)
        for line in output.stdout.splitlines():
            name, field, offset, size = line.split()
            result.setdefault(name, {})[field] = (int(offset), int(size))
    return result


@pytest.mark.parametrize(("name", "structure"), STRUCTURES, ids=[name for name, _ in STRUCTURES])
def test_layout_is_the_headers(name: str, structure: Structure, layouts: Layout) -> None:
    """Size, and offset and size of each field."""
    expected = layouts[name]
    assert structure.size == expected["-"][1]
    formats = dict(structure.fields)
    ours = {
        field: (offset, struct.calcsize("<" + formats[field]))
        for field, offset in structure.offsets().items()
        if field in structure.names
    }
    assert ours == {field: place for field, place in expected.items() if field != "-"}


@pytest.mark.parametrize(("name", "structure"), STRUCTURES, ids=[name for name, _ in STRUCTURES])
def test_construct_layout_agrees(name: str, structure: Structure) -> None:
    """The construct layout has the same size and reads the same values from any bytes."""
    layout = structure.construct()
    assert layout.sizeof() == structure.size

    @settings(max_examples=20)
    @given(st.binary(min_size=structure.size, max_size=structure.size))
    def agree(data: bytes) -> None:
        values = structure.as_dict(data)
        parsed = layout.parse(data)
        assert {field: parsed[field] for field in structure.names} == values
        packed = structure.pack(*values.values())
        assert layout.build(values) == packed
        assert structure.as_dict(packed) == values

    agree()
