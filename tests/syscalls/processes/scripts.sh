# Interpreter lines: an argument, none, nested scripts, too deep, missing, spaces.
here=$(pwd)
printf '#!/bin/echo one two\n' > args
printf '#! /bin/echo\n' > space
printf '#!%s/args\n' "$here" > nested
printf '#!/no/such/interpreter\n' > missing
printf '#!/bin/sh\necho "script $0" | sed "s:$PWD/::"; echo "args $#: $*"; exit 3\n' > script
printf '#!' > empty
printf 'echo no interpreter line, $1\n' > plain
chmod +x args space nested missing script empty plain
./args three 2>&1 | sed "s:$here/::g"
./space 2>&1
./nested x 2>&1 | sed "s:$here/::g"
./missing 2>/dev/null; echo "status $?"
./script a 'b c' ''; echo "status $?"
./empty 2>/dev/null; echo "status $?"
./plain word
level=0
previous=/bin/echo
while [ $level -lt 7 ]; do
    printf '#!%s\n' "$previous" > "level$level"
    chmod +x "level$level"
    previous=$here/level$level
    level=$((level + 1))
done
for level in 0 3 4 5 6; do
    ./level$level 2>&1 | sed "s:$here/::g;s/^.*: //"
done
