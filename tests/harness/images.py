"""Images made by hand, in every form that `--image` takes; archives are by the standard library."""

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

try:
    from compression import zstd  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from backports import zstd  # type: ignore[no-redef, unused-ignore]

Config = dict[str, Any]
#: how a layer is stored, and the end of its media type
COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "+gzip": lambda data: gzip.compress(data, mtime=0),
    "+zstd": lambda data: zstd.compress(data),
}
MEDIA_TYPE = "application/vnd.oci.image"


def entry(
    name: str, content: bytes | None = None, *, kind: bytes = tarfile.REGTYPE, **fields: Any
) -> tuple[tarfile.TarInfo, bytes]:
    """An entry of an archive; with a `linkname`, a link."""
    info = tarfile.TarInfo(name)
    info.type = kind
    info.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    info.mtime = 1_700_000_000
    for key, value in fields.items():
        setattr(info, key, value)
    info.size = len(content or b"") if kind == tarfile.REGTYPE else 0
    return info, content or b""


def directory(name: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """An entry of a directory."""
    return entry(name, kind=tarfile.DIRTYPE, **fields)


def symlink(name: str, target: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """An entry of a symbolic link."""
    return entry(name, kind=tarfile.SYMTYPE, linkname=target, **fields)


def hard_link(name: str, target: str, **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    """An entry of a hard link."""
    return entry(name, kind=tarfile.LNKTYPE, linkname=target, **fields)


def archive(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A tar archive."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    return data.getvalue()


def busybox_layer(*more: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A file system with nothing but busybox, which must be a static one."""
    program = Path(shutil.which("busybox") or "/bin/busybox").read_bytes()
    applets = (
        "sh",
        "cat",
        "ls",
        "echo",
        "pwd",
        "env",
        "id",
        "sleep",
        "stat",
        "touch",
        "rm",
        "true",
    )
    return archive(
        [
            directory("bin"),
            entry("bin/busybox", program, mode=0o755),
            *(hard_link(f"bin/{applet}", "bin/busybox") for applet in applets),
            directory("etc"),
            entry("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\napp:x:77:88::/home/app:/bin/sh\n"),
            entry("etc/group", b"root:x:0:\napp:x:88:\nextra:x:99:app\n"),
            directory("root", mode=0o700),
            directory("tmp", mode=0o1777),
            *more,
        ]
    )


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def config(layers: list[bytes], **settings: Any) -> bytes:
    """An image's configuration; `settings` are members of its `config`."""
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": "2026-11-23T00:00:00Z",
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        }
    ).encode()


class Layout:
    """An OCI layout that is being made in a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "blobs" / "sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.manifests: list[dict[str, Any]] = []
        self.write_index()

    def blob(self, data: bytes, kind: str, **members: Any) -> dict[str, Any]:
        """Store a blob; returns its descriptor."""
        (self.path / "blobs" / digest(data).replace(":", "/")).write_bytes(data)
        return {
            "mediaType": f"{MEDIA_TYPE}.{kind}",
            "digest": digest(data),
            "size": len(data),
            **members,
        }

    def manifest(
        self, layers: list[bytes], compression: str = "", settings: Config | None = None
    ) -> dict[str, Any]:
        """Store an image; returns the descriptor of its manifest, which no index has yet."""
        document = {
            "schemaVersion": 2,
            "mediaType": f"{MEDIA_TYPE}.manifest.v1+json",
            "config": self.blob(config(layers, **(settings or {})), "config.v1+json"),
            "layers": [
                self.blob(COMPRESSIONS[compression](layer), f"layer.v1.tar{compression}")
                for layer in layers
            ],
        }
        return self.blob(json.dumps(document).encode(), "manifest.v1+json")

    def index(self, manifests: list[dict[str, Any]]) -> dict[str, Any]:
        """Store an index; returns its descriptor."""
        document = {"schemaVersion": 2, "manifests": manifests}
        return self.blob(json.dumps(document).encode(), "index.v1+json")

    def add(self, descriptor: dict[str, Any], name: str = "") -> None:
        """Put a descriptor into index.json."""
        if name:
            annotations = {"org.opencontainers.image.ref.name": name}
            descriptor = {**descriptor, "annotations": annotations}
        self.manifests.append(descriptor)
        self.write_index()

    def write_index(self) -> None:
        document = {"schemaVersion": 2, "manifests": self.manifests}
        (self.path / "index.json").write_text(json.dumps(document))


def oci_layout(
    path: Path,
    layers: list[bytes],
    compression: str = "+gzip",
    *,
    name: str = "",
    **settings: Any,
) -> Path:
    """An OCI layout with one image."""
    layout = Layout(path)
    layout.add(layout.manifest(layers, compression, settings), name)
    return path


def docker_archive(path: Path, layers: list[bytes], *names: str, **settings: Any) -> Path:
    """What `docker save` wrote before version 25; a layer that is there twice is a link."""
    document = config(layers, **settings)
    config_name = digest(document).removeprefix("sha256:") + ".json"
    entries = [entry(config_name, document)]
    layer_names: list[str] = []
    for number, layer in enumerate(layers):
        identity = f"{number:064x}"
        entries.append(directory(identity))
        entries.append(entry(f"{identity}/VERSION", b"1.0"))
        if layer in layers[:number]:
            target = layer_names[layers.index(layer)]
            entries.append(symlink(f"{identity}/layer.tar", f"../{target}"))
        else:
            entries.append(entry(f"{identity}/layer.tar", layer))
        layer_names.append(f"{identity}/layer.tar")
    manifest = [{"Config": config_name, "RepoTags": list(names) or None, "Layers": layer_names}]
    entries.append(entry("manifest.json", json.dumps(manifest).encode()))
    path.write_bytes(archive(entries))
    return path


def new_docker_archive(path: Path, layers: list[bytes], *names: str, **settings: Any) -> Path:
    """What `docker save` writes since: an OCI layout, with a manifest.json besides."""
    layout = Layout(path.with_suffix(".layout"))
    descriptor = layout.manifest(layers, "", settings)
    layout.add(descriptor, names[0].rpartition(":")[2] if names else "")
    document = config(layers, **settings)
    manifest = {
        "Config": "blobs/" + digest(document).replace(":", "/"),
        "RepoTags": list(names),
        "Layers": ["blobs/" + digest(layer).replace(":", "/") for layer in layers],
    }
    (layout.path / "manifest.json").write_text(json.dumps([manifest]))
    return archive_of(layout.path, path)


def archive_of(tree: Path, path: Path) -> Path:
    """The files below a directory as an archive."""
    with tarfile.open(path, "w") as tar:
        for name in sorted(os.listdir(tree)):
            tar.add(tree / name, name)
    return path
