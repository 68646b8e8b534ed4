"""Pools, fork and spawn, shared memory, managers."""

import multiprocessing as mp


def square(n):
    return n * n


def child(connection, value, lock):
    connection.send(connection.recv().upper())
    for _ in range(100):
        with lock:
            value.value += 1


if __name__ == "__main__":
    with mp.Pool(3) as pool:
        print(pool.map(square, range(10)), pool.apply_async(square, (12,)).get(20))
    for method in ("fork", "spawn"):
        context = mp.get_context(method)
        ours, theirs = context.Pipe()
        value, lock = (context.Value("i", 0), context.Lock())
        p = context.Process(target=child, args=(theirs, value, lock))
        p.start()
        ours.send("text")
        print(method, ours.recv())
        p.join(20)
        print(p.exitcode, value.value)
    q = mp.Queue()
    p = mp.Process(target=q.put, args=({"a": [1, 2]},))
    p.start()
    print(q.get(timeout=20))
    p.join()
    from multiprocessing import shared_memory

    block = shared_memory.SharedMemory(create=True, size=100)
    block.buf[:5] = b"hello"
    other = shared_memory.SharedMemory(block.name)
    print(bytes(other.buf[:5]))
    other.close()
    block.close()
    block.unlink()
    with mp.Manager() as manager:
        d = manager.dict(a=1)
        d["b"] = 2
        print(dict(d))
