"""The tree of /sys: sysfs(5), the kernel's Documentation/ABI.

Just what C libraries, language runtimes and procps look at; sizes are 0 like everywhere in a
synthetic file system.
"""

from runsc_py.sentry.fs.proc.machine import total_memory, used_memory
from runsc_py.sentry.fs.synthetic import File, Link, Specification
from runsc_py.sentry.fs.sys.control_group import make_tree as make_control_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runsc_py.sentry.kernel.kernel import Kernel
    from runsc_py.sentry.kernel.task import Task

#: bytes of a huge page
HUGE_PAGE = 2 << 20


def processor_list(count: int) -> bytes:
    """`0` or `0-3`, as cpumap files have it."""
    return b"0\n" if count == 1 else b"0-%d\n" % (count - 1)


def _processor_mask(count: int) -> bytes:
    return b"%x\n" % ((1 << count) - 1)


def _processor(number: int, count: int) -> dict[bytes, Specification]:
    own = b"%d\n" % number
    own_mask = b"%x\n" % (1 << number)
    return {
        b"cache": {},
        b"online": b"1\n",
        b"topology": {
            b"core_cpus": own_mask,
            b"core_cpus_list": own,
            b"core_id": own,
            b"core_siblings": _processor_mask(count),
            b"core_siblings_list": processor_list(count),
            b"die_id": b"0\n",
            b"package_cpus_list": processor_list(count),
            b"physical_package_id": b"0\n",
            b"thread_siblings": own_mask,
            b"thread_siblings_list": own,
        },
    }


def _processors(count: int) -> dict[bytes, Specification]:
    everything = processor_list(count)
    return {
        **{b"cpu%d" % number: _processor(number, count) for number in range(count)},
        b"isolated": b"\n",
        b"kernel_max": b"8191\n",
        b"offline": b"\n",
        b"online": everything,
        b"possible": everything,
        b"present": everything,
        b"vulnerabilities": {},
    }


def _node_memory(task: "Task") -> bytes:
    total = total_memory(task) // 1024
    used = min(used_memory(task.kernel) // 1024, total)
    rows = (("MemTotal", total), ("MemFree", total - used), ("MemUsed", used))
    return "".join(f"Node 0 {name + ':':<15}{value:9d} kB\n" for name, value in rows).encode()


def _nodes(count: int) -> dict[bytes, Specification]:
    return {
        b"has_cpu": b"0\n",
        b"has_memory": b"0\n",
        b"has_normal_memory": b"0\n",
        b"node0": {
            b"cpulist": processor_list(count),
            b"cpumap": _processor_mask(count),
            b"distance": b"10\n",
            b"meminfo": File(_node_memory),
        },
        b"online": b"0\n",
        b"possible": b"0\n",
    }


_HUGE_PAGES: dict[bytes, Specification] = {
    b"defrag": b"always defer defer+madvise [madvise] never\n",
    b"enabled": b"always [madvise] never\n",
    b"hpage_pmd_size": b"%d\n" % HUGE_PAGE,
    b"khugepaged": {b"defrag": b"1\n", b"max_ptes_none": b"511\n"},
    b"shmem_enabled": b"always within_size advise [never] deny force\n",
    b"use_zero_page": b"1\n",
}

_INTERFACE_COUNTERS = (
    b"rx_bytes rx_dropped rx_errors rx_packets tx_bytes tx_dropped tx_errors tx_packets"
).split()

_LOOPBACK: dict[bytes, Specification] = {
    b"addr_assign_type": b"0\n",
    b"addr_len": b"6\n",
    b"address": b"00:00:00:00:00:00\n",
    b"broadcast": b"00:00:00:00:00:00\n",
    b"carrier": b"1\n",
    b"dev_id": b"0x0\n",
    b"flags": b"0x9\n",
    b"ifindex": b"1\n",
    b"iflink": b"1\n",
    b"mtu": b"65536\n",
    b"operstate": b"unknown\n",
    b"speed": b"0\n",
    b"statistics": dict.fromkeys(_INTERFACE_COUNTERS, b"0\n"),
    b"tx_queue_len": b"1000\n",
    b"type": b"772\n",
}


def make_tree(kernel: "Kernel") -> dict[bytes, Specification]:
    """The whole tree for a sandbox."""
    count = kernel.options.processors
    return {
        b"block": {},
        b"bus": {b"cpu": {b"devices": {}}, b"pci": {b"devices": {}}},
        b"class": {
            b"block": {},
            b"net": {b"lo": Link(b"../../devices/virtual/net/lo")},
            b"power_supply": {},
            b"thermal": {},
            b"tty": {},
        },
        b"dev": {b"block": {}, b"char": {}},
        b"devices": {
            b"system": {b"cpu": _processors(count), b"node": _nodes(count)},
            b"virtual": {b"net": {b"lo": _LOOPBACK}},
        },
        b"firmware": {},
        b"fs": {b"cgroup": make_control_group()},
        b"kernel": {
            b"mm": {
                b"hugepages": {},
                b"ksm": {b"run": b"0\n"},
                b"transparent_hugepage": _HUGE_PAGES,
            },
            b"security": {},
        },
        b"module": {},
        b"power": {},
    }
