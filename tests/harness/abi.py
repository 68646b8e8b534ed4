"""Where each `Structure` of sentry/abi is declared in the system's headers.

A structure that is missing here fails a test: whoever declares one adds a line.
"""

import importlib
import pkgutil

import runsc_py.sentry.abi as abi
from runsc_py.sentry.abi.structure import Structure

#: two translation units, since the kernel's headers and the C library's exclude each other
_KERNEL_HEADERS = (
    "asm/ioctls.h asm/sigcontext.h asm/signal.h asm/siginfo.h asm/stat.h asm/statfs.h "
    "asm/termbits.h asm/termios.h asm/ucontext.h linux/capability.h linux/elf.h linux/fcntl.h "
    "linux/if_addr.h linux/netlink.h linux/openat2.h linux/resource.h linux/rtnetlink.h "
    "linux/sched.h linux/sched/types.h linux/signalfd.h linux/stat.h linux/sysinfo.h "
    "linux/time.h linux/times.h linux/timex.h linux/utime.h linux/utsname.h linux/filter.h "
    "linux/futex.h linux/inotify.h linux/msg.h linux/ptrace.h linux/seccomp.h linux/sem.h "
    "linux/kcmp.h linux/shm.h linux/aio_abi.h linux/mqueue.h"
)
_LIBRARY_HEADERS = (
    "stddef.h stdio.h net/if.h netinet/in.h poll.h sched.h sys/epoll.h sys/socket.h sys/uio.h "
    "linux/netlink.h"
)

#: what is in no header, or only in newer ones than Debian 12's, as the man page has it
DECLARATIONS = """
struct linux_dirent { unsigned long d_ino; long d_off; unsigned short d_reclen; char d_name[]; };
struct linux_dirent64 {
    unsigned long d_ino; long d_off; unsigned short d_reclen; unsigned char d_type; char d_name[];
};
struct sigset_argument { const void *p; unsigned long size; };
struct one_int { int value; };
struct __aio_sigset { const void *sigmask; unsigned long sigsetsize; };
struct file_handle { unsigned handle_bytes; int handle_type; };
struct pidfd_info {
    unsigned long long mask, cgroupid;
    unsigned pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    int exit_code;
};
struct mnt_id_req_of_6_18 { unsigned size, spare; unsigned long long mnt_id, param, mnt_ns_id; };
struct statmount_of_6_18 {
    unsigned size, mnt_opts;
    unsigned long long mask;
    unsigned sb_dev_major, sb_dev_minor;
    unsigned long long sb_magic;
    unsigned sb_flags, fs_type;
    unsigned long long mnt_id, mnt_parent_id;
    unsigned mnt_id_old, mnt_parent_id_old;
    unsigned long long mnt_attr, mnt_propagation, mnt_peer_group, mnt_master, propagate_from;
    unsigned mnt_root, mnt_point;
    unsigned long long mnt_ns_id;
    unsigned fs_subtype, sb_source, opt_num, opt_array, opt_sec_num, opt_sec_array;
    unsigned long long supported_mask, spare[45];
};
"""

#: of the C library, or of both
LIBRARY = frozenset(
    (
        "struct pollfd",
        "struct epoll_event",
        "struct sched_param",
        "struct sockaddr_in",
        "struct sockaddr_in6",
        "struct linger",
        "struct ucred",
        "struct msghdr",
        "struct cmsghdr",
        "struct iovec",
        "struct ifreq",
        "struct ifconf",
    )
)

#: our name of a structure → the header's
TYPES = {
    "struct kernel_sigaction": "struct sigaction",
    "struct ucontext_head": "struct ucontext",
    "struct __kernel_termios": "struct termios",
    "struct mnt_id_req": "struct mnt_id_req_of_6_18",
    "struct statmount": "struct statmount_of_6_18",
    "sigset_argpack": "struct sigset_argument",
    "int": "struct one_int",
    "struct ptrace_syscall_info_head": "struct ptrace_syscall_info",
    **{
        f"struct ptrace_syscall_info_{part}": f"typeof(((struct ptrace_syscall_info *)0)->{part})"
        for part in ("entry", "exit", "seccomp")
    },
}

#: our name of a field → the header's, where they differ
MEMBERS = {
    "struct rusage": {
        "ru_utime_sec": "ru_utime.tv_sec",
        "ru_utime_usec": "ru_utime.tv_usec",
        "ru_stime_sec": "ru_stime.tv_sec",
        "ru_stime_usec": "ru_stime.tv_usec",
    },
    "struct statx": {
        f"stx_{which}time_{part}": f"stx_{which}time.tv_{part}"
        for which in "abcm"
        for part in ("sec", "nsec")
    },
    "struct ucontext_head": {name: f"uc_stack.{name}" for name in ("ss_sp", "ss_flags", "ss_size")},
    "struct ifreq": {"ifr_name": "ifr_ifrn", "ifr_data": "ifr_ifru"},
    "struct ifconf": {"ifc_buf": "ifc_ifcu"},
    "siginfo_t": {"si_timerid": "si_tid"},
    **{
        structure: {f"arg{number}": f"args[{number}]" for number in range(6)}
        for structure in (
            "struct seccomp_data",
            "struct ptrace_syscall_info_entry",
            "struct ptrace_syscall_info_seccomp",
        )
    },
    "struct sigevent": {"sigev_notify_thread_id": "_sigev_un._tid"},
}

#: structures that end before the header's do
SIZES = {
    "struct linux_dirent": "offsetof(struct linux_dirent, d_name)",
    "struct linux_dirent64": "offsetof(struct linux_dirent64, d_name)",
    "struct ucontext_head": "offsetof(struct ucontext, uc_mcontext)",
    "struct ptrace_syscall_info_head": "offsetof(struct ptrace_syscall_info, entry)",
}


def structures() -> list[tuple[str, Structure]]:
    """Every structure with the name it is declared under, `module.NAME`."""
    found: dict[int, tuple[str, Structure]] = {}
    for module_information in pkgutil.iter_modules(abi.__path__):
        module = importlib.import_module(f"{abi.__name__}.{module_information.name}")
        for name, value in vars(module).items():
            if isinstance(value, Structure):
                found.setdefault(id(value), (f"{module_information.name}.{name}", value))
    return list(found.values())


def _lines(name: str, structure: Structure) -> list[str]:
    kind = TYPES.get(structure.c_name, structure.c_name)
    size = SIZES.get(structure.c_name, f"sizeof({kind})")
    lines = [f'    printf("{name} - 0 %zu\\n", (size_t)({size}));']
    renamed = MEMBERS.get(structure.c_name, {})
    for field in structure.names:
        member = renamed.get(field, field)
        width = f"sizeof((({kind} *)0)->{member})"
        place = f"offsetof({kind}, {member})"
        lines.append(f'    printf("{name} {field} %zu %zu\\n", {place}, {width});')
    return lines


def source(library: bool) -> str:
    """A C program that prints "structure field offset size" for all structures of a unit."""
    headers = _LIBRARY_HEADERS if library else _KERNEL_HEADERS
    lines = [f"#include <{header}>" for header in headers.split()]
    if not library:
        lines.append("#define offsetof(type, member) __builtin_offsetof(type, member)")
        lines.append("typedef unsigned long size_t;\nextern int printf(const char *, ...);")
    lines += [DECLARATIONS, "int main(void)", "{"]
    for name, structure in structures():
        if (structure.c_name in LIBRARY) == library:
            lines += _lines(name, structure)
    return "\n".join([*lines, "    return 0;", "}", ""])
