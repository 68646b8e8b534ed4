"""What `docker save` writes: `manifest.json` with the names of a configuration and of layers.

Old archives call the configuration `DIGEST.json` and a layer `ID/layer.tar`, perhaps a link to
another; new ones are OCI layouts besides and name blobs.  Either way the configuration has the
digests of the layers' content, and its own is in its name.
"""

import os

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.images import documents
from runsc_py.runsc.images.manifest import Manifest, read_manifest
from runsc_py.runsc.images.names import matches
from runsc_py.runsc.images.sources import Blob, Source


def is_docker_archive(source: Source) -> bool:
    """Whether a source has a `manifest.json` as docker writes it."""
    return source.has("manifest.json") and bool(_images(source))


def _images(source: Source) -> list[documents.Document]:
    """Its images; none when it is another `manifest.json`."""
    data = source.blob("manifest.json").read(documents.LARGEST_DOCUMENT)
    try:
        found = documents.decode(data, "manifest.json")
    except ArchiveError:
        return []
    if not isinstance(found, list):
        return []
    return [
        entry for entry in found if isinstance(entry, dict) and {"Config", "Layers"} <= set(entry)
    ]


def read_docker_archive(source: Source, wanted: str) -> Manifest:
    """The image called `wanted`, or the only one.  Raises ArchiveError."""
    images = _images(source)
    found = [image for image in images if not wanted or _is_called(image, wanted)]
    if not found:
        raise ArchiveError(f"there is no image {wanted!r} in it, only {_all_names(images)}")
    if len({documents.text(image, "Config") for image in found}) > 1:
        raise ArchiveError(
            f"there are several images in it; add #NAME, one of: {_all_names(found)}"
        )
    image = found[0]
    names = documents.texts(image, "RepoTags") or [""]
    name = next((name for name in names if wanted and matches(wanted, name)), names[0])
    config = _blob(source, documents.text(image, "Config"))
    layers = [_blob(source, path) for path in documents.texts(image, "Layers") or []]
    return read_manifest(name, config, layers)


def _is_called(image: documents.Document, wanted: str) -> bool:
    names = documents.texts(image, "RepoTags") or []
    return any(matches(wanted, name) for name in (*names, _config_digest(image)))


def _config_digest(image: documents.Document) -> str:
    return _digest_in(documents.text(image, "Config")) or ""


def _all_names(images: list[documents.Document]) -> str:
    names = [
        name
        for image in images
        for name in documents.texts(image, "RepoTags") or [_config_digest(image)]
    ]
    return ", ".join(names)


def _blob(source: Source, path: str) -> Blob:
    return source.blob(path, digest=_digest_in(path))


def _digest_in(path: str) -> str | None:
    """The digest that a name has: `DIGEST.json`, `blobs/sha256/DIGEST`; None when it has none."""
    directory, name = os.path.split(path)
    digits = name.removesuffix(".json")
    if directory not in ("", "blobs/sha256") or len(digits) != 64:
        return None
    try:
        return documents.check_digest(f"sha256:{digits}")
    except ArchiveError:
        return None
