"""config.json, the state and `features` beside the specification's own JSON schemas."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

from harness.oci_bundle import DEFAULT
from harness.sandbox import EXECUTABLE
from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.oci.default import default_spec
from runsc_py.runsc.oci.reading import decode
from runsc_py.runsc.oci.spec import Spec

FOLDER = Path(__file__).parent / "schema"
#: other operating systems: their presence alone is an error of ours
FOREIGN = ("solaris", "windows", "vm", "zos", "freebsd")

#: places where we take more than the schema does
LAXER = {
    ("linux", "devices", "#", "fileMode"),  # Docker gives the type of the file as well
    ("linux", "rootfsPropagation"),  # runc's rprivate and rslave; checked by validation.py
}
#: places where we take less
STRICTER = {
    ("linux", "timeOffsets"),  # the schema does not look into the offsets of unknown clocks
}


def validator(name: str) -> Draft4Validator:
    """Of one of the schemas."""
    documents = {path.name: json.loads(path.read_text()) for path in FOLDER.glob("*.json")}
    for system in FOREIGN:
        documents["config-schema.json"]["properties"].pop(system, None)
    resources = [
        (file, Resource.from_contents(document, default_specification=DRAFT4))
        for file, document in documents.items()
    ]
    registry = Registry().with_resources(resources)
    return Draft4Validator({"$ref": name}, registry=registry)


CONFIGURATION = validator("config-schema.json")

#: every member that Linux has at least once
FULL: dict[str, Any] = json.loads((FOLDER / "example.json").read_text())

PATHS = []


def collect(value: Any, path: tuple[str | int, ...] = ()) -> None:
    """Every place in a document."""
    PATHS.append(path)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(item, dict | list):
            collect(item, (*path, key))
        else:
            PATHS.append((*path, key))


collect(FULL)
PATHS.remove(())

DELETED = "<deleted>"
VALUES = st.sampled_from(
    [
        "", "x", "/x", -1, 0, 5, 1 << 31, 1 << 32, 1 << 63, 1 << 64, -(1 << 63) - 1, 1.5, True,
        [], ["x"], [1], [{}], {}, {"a": 1}, {"a": "b"}, {"a": {}}, DELETED,
    ]
)  # fmt: skip


def changed(path: tuple[str | int, ...], value: Any) -> Any:
    """The full document with another value at one place."""
    document = copy.deepcopy(FULL)
    node: Any = document
    for key in path[:-1]:
        node = node[key]
    if value == DELETED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return document


def our_objection(document: Any) -> str:
    """Why we would not take a configuration; empty when we do."""
    try:
        decode(Spec, json.dumps(document).encode())
    except ValueError as error:
        return str(error)
    return ""


def test_both_take_what_is_right() -> None:
    """The specification's example, what `spec` writes, what other tests use."""
    for document in (FULL, DEFAULT, json.loads(default_spec(["sh"], "/", ""))):
        CONFIGURATION.validate(document)
        assert our_objection(document) == ""


@settings(max_examples=150)
@given(st.sampled_from(PATHS), VALUES)
@example(("process", "rlimits", 0, "hard"), 1 << 64)
@example(("process", "user", "uid"), -1)
@example(("process",), {})
@example(("linux", "resources", "devices"), {})
@example(("linux", "rootfsPropagation"), "rprivate")
@example(("linux", "timeOffsets"), {"a": 1})
def test_both_take_and_refuse_the_same(path: tuple[str | int, ...], value: Any) -> None:
    """A wrong type, a number out of range, a missing member, at every place of a document."""
    document = changed(path, value)
    ours = our_objection(document)
    theirs = [error.message for error in CONFIGURATION.iter_errors(document)]
    place = tuple(key if isinstance(key, str) else "#" for key in path)
    if place not in LAXER:
        assert ours or not theirs, (path, value, theirs)
    if place not in STRICTER:
        assert theirs or not ours, (path, value, ours)


def test_unknown_members_are_warnings() -> None:
    """As the specification asks: extensions are none of our business."""
    document = changed(("process", "user", "uid"), 5)
    document["process"]["wings"] = document["new"] = {}
    CONFIGURATION.validate(document)
    _, warnings = decode(Spec, json.dumps(document).encode())
    for place in ("$.process.wings", "$.new"):
        assert f"unknown member {place} is ignored" in warnings


def test_state() -> None:
    """What `state` prints and hooks are given."""
    record = ContainerRecord("name", "name")
    record.spec = {"ociVersion": "1.2.0", "annotations": {"a": "b"}}
    record.bundle = "/bundle"
    validator("state-schema.json").validate(record.oci_state())


@pytest.mark.parametrize("options", [[], ["--oci-seccomp"]])
def test_features(options: list[str]) -> None:
    """What `features` prints."""
    words = [EXECUTABLE, *options, "features"]
    done = subprocess.run(words, capture_output=True, check=True, timeout=60)
    validator("features-schema.json").validate(json.loads(done.stdout))
