"""From a file or a directory of the host to an image in the cache, everything verified.

A layer's digest is that of the bytes that were unpacked: it is taken in the same pass, and an
image with a wrong one is thrown away before anybody can find it.
"""

import os
import stat
import time

from runsc_py.runsc.archive.directories import disk_usage
from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.archive.reader import TarReader
from runsc_py.runsc.archive.streams import Measured, Peekable, decompressed, is_compressed
from runsc_py.runsc.archive.unpacker import Unpacker
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.images.cache import ROOT, ImageCache, StoredImage, source_key
from runsc_py.runsc.images.config import ImageConfig
from runsc_py.runsc.images.docker import is_docker_archive, read_docker_archive
from runsc_py.runsc.images.manifest import Layer, Manifest
from runsc_py.runsc.images.oci import is_layout, read_layout
from runsc_py.runsc.images.owners import write_owners
from runsc_py.runsc.images.progress import Progress
from runsc_py.runsc.images.reference import Reference
from runsc_py.runsc.images.sources import ArchiveSource, Blob, DirectorySource, Extent, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_COPY = 1 << 20
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC


def prepare(cache: ImageCache, reference: Reference) -> StoredImage:
    """The image of a source, unpacked if the cache has it not.  Raises RunscError."""
    assert reference.path is not None
    progress = Progress(f"image {os.path.basename(reference.path)}")
    try:
        return _prepare(cache, reference, reference.path, progress)
    except ArchiveError as error:
        raise RunscError(f"--image {reference.text}: {error}") from None
    except OSError as error:
        raise RunscError(f"--image {reference.text}: {error.strerror or error}") from None
    finally:
        progress.close()


def _prepare(cache: ImageCache, reference: Reference, path: str, progress: Progress) -> StoredImage:
    if os.path.isdir(path):
        with open(os.path.join(path, "index.json"), "rb") as index:
            key = source_key(os.fstat(index.fileno()), reference.name)
        image = _unpack_from(cache, DirectorySource(path), reference.name, progress)
    else:
        descriptor = os.open(path, _OPEN)
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise ArchiveError("it is neither a directory nor a file")
        key = source_key(status, reference.name)
        image = _prepare_archive(cache, descriptor, reference, progress)
    if key is not None:
        cache.set_source(key, image.digest)
    return image


def _unpack_from(cache: ImageCache, source: Source, wanted: str, progress: Progress) -> StoredImage:
    """The image of a source that was found to hold one.  Closes `source`."""
    try:
        if is_docker_archive(source):
            manifest = read_docker_archive(source, wanted)
        else:
            manifest = read_layout(source, wanted)
        return _unpack(cache, manifest, progress, layered=True)
    finally:
        source.close()


def _prepare_archive(
    cache: ImageCache, descriptor: int, reference: Reference, progress: Progress
) -> StoredImage:
    """An archive with an image in it, or with a file system.  Closes `descriptor`."""
    try:
        source = _image_in(cache, descriptor, progress)
        if source is not None:
            return _unpack_from(cache, source, reference.name, progress)
        if reference.name:
            raise ArchiveError("it is an archive of files, in which no image has a name")
        assert reference.path is not None
        return _unpack_plain(cache, descriptor, os.path.basename(reference.path), progress)
    finally:
        os.close(descriptor)


def _image_in(cache: ImageCache, descriptor: int, progress: Progress) -> Source | None:
    """The blobs of an archive that holds an image; None when it holds files."""
    size = os.fstat(descriptor).st_size
    if is_compressed(os.pread(descriptor, 8, 0)):
        progress.step("looking into it", size)
        content = decompressed(Measured(Extent(descriptor, 0, size), progress=progress.advance))
        names = (member.name.removeprefix(b"./") for member in TarReader(content))
        if not any(name in (b"manifest.json", b"oci-layout") for name in names):
            return None
        progress.step("decompressing it", size)
        content = decompressed(Measured(Extent(descriptor, 0, size), progress=progress.advance))
        descriptor = cache.scratch_file()
        while data := content.read(_COPY):
            os.write(descriptor, data)
    else:
        descriptor = os.dup(descriptor)
    source = ArchiveSource(descriptor)
    if is_docker_archive(source) or is_layout(source):
        return source
    source.close()
    return None


def _unpack_plain(cache: ImageCache, descriptor: int, name: str, progress: Progress) -> StoredImage:
    """An archive of files: an image of one layer that says nothing of itself."""
    size = os.fstat(descriptor).st_size
    progress.step("reading it", size)
    measured = Measured(Extent(descriptor, 0, size), progress=progress.advance)
    measured.drain()
    blob = Blob("the archive", Extent(descriptor, 0, size), size, measured.digest)
    manifest = Manifest(name, measured.digest, ImageConfig(), [Layer(blob)], "")
    return _unpack(cache, manifest, progress, layered=False)


def _unpack(
    cache: ImageCache, manifest: Manifest, progress: Progress, *, layered: bool
) -> StoredImage:
    def waiting() -> None:
        progress.say(f"{manifest.digest[:19]} is being unpacked by another run: waiting for it")

    begun = cache.begin(manifest.digest, waiting)
    if isinstance(begun, StoredImage):
        image = begun
    else:
        try:
            record = _fill(begun, manifest, progress, layered)
            image = cache.commit(manifest.digest, begun, record)
        except BaseException:
            cache.abandon(manifest.digest, begun)
            raise
    if manifest.name:
        cache.set_name(manifest.name, image.digest)
    return image


def _fill(
    directory: int, manifest: Manifest, progress: Progress, layered: bool
) -> "dict[str, Any]":
    """Unpack all layers; returns what is to be known of the image."""
    os.mkdir(ROOT, 0o700, dir_fd=directory)
    root = os.open(ROOT, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=directory)
    try:
        unpacker = Unpacker(root)
        try:
            for number, layer in enumerate(manifest.layers, 1):
                step = f"layer {number} of {len(manifest.layers)}" if layered else "unpacking it"
                progress.step(step, layer.blob.size)
                _unpack_layer(unpacker, layer, progress, layered)
            unpacker.make_directory(manifest.config.working_directory.encode(errors="replace"))
            unpacker.finish()
        finally:
            unpacker.close()
        size, entries = disk_usage(root)
        if os.geteuid() != 0:
            write_owners(directory, root, unpacker.owners)
    finally:
        os.close(root)
    return {
        "config": manifest.config.as_record(),
        "created": manifest.created,
        "unpacked": int(time.time()),
        "layers": len(manifest.layers),
        "size": size,
        "entries": entries,
        "devices_skipped": unpacker.devices_skipped,
    }


def _unpack_layer(unpacker: Unpacker, layer: Layer, progress: Progress, layered: bool) -> None:
    packed = Measured(layer.blob.open(), progress=progress.advance)
    plain = decompressed(packed)
    # What is not compressed is measured once: its content is the blob.
    content = packed
    if not isinstance(plain, Peekable):
        plain = content = Measured(plain, limit=unpacker.longest_archive)
    unpacker.unpack(TarReader(plain), layered=layered)
    # What follows the end marker counts too.
    content.drain()
    packed.drain()
    layer.blob.check_digest(packed.digest)
    if layer.content_digest is not None and content.digest != layer.content_digest:
        raise ArchiveError(
            f"{layer.blob.name} is damaged: its content has the digest {content.digest}"
        )
