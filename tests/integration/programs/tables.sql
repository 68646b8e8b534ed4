-- A database in a file, with a write-ahead log.
.mode list
pragma journal_mode=wal;
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
  insert into t select i, 'text ' || i, i * 0.5 from n;
create index by_b on t(b);
begin; delete from t where a % 2; rollback;
select count(*), sum(c), max(b) from t;
update t set b = upper(b) where a < 10;
select * from t limit 5;
.backup copy.db
vacuum;
pragma integrity_check;
.shell ls *.db
