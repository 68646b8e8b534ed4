"""`runsc-py images`: what `--image` has unpacked, and how to be rid of it."""

import sys
import time

from runsc_py.runsc.arguments import Option, Parsed, Syntax, help_text, parse
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.options import parse_duration
from runsc_py.runsc.text import printable, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from runsc_py.runsc.images.cache import ImageCache

#: digits of a digest that are shown
SHORT = 12
_UNITS = ("B", "KiB", "MiB", "GiB")

SYNTAX = Syntax(
    "runsc-py images [--json]\n"
    "       runsc-py images prune [--all] [--older-than TIME]\n"
    "       runsc-py images rm NAME|DIGEST…",
    "List the images that run --image has unpacked, or remove some. One that is in use stays.",
    (
        ("list", (Option("--json", help="one JSON document"),)),
        (
            "prune",
            (
                Option("--all", help="also images that have a name"),
                Option("--older-than", "TIME", "only those not used for so long: 12h, 30d"),
            ),
        ),
    ),
    operands=("prune", "rm"),
    epilog="""\
prune removes what interrupted runs have left, and images whose name another one has now.
They are in $RUNSC_PY_CACHE, or in runsc-py/images below $XDG_CACHE_HOME or ~/.cache.

examples:
  runsc-py images --json
  runsc-py images prune --older-than 30d
""",
)


def _describe(cache: "ImageCache") -> "list[dict[str, Any]]":
    """What is known of every image, the one that was used last first."""
    from runsc_py.runsc.images.cache import DamagedImageError

    names = cache.names()
    images = []
    for digest in cache.digests():
        try:
            image = cache.find(digest)
        except DamagedImageError:
            images.append({"digest": digest, "names": [], "size_bytes": 0, "damaged": True})
            images[-1] |= {"unpacked": 0, "used": 0}
            continue
        if image is None:
            continue  # somebody has just removed it
        record = image.record
        images.append(
            {
                "digest": digest,
                "names": sorted(name for name, other in names.items() if other == digest),
                "size_bytes": record["size"],
                "damaged": False,
                "files": record["entries"],
                "layers": record["layers"],
                "devices_skipped": record["devices_skipped"],
                "created": record["created"],
                "unpacked": record["unpacked"],
                "used": int(image.used),
                "config": record["config"],
                "root": image.root,
            }
        )
        image.close()
    return sorted(images, key=lambda image: image["used"], reverse=True)


def size_text(size: float) -> str:
    """A size for a person."""
    for unit in _UNITS:
        if size < 1024 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError


def _date(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))


def _table(images: "list[dict[str, Any]]") -> str:
    rows = [("NAME", "DIGEST", "SIZE", "UNPACKED", "LAST USED")]
    for image in images:
        digest = image["digest"].removeprefix("sha256:")[:SHORT]
        for name in image["names"] or ["<damaged>" if image["damaged"] else "<none>"]:
            rows.append(
                (
                    printable(name),
                    digest,
                    size_text(image["size_bytes"]),
                    _date(image["unpacked"]),
                    _date(image["used"]),
                )
            )
    return table(rows, "  ")


def _list(cache: "ImageCache", parsed: Parsed) -> None:
    images = _describe(cache)
    if parsed.has("json"):
        import json

        sys.stdout.write(json.dumps({"version": 1, "images": images}, indent=1) + "\n")
    elif images:
        sys.stdout.write(_table(images))


def _prune(cache: "ImageCache", parsed: Parsed) -> None:
    oldest = None
    if (text := parsed.last("older-than")) is not None:
        oldest = time.time() - parse_duration("--older-than", text)
    left = cache.sweep()
    if left:
        sys.stdout.write(f"removed what {left} interrupted runs had left\n")
    for image in _describe(cache):
        if image["names"] and not parsed.has("all"):
            continue
        if oldest is not None and image["used"] > oldest:
            continue
        _remove(cache, image, complains=False)


def _remove(cache: "ImageCache", image: "dict[str, Any]", *, complains: bool) -> None:
    name = printable(", ".join(image["names"]) or image["digest"])
    if cache.remove(image["digest"]):
        sys.stdout.write(f"removed {name}, {size_text(image['size_bytes'])}\n")
    elif complains:
        raise RunscError(f"{name} is in use by a run")
    else:
        sys.stdout.write(f"kept {name}, which is in use by a run\n")


def _rm(cache: "ImageCache", wanted: list[str]) -> None:
    from runsc_py.runsc.images.choosing import choose

    if not wanted:
        raise RunscError("images rm needs the name or the digest of an image")
    for name in wanted:
        digest = choose(cache, name, f"images rm {name}:")
        known = [image for image in _describe(cache) if image["digest"] == digest]
        _remove(cache, known[0], complains=True)


def main(name: str, arguments: list[str]) -> int:
    """List or remove."""
    parsed = parse(SYNTAX, arguments, "runsc-py images")
    what, *rest = parsed.operands or ["list"]
    # Options may stand behind the word too.
    after = parse(SYNTAX, rest, f"runsc-py images {what}")
    for key, values in after.values.items():
        parsed.values.setdefault(key, []).extend(values)
    if parsed.has("help"):
        sys.stdout.write(help_text(SYNTAX))
        return 0
    if what not in ("list", "prune", "rm"):
        raise RunscError(f"images {what!r}: use images, images prune or images rm")
    if what != "rm" and after.operands:
        raise RunscError(f"images {what} takes no names; see runsc-py images --help")
    given = {key for key in parsed.values if key not in ("help",)}
    allowed = {"list": {"json"}, "prune": {"all", "older-than"}, "rm": set()}[what]
    if given - allowed:
        raise RunscError(f"images {what} has no --{sorted(given - allowed)[0]}")
    from runsc_py.runsc.images.cache import ImageCache

    cache = ImageCache()
    try:
        if what == "list":
            _list(cache, parsed)
        elif what == "prune":
            _prune(cache, parsed)
        else:
            _rm(cache, after.operands)
    finally:
        cache.close()
    return 0
