"""A tmpfs on a disk: what its files hold is in unnamed files that the gofer makes for it.

The upper layer of `--overlay2=…:self` and `…:dir=`: names and attributes are the sentry's, as those
of every tmpfs, and what programs write does not fill the memory.  The host's files have no name and
are gone with the last descriptor, however the sandbox ends.
"""

from __future__ import annotations

import os

from runsc_py.sentry.errors import error_for
from runsc_py.sentry.fs.tmpfs.filesystem import Tmpfs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.gofer.client import GoferClient
    from runsc_py.sentry.kernel.kernel import Kernel


class StoredTmpfs(Tmpfs):
    """Mount number `index` of the gofer, a store, has the content.

    Raises the OSError of a store that cannot be had: EOPNOTSUPP where the host's file system has no
    files without a name.
    """

    def __init__(
        self,
        kernel: Kernel,
        client: GoferClient,
        index: int,
        *,
        size: int | None,
        mode: int,
    ) -> None:
        self._client = client
        self._store = client.mount(index)[0]
        os.close(self.new_content_file())
        super().__init__(kernel, size=0 if size is None else size, inodes=0, mode=mode)

    def new_content_file(self) -> int:
        node, _, descriptor = self._client.create_unnamed(self._store, 0o600, os.O_RDWR)
        self._client.close_node(node)
        return descriptor

    def _use(self, pages: int) -> None:
        self.pages_used += pages  # of the disk, not of the sandbox's memory

    def statfs(self) -> tuple[int, int, int, int, int, int]:
        if self.page_limit:
            return super().statfs()
        try:
            answer = self._client.statfs(self._store)
        except OSError as error:
            raise error_for(error.errno or 0) from None
        _, block_size, blocks, free, available, files, free_files, *_ = answer
        return (block_size, blocks, free, available, files, free_files)
