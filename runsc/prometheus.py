"""Prometheus' text format."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runsc_py.runsc.control.inspection import Metric, Sample

#: of all names
PREFIX = "runsc_py_"
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})


def exposition(
    metrics: "Sequence[Metric]",
    samples: "Sequence[Sample]",
    prefix: str,
    labels: dict[str, str],
) -> str:
    """Prometheus' text format; `labels` are added to every sample."""
    lines = []
    for metric in metrics:
        name = prefix + metric.name
        text = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {metric.kind}"]
        for sample in samples:
            if sample.name == metric.name:
                shown = ",".join(
                    f'{key}="{value.translate(_ESCAPES)}"'
                    for key, value in {**labels, **sample.labels}.items()
                )
                lines.append(f"{name}{{{shown}}} {sample.value:.17g}")
    return "\n".join(lines) + "\n" if lines else ""
