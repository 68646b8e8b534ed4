"""An OCI image layout: from `index.json` to one image for this machine.

The OCI image-spec's image-layout.md, image-index.md and manifest.md.  Every blob is found by its
digest, and has the length and the digest that the document above it says.
"""

from collections.abc import Iterator

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.images import documents
from runsc_py.runsc.images.documents import LARGEST_DOCUMENT, Document, digest, mapping, text
from runsc_py.runsc.images.manifest import (
    ARCHITECTURE,
    OPERATING_SYSTEM,
    Manifest,
    check_platform,
    read_manifest,
)
from runsc_py.runsc.images.names import matches
from runsc_py.runsc.images.sources import Blob, Source

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CONFIG_TYPES = (
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
)
LAYER_TYPES = (
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar",
)
#: how a media type says that a layer is compressed; its first bytes say with what
_COMPRESSIONS = ("", "+gzip", "+zstd", ".gzip", ".zstd")

NAME = "org.opencontainers.image.ref.name"
FULL_NAME = "io.containerd.image.name"
#: on manifests that buildkit adds about others
ATTESTATION = "vnd.docker.reference.type"
#: indices within indices
DEEPEST_INDEX = 4


class _Choice:
    """A manifest that may be meant."""

    __slots__ = ("descriptor", "name", "platform")

    def __init__(self, descriptor: Document, name: str, platform: Document) -> None:
        self.descriptor = descriptor
        self.name = name
        self.platform = platform

    def __str__(self) -> str:
        return self.name or text(self.descriptor, "digest")


def is_layout(source: Source) -> bool:
    """Whether a source is an OCI layout."""
    return source.has("index.json") and source.has("oci-layout")


def read_layout(source: Source, wanted: str) -> Manifest:
    """The image called `wanted`, or the only one.  Raises ArchiveError."""
    index = _decode(source.blob("index.json").read(LARGEST_DOCUMENT), "index.json")
    choices = _named(documents.objects(index, "manifests"), wanted)
    found = [
        choice
        for choice in choices
        for choice in _expand(source, choice, 0)
        if _is_ours(choice.platform)
    ]
    if not found:
        platforms = {
            f"{text(choice.platform, 'os')}/{text(choice.platform, 'architecture')}"
            for choice in choices
            for choice in _expand(source, choice, 0)
        }
        raise ArchiveError(
            f"there is no image for {OPERATING_SYSTEM}/{ARCHITECTURE} in it, only for "
            + ", ".join(sorted(platforms))
            if platforms
            else "there is no image in it"
        )
    # Plain amd64 before v2, v3: what is for later processors may not run.
    found.sort(key=lambda choice: text(choice.platform, "variant"))
    best = found[0]
    rivals = {text(choice.descriptor, "digest") for choice in found if _rank(choice) == _rank(best)}
    if len(rivals) > 1:
        names = ", ".join(sorted({str(choice) for choice in found}))
        raise ArchiveError(f"there are several images in it; add #NAME, one of: {names}")
    return _read_image(source, best)


def _rank(choice: _Choice) -> str:
    return text(choice.platform, "variant")


def _decode(data: bytes, what: str) -> Document:
    return documents.as_mapping(documents.decode(data, what), what)


def _named(descriptors: list[Document], wanted: str) -> list[_Choice]:
    """Those that are called `wanted`; all when it is empty."""
    choices = []
    for descriptor in descriptors:
        annotations = mapping(descriptor, "annotations")
        full, short = text(annotations, FULL_NAME), text(annotations, NAME)
        choices.append(_Choice(descriptor, full or short, mapping(descriptor, "platform")))
        choices[-1].name = full or short
        if wanted and not any(
            matches(wanted, name) for name in (full, short, text(descriptor, "digest"))
        ):
            choices.pop()
    if wanted and not choices:
        names = sorted(
            {
                text(mapping(descriptor, "annotations"), FULL_NAME)
                or text(mapping(descriptor, "annotations"), NAME)
                or text(descriptor, "digest")
                for descriptor in descriptors
            }
        )
        raise ArchiveError(f"there is no image {wanted!r} in it, only {', '.join(names)}")
    return choices


def _expand(source: Source, choice: _Choice, depth: int) -> Iterator[_Choice]:
    """The manifests that a descriptor leads to; those of attestations and the like are left out."""
    descriptor = choice.descriptor
    kind = text(descriptor, "mediaType")
    if kind in INDEX_TYPES:
        if depth == DEEPEST_INDEX:
            raise ArchiveError("its indices are nested too deeply")
        index = _decode(_blob(source, descriptor).read(LARGEST_DOCUMENT), "an index")
        for inner in documents.objects(index, "manifests"):
            platform = mapping(inner, "platform")
            yield from _expand(source, _Choice(inner, choice.name, platform), depth + 1)
    elif (kind in MANIFEST_TYPES or not kind) and ATTESTATION not in mapping(
        descriptor, "annotations"
    ):
        yield choice


def _is_ours(platform: Document) -> bool:
    """Whether a platform is this machine's; one that is not said is seen in the configuration."""
    try:
        check_platform(text(platform, "os"), text(platform, "architecture"))
    except ArchiveError:
        return False
    return True


def _blob(source: Source, descriptor: Document) -> Blob:
    wanted = digest(descriptor, "digest")
    size = documents.size(descriptor, "size")
    return source.blob("blobs/" + wanted.replace(":", "/"), size=size, digest=wanted)


def _read_image(source: Source, choice: _Choice) -> Manifest:
    manifest = _decode(_blob(source, choice.descriptor).read(LARGEST_DOCUMENT), "a manifest")
    config = mapping(manifest, "config")
    if text(config, "mediaType") not in CONFIG_TYPES:
        raise ArchiveError(f"it is no image to run, but {text(config, 'mediaType')!r}")
    layers = []
    for descriptor in documents.objects(manifest, "layers"):
        kind = text(descriptor, "mediaType")
        if not any(kind == base + suffix for base in LAYER_TYPES for suffix in _COMPRESSIONS):
            raise ArchiveError(f"a layer is of type {kind!r}, which is not supported")
        layers.append(_blob(source, descriptor))
    return read_manifest(choice.name, _blob(source, config), layers)
