"""/proc/PID: which fields each file has, in which form; what procps, psutil and htop split."""

# guest: kernel = 6.12

import os
import re
import struct

#: what programs look at; a kernel may have more
KNOWN = {
    *("auxv", "cgroup", "cmdline", "comm", "coredump_filter", "cpuset", "cwd", "environ", "exe"),
    *("fd", "fdinfo", "gid_map", "io", "limits", "loginuid", "maps", "mem", "mountinfo", "mounts"),
    *("mountstats", "net", "ns", "oom_adj", "oom_score", "oom_score_adj", "personality"),
    *("projid_map", "root", "schedstat", "sessionid", "setgroups", "smaps", "smaps_rollup"),
    *("stat", "statm", "status", "syscall", "task", "timens_offsets", "timerslack_ns", "uid_map"),
    "wchan",
}


def read(name):
    with open(f"/proc/self/{name}", "rb") as file:
        return file.read().decode("latin-1")


def shape(text):
    """Numbers do not matter, nor how wide they are."""
    return re.sub(r" +", " ", re.sub(r"-?\b(unlimited|\d+)\b", "N", text))


def sign(field):
    return "-" if field.startswith("-") else "+" if field.strip("0") else "0"


head, _, tail = read("stat").rpartition(")")
fields = tail.split()
print("stat", len(fields) + 2, head.split("(")[1][:4])
#: codes, addresses and sizes are there
print([sign(fields[number - 3]) for number in (23, 24, 26, 27, 28, 45, 46, 47, 48, 49, 50, 51)])
print("status", [line.split(":")[0] for line in read("status").splitlines()])
for line in read("status").splitlines():
    if line.startswith(("Vm", "Rss", "Sig", "Shd", "Cap", "NS", "Uid", "Gid", "Pid", "PPid")):
        print(re.sub(r"[0-9a-f]+$|\d+", "N", line).replace(" ", ""))
print("statm", shape(read("statm")))
#: kernels differ in what smaps tells, but not on one machine
blocks = re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", read("smaps"))[1:]
kinds = {tuple(line.split(":")[0] for line in block.splitlines()[1:]) for block in blocks}
print("smaps", len(kinds), sorted(min(kinds)))
print("smaps_rollup", [line.split(":")[0] for line in read("smaps_rollup").splitlines()[1:]])
print({len(line) for line in read("smaps_rollup").splitlines()[1:]})
line_of_maps = (
    r"[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2,}:[0-9a-f]{2,}"
    r" \d+( +.*)?"
)
maps = read("maps").splitlines()
print("maps", all(re.fullmatch(line_of_maps, line) for line in maps))
names = {line.split(None, 5)[5] for line in maps if len(line.split(None, 5)) > 5}
print({"[heap]", "[stack]", "[vdso]", os.path.realpath("/proc/self/exe")} <= names)
print(shape(read("limits")))
print([len(line) - len(line.rstrip()) for line in read("limits").splitlines()][-4:])
for name in (
    *("io", "oom_score", "oom_score_adj", "oom_adj", "uid_map", "gid_map", "projid_map"),
    *("setgroups", "loginuid", "sessionid", "personality", "coredump_filter", "timerslack_ns"),
    *("schedstat", "timens_offsets", "cpuset"),
):
    print(name, shape(read(name)))
print("cgroup", all(re.fullmatch(r"\d+:[^:]*:/.*", line) for line in read("cgroup").splitlines()))
print("wchan", "\n" in read("wchan"))
print("syscall", len(read("syscall").split()))
auxiliary = read("auxv").encode("latin-1")
numbers = set(struct.unpack(f"<{len(auxiliary) // 8}Q", auxiliary)[::2])
print("auxv", sorted(numbers - {27, 28}))  # those of rseq(2)
line_of_mountinfo = (
    r"\d+ \d+ \d+:\d+ \S+ \S+ \S+( (shared|master|propagate_from):\d+| unbindable)* - \S+ \S+ \S+"
)
mounts = read("mountinfo").splitlines()
print("mountinfo", all(re.fullmatch(line_of_mountinfo, line) for line in mounts))
print("mounts", {len(line.split()) for line in read("mounts").splitlines()})
for name in sorted(set(os.listdir("/proc/self")) & KNOWN):
    status = os.lstat(f"/proc/self/{name}")
    print(name, oct(status.st_mode), status.st_uid == os.geteuid())
for name in ("fd/0", "ns/mnt", "ns/time", "fdinfo/0", "task", "task/SELF/children"):
    status = os.lstat(f"/proc/self/{name}".replace("SELF", str(os.getpid())))
    print(name, oct(status.st_mode & 0o777777 if "fd/" not in name else 0), status.st_size)
print(sorted(os.listdir("/proc/self/ns")))
