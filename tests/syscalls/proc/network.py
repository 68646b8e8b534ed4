"""/proc/net: the sockets of this program, and what describes the loopback interface."""

import os
import socket


def rows(name):
    with open(f"/proc/net/{name}") as lines:
        return [line.split() for line in lines][1:]


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagram.bind(("0.0.0.0", 0))
ours = {os.fstat(each.fileno()).st_ino for each in (listener, client, server, datagram)}


def port(each):
    return f"{each.getsockname()[1]:04X}"


found = []
for name in ("tcp", "udp"):
    for row in rows(name):
        if int(row[9]) in ours:
            local, remote = row[1].split(":"), row[2].split(":")
            known = [port(each) for each in (listener, client, datagram)].index(local[1])
            peer = remote[0], remote[1] == "0000"
            found.append((name, local[0], known, *peer, row[3], row[7], len(row)))
print(*sorted(found), sep="\n")

one, other = socket.socketpair()
named = socket.socket(socket.AF_UNIX)
named.bind("\0abstract name")
named.listen()
numbers = {os.fstat(each.fileno()).st_ino for each in (one, other, named)}
print(*sorted(row[1:6] + row[7:] for row in rows("unix") if int(row[6]) in numbers), sep="\n")

with open("/proc/net/dev") as lines:
    print([line.split()[0] for line in lines if line.split()[0] == "lo:"])
with open("/proc/net/if_inet6") as lines:
    print([line.split() for line in lines if line.split()[-1] == "lo"])
print(os.path.realpath("/proc/net") == f"/proc/{os.getpid()}/net")
