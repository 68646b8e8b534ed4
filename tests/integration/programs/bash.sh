# What only bash has.
shopt -s extglob nullglob globstar
mkdir -p d/e/f; touch d/1.c d/e/2.c d/e/f/3.c; echo **/*.c; echo d/!(1.c)
declare -A map=([one]=1 [two]=2); echo ${map[two]} ${#map[@]}
list=(a b c); echo ${list[@]:1} ${#list[@]}
diff <(printf 'a\nb\n') <(printf 'a\nc\n')
cat <<< "here string"
echo {1..5} {a,b}{x,y}
printf '%05d %s %q\n' 42 text 'a b'
coproc cat; echo to coproc >&${COPROC[1]}; read -u ${COPROC[0]} answer; echo "$answer"
exec {COPROC[1]}>&-; wait
set -m; jobs > /dev/null; sleep 10 & sleep 0 & jobs | wc -l; kill %1; wait %1 2>/dev/null; echo "killed $?"
set +m
mapfile -t lines < <(seq 3); echo ${#lines[@]} ${lines[2]}
trap 'echo "error on line"' ERR; false; trap - ERR
( trap 'echo got TERM; exit 5' TERM; kill -TERM $BASHPID; sleep 1 ); echo "subshell $?"
set -o pipefail; false | true; echo "pipefail $?"; echo ${PIPESTATUS[@]}
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo ${BASH_REMATCH[1]} ${BASH_REMATCH[2]}
time_output=$( { time true; } 2>&1 ); echo ${#time_output} | grep -c .
read -t 0.05 nothing < <(sleep 0.2); echo "timeout $(( $? > 128 ))"
bash -c 'exec -a other sh -c "echo replaced"'
echo $BASH_SUBSHELL $(echo $BASH_SUBSHELL)
kill -l TERM; ulimit -n 64; ulimit -n
