"""A rollback journal and a write-ahead log, locks between connections."""

import sqlite3

for mode in ("delete", "wal"):
    c = sqlite3.connect(f"{mode}.db")
    print(c.execute(f"pragma journal_mode={mode}").fetchone())
    c.execute("create table t(a integer primary key, b text)")
    with c:
        c.executemany("insert into t(b) values (?)", ((f"row {i}",) for i in range(2000)))
    other = sqlite3.connect(f"{mode}.db", timeout=0.1)
    c.execute("begin immediate")
    c.execute("delete from t where a > 1000")
    try:
        other.execute("begin immediate")
    except sqlite3.OperationalError as error:
        print(error)
    print(other.execute("select count(*) from t").fetchone())
    c.rollback()
    other.close()
    print(
        c.execute("select count(*), max(b), sum(a) from t").fetchone(),
        c.execute("pragma integrity_check").fetchone(),
    )
    c.close()
