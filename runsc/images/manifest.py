"""What OCI layouts and docker's archives come to: one configuration, layers, and their digests."""

from runsc_py.runsc.archive.errors import ArchiveError
from runsc_py.runsc.images import documents
from runsc_py.runsc.images.config import ImageConfig
from runsc_py.runsc.images.sources import Blob

#: what runs here
OPERATING_SYSTEM, ARCHITECTURE = "linux", "amd64"


class Layer:
    """A layer: the blob with its archive, and the digest of what is in it uncompressed."""

    __slots__ = ("blob", "content_digest")

    def __init__(self, blob: Blob, content_digest: str | None = None) -> None:
        self.blob = blob
        #: None: nothing is said of it, and the blob's own digest has to do
        self.content_digest = content_digest


class Manifest:
    """An image, ready to be unpacked.  `digest` is that of its configuration: docker's image id.

    It stands for the layers too, since the configuration has the digests of their content.
    """

    __slots__ = ("config", "created", "digest", "layers", "name")

    def __init__(
        self, name: str, digest: str, config: ImageConfig, layers: list[Layer], created: str
    ) -> None:
        #: how it is called where it came from; may be empty
        self.name = name
        self.digest = digest
        self.config = config
        self.layers = layers
        #: as the image says, for people; may be empty
        self.created = created


def read_manifest(name: str, config: Blob, layers: list[Blob]) -> Manifest:
    """Read an image's configuration.  Raises ArchiveError for one that cannot be run here."""
    data = config.read(documents.LARGEST_DOCUMENT)
    document = documents.as_mapping(documents.decode(data, "the configuration"), "it")
    check_platform(documents.text(document, "os"), documents.text(document, "architecture"))
    digests = documents.texts(documents.mapping(document, "rootfs"), "diff_ids") or []
    if len(digests) != len(layers):
        raise ArchiveError(f"its configuration has {len(digests)} layers, it has {len(layers)}")
    return Manifest(
        name,
        config.measured_digest(data),
        read_config(documents.mapping(document, "config")),
        [
            Layer(blob, documents.check_digest(digest))
            for blob, digest in zip(layers, digests, strict=True)
        ],
        documents.text(document, "created"),
    )


def read_config(document: documents.Document) -> ImageConfig:
    """The `config` member of an image's configuration."""
    return ImageConfig(
        documents.texts(document, "Entrypoint"),
        documents.texts(document, "Cmd"),
        documents.texts(document, "Env"),
        documents.text(document, "User"),
        documents.text(document, "WorkingDir"),
    )


def check_platform(system: str, architecture: str) -> None:
    """Raises ArchiveError for a platform that is not ours; what is not said is taken as ours."""
    if (system or OPERATING_SYSTEM, architecture or ARCHITECTURE) != (
        OPERATING_SYSTEM,
        ARCHITECTURE,
    ):
        raise ArchiveError(
            f"it is for {system or 'linux'}/{architecture or 'amd64'}; "
            f"only {OPERATING_SYSTEM}/{ARCHITECTURE} runs here"
        )
