# What every shell must do: pipelines, here-documents, globs, jobs, traps.
echo one two | tr a-z A-Z | sed 's/ /-/'
cat <<END
here is $((6 * 7)) and $(echo substitution)
END
cat <<'END'
no $expansion here
END
touch a.txt b.txt c.dat; echo *.txt; echo [ab].*; echo missing*
for i in 1 2 3; do echo "$i"; done > numbers; wc -l < numbers
( cd /; pwd ); pwd | grep -c work
false || echo "or $?"
true && echo and
f() { return 7; }; f; echo "function $?"
exec 5> five; echo to five >&5; exec 5>&-; cat five
echo err >&2 2>/dev/null; ls missing 2>/dev/null; echo "status $?"
trap 'echo trapped USR1' USR1; kill -USR1 $$
trap 'echo at exit' EXIT
sleep 0.05 & wait $!; echo "background $?"
(exit 9) & wait $!; echo "background $?"
sh -c 'kill -TERM $$'; echo "signalled $?"
seq 1 1000 | while read n; do [ $n = 500 ] && echo found $n; done
yes | head -n 3
x=abcdef; echo ${x%def} ${x#abc} ${#x} ${y:-default}
case $x in a*) echo matches;; esac
set -- p q r; shift; echo "$# $*"
echo $0 | wc -l; umask 027; touch masked; ls -l masked | cut -c1-10
mkfifo pipe; echo through > pipe & cat pipe; wait
exit 3
