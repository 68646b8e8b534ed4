# Pipelines of a shell: FIFOs, early ends, blocked writers, process substitution.
# guest: needs = bash
mkfifo fifo
(echo one; echo two) > fifo &
cat fifo
wait
bash -c '
exec 4<>fifo; echo both >&4; read -u 4 line; echo "$line"; exec 4>&-
yes | head -2; echo "${PIPESTATUS[@]}"
seq 1 100000 | tail -1
paste <(seq 3) <(seq 4 6)
coproc cat; echo there and back >&"${COPROC[1]}"; read line <&"${COPROC[0]}"; echo "$line"
'
head -c 300000 /dev/zero | tr "\0" x | wc -c
true | false | true; echo $?
