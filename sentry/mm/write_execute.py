"""PR_SET_MDWE: memory is never writable and executable, and never becomes executable later."""

from runsc_py.sentry.abi.memory import PROT_EXEC, PROT_WRITE
from runsc_py.sentry.errors import EACCES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.mm.memory_manager import MemoryManager

PR_MDWE_REFUSE_EXEC_GAIN = 1
PR_MDWE_NO_INHERIT = 2


def check_new_mapping(protection: int) -> None:
    """For a process with PR_MDWE_REFUSE_EXEC_GAIN.  Errors: EACCES."""
    if protection & PROT_EXEC and protection & PROT_WRITE:
        raise EACCES


def check_new_protection(memory: "MemoryManager", address: int, size: int, protection: int) -> None:
    """The same for mprotect(2), which may only keep what is executable.  Errors: EACCES."""
    check_new_mapping(protection)
    if protection & PROT_EXEC:
        for mapping in memory.mappings():
            inside = mapping.start < address + size and mapping.end > address
            if inside and mapping.permissions[2] != "x":
                raise EACCES
