"""Four processes write into one database with a write-ahead log; a fifth reads meanwhile."""

import multiprocessing
import sqlite3

WRITERS, ROWS = 4, 50


def connect() -> sqlite3.Connection:
    """A connection that waits for the others' locks."""
    return sqlite3.connect("shared.db", timeout=60, isolation_level=None)


def write(writer: int) -> None:
    """One transaction a row, and a counter that every writer adds to."""
    connection = connect()
    for row in range(ROWS):
        connection.execute("begin immediate")
        connection.execute("insert into log values (?, ?)", (writer, row))
        connection.execute("update counter set value = value + 1")
        connection.execute("commit")
    connection.close()


def consistent(connection: sqlite3.Connection) -> bool:
    """Whether the counter is that of the rows, within one snapshot."""
    query = "select (select count(*) from log) = (select value from counter)"
    return bool(connection.execute(query).fetchone()[0])


if __name__ == "__main__":
    connection = connect()
    print(connection.execute("pragma journal_mode=wal").fetchone())
    connection.execute("create table log(writer, row, primary key (writer, row))")
    connection.execute("create table counter(value)")
    connection.execute("insert into counter values (0)")
    processes = [multiprocessing.Process(target=write, args=(n,)) for n in range(WRITERS)]
    for process in processes:
        process.start()
    snapshots = {consistent(connection)}
    while any(process.is_alive() for process in processes):
        snapshots.add(consistent(connection))
    print(snapshots, [process.exitcode for process in processes])
    print(connection.execute("select writer, count(*), sum(row) from log group by 1").fetchall())
    print(connection.execute("select value from counter").fetchone())
    print(connection.execute("pragma wal_checkpoint(truncate)").fetchone())
    print(connection.execute("pragma integrity_check").fetchone())
