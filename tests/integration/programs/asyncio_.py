"""TCP and UNIX servers, subprocesses, signals, time limits."""

import asyncio
import os
import signal


async def echo(reader, writer):
    while data := (await reader.readline()):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def client(n):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"client {n}\n".encode())
        line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return line

    print(sorted(await asyncio.gather(*(client(n) for n in range(10)))))
    server.close()
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await p.communicate(b"through cat"), p.returncode)
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.05)
    except TimeoutError:
        print("timeout")
    caught = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, caught.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.wait_for(caught.wait(), 5)
    print("signal")
    print(await asyncio.to_thread(sum, range(1000)))
    unix = await asyncio.start_unix_server(echo, "socket")
    reader, writer = await asyncio.open_unix_connection("socket")
    writer.write(b"unix\n")
    print(await reader.readline())
    writer.close()
    unix.close()


asyncio.run(main())
