"""The state directory: one record and one lock a container, one socket a sandbox.

    ID_sandbox:SANDBOX.state    the record, replaced whole, never changed in place
    ID.lock                     held (flock(2)) by a command that changes the record
    SANDBOX.sock                the sandbox's control socket
    ID.exit                     how it ended (runsc/exit_record.py), once it has

Whatever moment a command is killed at, what it leaves is a record, a lock that nobody holds, or
both; deleting the container takes away all of it.  Reading needs no lock.
"""

import fcntl
import os
import stat

from runsc_py.runsc.containers.record import ContainerRecord
from runsc_py.runsc.errors import RunscError
from runsc_py.runsc.exit_record import ExitRecord, open_exit_record

#: characters; addresses of sockets are short (unix(7)), the length of a sha256 fits well
LONGEST_NAME = 64
SEPARATOR = "_sandbox:"
STATE, LOCK, SOCKET, TEMPORARY, EXIT = ".state", ".lock", ".sock", ".new", ".exit"


class NoSuchContainer(RunscError):
    """There is no record; the words are those that containerd looks for."""

    def __init__(self, identifier: str) -> None:
        super().__init__(f"container {identifier!r} does not exist")


class StateDirectory:
    """All containers of one `--root`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the directory; nobody else may write there.  Raises RunscError."""
        try:
            os.makedirs(self.path, 0o700, exist_ok=True)
            status = os.stat(self.path)
        except OSError as error:
            raise RunscError(f"--root {self.path}: {error.strerror}") from None
        if status.st_uid != os.geteuid():
            raise RunscError(f"--root {self.path}: belongs to somebody else")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise RunscError(f"--root {self.path}: others may write there")

    def socket_path(self, sandbox_id: str) -> str:
        """The control socket of a sandbox: its name, or what stands for a long one."""
        if len(sandbox_id) > LONGEST_NAME:
            import hashlib

            sandbox_id = hashlib.sha256(sandbox_id.encode()).hexdigest()
        return os.path.join(self.path, sandbox_id + SOCKET)

    def new_exit_record(self, identifier: str) -> int:
        """An empty file for how a container ends.  Raises RunscError."""
        path = os.path.join(self.path, identifier + EXIT)
        try:
            return open_exit_record(path)
        except OSError as error:
            raise RunscError(f"{path}: {error.strerror}") from None

    def exit_record(self, identifier: str) -> ExitRecord | None:
        """How a container ended; None when nobody has written that down."""
        try:
            with open(os.path.join(self.path, identifier + EXIT), "rb") as file:
                return ExitRecord.decode(file.read())
        except OSError:
            return None

    # -- records -------------------------------------------------------------------------------

    def identifiers(self) -> list[str]:
        """Of all containers, in order."""
        return sorted(name.partition(SEPARATOR)[0] for name in self._state_files())

    def _state_files(self) -> list[str]:
        try:
            names = os.listdir(self.path)
        except OSError:
            return []
        return [name for name in names if SEPARATOR in name and name.endswith(STATE)]

    def resolve(self, abbreviation: str) -> str:
        """The whole name of the container meant.  Raises RunscError."""
        identifiers = self.identifiers()
        if abbreviation in identifiers:
            return abbreviation
        matches = [name for name in identifiers if abbreviation and name.startswith(abbreviation)]
        if len(matches) > 1:
            raise RunscError(f"container id {abbreviation!r} is ambiguous: {', '.join(matches)}")
        if not matches:
            raise NoSuchContainer(abbreviation)
        return matches[0]

    def _file_of(self, identifier: str) -> str | None:
        start = identifier + SEPARATOR
        return next((name for name in self._state_files() if name.startswith(start)), None)

    def exists(self, identifier: str) -> bool:
        """Whether there is a record of exactly this name."""
        return self._file_of(identifier) is not None

    def load(self, abbreviation: str) -> ContainerRecord:
        """The record of a container.  Raises RunscError."""
        identifier = self.resolve(abbreviation)
        name = self._file_of(identifier)
        try:
            if name is None:
                raise FileNotFoundError
            with open(os.path.join(self.path, name), "rb") as file:
                return ContainerRecord.decode(file.read())
        except FileNotFoundError:  # deleted meanwhile
            raise NoSuchContainer(identifier) from None
        except OSError as error:
            raise RunscError(f"state of container {identifier!r}: {error.strerror}") from None

    def of_sandbox(self, sandbox_id: str) -> list[ContainerRecord]:
        """All containers of a sandbox; records that cannot be read are left out."""
        found = []
        for name in self._state_files():
            if name.removesuffix(STATE).partition(SEPARATOR)[2] == sandbox_id:
                try:
                    found.append(self.load(name.partition(SEPARATOR)[0]))
                except RunscError:
                    continue
        return found

    def save(self, record: ContainerRecord) -> None:
        """Write a record down, whole or not at all."""
        name = f"{record.identifier}{SEPARATOR}{record.sandbox_id}{STATE}"
        path = os.path.join(self.path, name)
        temporary = os.path.join(self.path, record.identifier + TEMPORARY)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with open(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(record.encode())
            os.rename(temporary, path)
        except OSError as error:
            raise RunscError(f"saving the state of {record.identifier}: {error.strerror}") from None

    def remove(self, identifier: str) -> None:
        """Everything of a container but its lock; what is not there is no error."""
        for name in self._state_files():
            if name.startswith(identifier + SEPARATOR):
                _unlink(os.path.join(self.path, name))
        for suffix in (TEMPORARY, EXIT):
            _unlink(os.path.join(self.path, identifier + suffix))
        _unlink(self.socket_path(identifier))

    # -- locks ---------------------------------------------------------------------------------

    def locked(self, identifier: str) -> "Locked":
        """Be the only command that changes a container, in a `with` statement."""
        return Locked(self, identifier)


class Locked:
    """The lock of a container, held; it goes with its record."""

    def __init__(self, store: StateDirectory, identifier: str) -> None:
        self._store = store
        self._identifier = identifier
        self._path = os.path.join(store.path, identifier + LOCK)

    def __enter__(self) -> None:
        self._descriptor = _lock(self._path)

    def __exit__(self, *_: object) -> None:
        if not self._store.exists(self._identifier):
            _unlink(self._path)
        os.close(self._descriptor)


def _lock(path: str) -> int:
    """A descriptor that holds the lock of this name, which others may remove when they are done."""
    while True:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise RunscError(f"cannot lock {path}: {error.strerror}") from None
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass
        # Its holder has removed the file: what we have locked is not what others would.
        os.close(descriptor)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
