# A Redis server on the loopback, a client's questions, an orderly end.
# Which port is free is the server's to find: a machine may have one running.
port=$1
redis-server --port "$port" --bind 127.0.0.1 --save "" --appendonly no --dir "$PWD" >server.log 2>&1 &
server=$!
tries=0
until redis-cli -p "$port" ping 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { cat server.log; exit 1; }
    sleep 0.1
done
redis-cli -p "$port" set name value
redis-cli -p "$port" get name
for i in 1 2 3 4 5; do redis-cli -p "$port" rpush list "item $i"; done
redis-cli -p "$port" lrange list 0 -1
redis-cli -p "$port" eval 'return redis.call("llen", KEYS[1]) * 2' 1 list
redis-benchmark -p "$port" -n 500 -c 5 -q -t set,get >/dev/null && echo benchmarked
redis-cli -p "$port" shutdown nosave
wait "$server"
echo "ended with $?"
