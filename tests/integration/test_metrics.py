"""`export-metrics`, `metric-metadata`: what Prometheus' own parser makes of them."""

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness.containers import BUSYBOX, Engine

pytestmark = pytest.mark.skipif(BUSYBOX is None, reason="Debian: busybox-static")
SCRIPT = "busybox seq 1000 > /dev/null; echo done > /dev/shm/done; exec busybox sleep 600"


def families(text: str) -> dict[str, tuple[str, dict[tuple[tuple[str, str], ...], float]]]:
    """Name → type, and values by labels; every family has a text."""
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        values = {tuple(sorted(one.labels.items())): one.value for one in family.samples}
        assert len(values) == len(family.samples)
        found[family.name] = family.type, values
    return found


@pytest.fixture
def running(engine: Engine) -> Engine:
    """A container `a` that has done something and sleeps."""
    engine.create("a", "sh", "-c", SCRIPT)
    assert engine("start", "a").returncode == 0
    while engine("read", "a", "/dev/shm/done").stdout != "done\n":
        assert engine.status("a") == "running"
    return engine


def test_export(running: Engine) -> None:
    """Values that can be true."""
    text = running("export-metrics", "a").stdout
    found = families(text)
    sandbox, container = ("sandbox", "a"), ("container", "a")
    kind, values = found["runsc_py_tasks"]
    assert (kind, values) == ("gauge", {(sandbox,): 1})
    kind, values = found["runsc_py_tasks_started"]
    assert kind == "counter" and values[sandbox,] >= 2
    assert found["runsc_py_container_written_bytes"][1][container, sandbox] >= 3893
    kinds = {dict(labels)["kind"] for labels in found["runsc_py_memory_bytes"][1]}
    assert kinds == {"anonymous", "mapped", "tmpfs", "sentry"}
    assert found["runsc_py_stops"][1][sandbox,] > 20
    assert found["runsc_py_container_gofer_requests"][1][container, sandbox] > 0
    assert found["runsc_py_open_file_descriptions"][1][sandbox,] >= 1
    again = families(running("export-metrics", "a").stdout)
    for name, (kind, values) in found.items():
        if kind == "counter":
            assert all(again[name][1][labels] >= value for labels, value in values.items()), name


def test_choice_and_prefix(running: Engine) -> None:
    """Names without the prefix are looked at."""
    options = ("--exporter-prefix", "x:", "--sandbox-metrics-filter", "^tasks$|^pau")
    found = families(running("export-metrics", *options, "a").stdout)
    assert set(found) == {"x:tasks", "x:paused"}
    document = json.loads(running("export-metrics", "--json", *options, "a").stdout)
    assert document["samples"] == [
        {"name": "x:paused", "labels": {}, "value": 0},
        {"name": "x:tasks", "labels": {}, "value": 1},
    ]
    for options in (("--exporter-prefix", "1-"), ("--sandbox-metrics-filter", "(")):
        refused = running("export-metrics", *options, "a")
        assert refused.returncode == 125 and refused.stderr.startswith(f"runsc-py: {options[0]}")


def test_metadata(engine: Engine) -> None:
    """Without any sandbox; the same metrics that a sandbox has."""
    found = families(engine("metric-metadata").stdout)
    assert all(not values for _, values in found.values())
    document = json.loads(engine("metric-metadata", "--json").stdout)
    names = {one["name"].removesuffix("_total") for one in document["metrics"]}
    assert names == set(found)
    for one in document["metrics"]:
        assert one["name"].endswith("_total") == (one["type"] == "counter")


def test_final_metrics(engine: Engine) -> None:
    """Written when the sandbox ends, in a file that was opened before it began."""
    path = engine.folder / "metrics"
    engine.options = ["--final-metrics-log", str(path)]
    bundle = engine.bundle("sh", "-c", "busybox seq 1000 > /dev/null; exit 3")
    assert engine("run", "--bundle", bundle, "a").returncode == 3
    found = families(path.read_text())
    assert found["runsc_py_tasks_started"][1][("sandbox", "a"),] >= 2
    assert found["runsc_py_container_gofer_requests"][1][("container", "a"), ("sandbox", "a")] > 0


def test_a_container_that_is_none(engine: Engine) -> None:
    """One line."""
    done = engine("export-metrics", "nobody")
    assert done.returncode == 125 and "does not exist" in done.stderr
