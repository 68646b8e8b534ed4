"""What Python's socket module does: files in messages, servers, timeouts, asynchronous connects."""
# guest: timeout = 30

import errno
import os
import select
import signal
import socket
import struct
import threading


def name(number: int) -> str:
    """A result of connect_ex."""
    return errno.errorcode.get(number, str(number))


def pass_files() -> None:
    """The position travels with the file; a child's pipe survives the child."""
    with open("file", "w+b") as file:
        file.write(b"0123456789")
        file.flush()
        file.seek(4)
        first, second = socket.socketpair()
        socket.send_fds(first, [b"x"], [file.fileno()])
        data, fds, flags, _ = socket.recv_fds(second, 10, 4)
        print(data, len(fds), flags, os.read(fds[0], 3), os.lseek(file.fileno(), 0, os.SEEK_CUR))
    child = os.fork()
    if child == 0:
        reader, writer = os.pipe()
        socket.send_fds(first, [b"p"], [reader])
        os.write(writer, b"from the child")
        os._exit(0)
    os.waitpid(child, 0)
    _, fds, _, _ = socket.recv_fds(second, 10, 4)
    print(os.read(fds[0], 100), os.read(fds[0], 100))
    credentials = first.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    print(struct.unpack("3i", credentials)[0] == os.getpid())


def serve_and_send() -> None:
    """A server thread, three megabytes by sendfile, both directions' ends."""
    server = socket.create_server(("127.0.0.1", 0))
    with open("big", "wb") as file:
        file.write(bytes(3_000_000))

    def serve() -> None:
        connection, _ = server.accept()
        total = 0
        while data := connection.recv(65536):
            total += len(data)
        connection.sendall(b"%d" % total)
        connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    client = socket.create_connection(server.getsockname())
    with open("big", "rb") as file:
        print(client.sendfile(file))
    client.shutdown(socket.SHUT_WR)
    print(client.recv(20), client.recv(20))
    thread.join()


def connect_without_waiting() -> None:
    """In progress, then done or refused."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    try:
        server.accept()
    except TimeoutError:
        print("nobody came")
    client = socket.socket()
    client.setblocking(False)
    print(name(client.connect_ex(server.getsockname())))
    print(len(select.select([], [client], [], 5)[1]))
    print(name(client.connect_ex(server.getsockname())))
    print(name(client.connect_ex(server.getsockname())))
    refused = socket.socket()
    refused.setblocking(False)
    print(name(refused.connect_ex(("127.0.0.1", 1))))
    print(len(select.select([], [refused], [], 5)[1]))
    print(name(refused.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)))


def broken() -> None:
    """SIGPIPE ends a child that does not look."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        first, second = socket.socketpair()
        second.close()
        first.send(b"x")
        os._exit(3)
    print(os.waitpid(child, 0)[1])


def wait_for_all() -> None:
    """MSG_WAITALL puts the pieces together."""
    first, second = socket.socketpair()
    thread = threading.Thread(target=lambda: [first.send(part) for part in (b"abc", b"def")])
    thread.start()
    print(second.recv(6, socket.MSG_WAITALL))
    thread.join()


pass_files()
serve_and_send()
connect_without_waiting()
broken()
wait_for_all()
print(sorted({found[4][0] for found in socket.getaddrinfo("localhost", 80, socket.AF_INET)}))
print(socket.if_nameindex()[0])
