# A PostgreSQL cluster from initdb to an orderly stop: processes, shared memory, semaphores, WAL.
# The server refuses to run as root: then it is `nobody` who has it.
programs=$1
cluster=$(mktemp -d /tmp/cluster-XXXXXX) # where another user may pass
trap 'rm -rf "$cluster"' EXIT
cd "$cluster"
as=
if [ "$(id -u)" = 0 ]; then
    chown nobody "$cluster"
    as="setpriv --reuid=nobody --regid=nogroup --clear-groups"
fi
export LC_ALL=C HOME="$cluster"
$as "$programs/initdb" -D "$cluster/data" --auth=trust --username=tester --no-sync >initdb.log 2>&1 ||
    { cat *log; exit 1; }
$as "$programs/pg_ctl" -D "$cluster/data" -w -t 100 -l "$cluster/log" \
    -o "-k $cluster -c listen_addresses= -c fsync=off" start >/dev/null || { cat *log; exit 1; }
ask() { "$programs/psql" -X -A -t -h "$cluster" -U tester -c "$1" postgres; }
ask 'create table numbers as select generate_series(1, 1000) as n'
ask 'select sum(n) from numbers'
ask 'begin; delete from numbers where n > 500; rollback; select count(*) from numbers'
ask 'update numbers set n = n + 1' >update.log &
ask 'select count(*) from numbers'
wait
ask 'select min(n), max(n) from numbers'
ask 'vacuum full numbers'
$as "$programs/pg_ctl" -D "$cluster/data" -w -m fast stop >/dev/null
echo "ended with $?"
