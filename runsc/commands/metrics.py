"""`runsc-py export-metrics ID` and `metric-metadata`: what a sandbox has counted."""

import re
import sys

from runsc_py.runsc.arguments import CONTAINER, Option, Parsed, Syntax
from runsc_py.runsc.commands.container_command import parse_or_help, with_container
from runsc_py.runsc.config import Config
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.prometheus import PREFIX, exposition
from runsc_py.runsc.runtime_log import RuntimeLog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.runsc.containers.container import Container
    from runsc_py.runsc.control.inspection import Metric

SYNTAX = Syntax(
    "runsc-py [options] export-metrics [options] ID | metric-metadata [options]",
    "Print what the sandbox of a container has counted in Prometheus' text format, or which "
    "metrics there are.",
    (
        (
            "options",
            (
                Option("--exporter-prefix", "PREFIX", f"of all names (default: {PREFIX})"),
                Option(
                    "--sandbox-metrics-filter", "REGEX", "only metrics whose names, without the "
                    "prefix, have this in them",
                ),
                Option("--json", help="as JSON"),
            ),
        ),
    ),
    operands=CONTAINER,
    epilog="""\
examples:
  runsc-py export-metrics web
  runsc-py export-metrics --sandbox-metrics-filter '^memory|^cpu' web
  runsc-py metric-metadata --json
""",
)  # fmt: skip
_PREFIX = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")


def _chosen(parsed: Parsed, metrics: "Sequence[Metric]") -> "list[Metric]":
    text = parsed.last("sandbox-metrics-filter") or ""
    try:
        wanted = re.compile(text)
    except re.error as error:
        raise RunscError(f"--sandbox-metrics-filter {text!r}: {error}") from None
    return [metric for metric in metrics if wanted.search(metric.name)]


def _prefix(parsed: Parsed) -> str:
    prefix = parsed.last("exporter-prefix")
    if prefix is None:
        return PREFIX
    if prefix and not _PREFIX.fullmatch(prefix):
        raise RunscError(f"--exporter-prefix {prefix!r}: letters, digits, _ and : only")
    return prefix


def _export(container: "Container", parsed: Parsed) -> int:
    from runsc_py.runsc.control.inspector import Inspector

    prefix = _prefix(parsed)
    with container.client() as client:
        inspector = Inspector(client)
        metrics, samples = _chosen(parsed, inspector.metrics()), inspector.samples()
    if parsed.has("json"):
        names = {metric.name for metric in metrics}
        document = [
            {"name": prefix + one.name, "labels": one.labels, "value": one.value}
            for one in samples
            if one.name in names
        ]
        _print_json({"version": 1, "sandbox": container.record.sandbox_id, "samples": document})
    else:
        labels = {"sandbox": container.record.sandbox_id}
        sys.stdout.write(exposition(metrics, samples, prefix, labels))
    return 0


def _metadata(parsed: Parsed) -> int:
    from runsc_py.runsc.services.metrics import declared

    prefix, metrics = _prefix(parsed), _chosen(parsed, declared())
    if parsed.has("json"):
        document = [
            {"name": prefix + one.name, "type": one.kind, "help": one.help, "labels": one.labels}
            for one in metrics
        ]
        _print_json({"version": 1, "metrics": document})
    else:
        sys.stdout.write(exposition(metrics, (), prefix, {}))
    return 0


def _print_json(document: dict[str, object]) -> None:
    import json

    sys.stdout.write(json.dumps(document, indent=1) + "\n")


def main(name: str, words: list[str], config: Config, log: RuntimeLog) -> int:
    """Print them."""
    if name == "export-metrics":
        return with_container(SYNTAX, name, words, config, log, _export)
    parsed = parse_or_help(SYNTAX, name, words)
    if parsed is None:
        return 0
    if parsed.operands:
        raise RunscError("metric-metadata takes no arguments")
    return _metadata(parsed)
