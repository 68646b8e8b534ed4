"""Locks, queues, events, timers, pools."""

import concurrent.futures
import queue
import threading

lock, total = (threading.Lock(), 0)


def add(n):
    global total
    for _ in range(n):
        with lock:
            total += 1


threads = [threading.Thread(target=add, args=(1000,)) for _ in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
print(total)
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda n: n * n, range(100))))
q = queue.Queue(3)
out = []


def consume():
    while (item := q.get()) is not None:
        out.append(item)


t = threading.Thread(target=consume)
t.start()
[q.put(i) for i in range(50)]
q.put(None)
t.join()
print(len(out))
event = threading.Event()
threading.Timer(0.05, event.set).start()
print(event.wait(5), event.wait(0))
print(threading.Condition().acquire(), threading.Semaphore(2).acquire(timeout=0.1))
barrier = threading.Barrier(3)
threads = [threading.Thread(target=barrier.wait) for _ in range(2)]
[t.start() for t in threads]
barrier.wait()
[t.join() for t in threads]
print(threading.active_count())
