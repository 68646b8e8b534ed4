"""The host's loopback with `--network host`: streams, datagrams, timeouts, asyncio."""
# guest: options = --network host
# guest: timeout = 30

import asyncio
import socket


def stream() -> None:
    """A connection with its addresses and its end."""
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    accepted, peer = server.accept()
    print(peer == client.getsockname(), client.getpeername() == server.getsockname())
    client.sendall(b"x" * 100_000)
    client.shutdown(socket.SHUT_WR)
    total = 0
    while data := accepted.recv(65536):
        total += len(data)
    print(total)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(client.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


def datagrams() -> None:
    """Cut to the buffer; a receive that times out."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.sendto(b"abc", receiver.getsockname())
    data, address = receiver.recvfrom(2)
    print(data, address == receiver.getsockname())
    receiver.settimeout(0.05)
    try:
        receiver.recv(1)
    except TimeoutError:
        print("nothing came")


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what came."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


async def many() -> None:
    """Five connections at a time, and one that is refused."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(300_000))
        writer.write_eof()
        return len(await reader.read())

    print(await asyncio.gather(*(one() for _ in range(5))))
    try:
        await asyncio.open_connection("127.0.0.1", 1)
    except ConnectionRefusedError as error:
        print(error.errno)


stream()
datagrams()
asyncio.run(many())
