# What procps and lsof tell of a process, without what differs between two runs.
sleep 60 &
p=$!
while [ "$(cat /proc/$p/comm)" != sleep ]; do :; done
exec 9< /etc/passwd
pgrep -P $$ -x sleep | grep -c .
ps -o ppid=,stat=,comm=,nlwp=,ni=,tty= -p $p | sed "s/^ *$$ /PARENT /"
ps -L -o stat=,comm= -p $p
pmap $p | tail -1 | sed 's/[0-9]\+K/NK/'
pmap -x $p | head -2 | tail -1
pmap -X $p | sed -n 2p | tr -s ' '
lsof -p $$ -a -d 9 -F fn | tail -2
lsof -p $p -a -d txt -F n | grep -c sleep
lsof -p $p -a -d cwd -F n | tail -1 | sed "s#$PWD#HERE#"
readlink /proc/$p/exe
pkill -TERM -P $$ -x sleep
wait $p
echo $?
top -b -n1 -p $$ | sed -n '1s/^top - .*/HEAD/p;2s/[0-9]\+/N/gp;7p' | tr -s ' '
pgrep -P $$ -x sleep || echo gone
