# Looking for files and for text.
find . -name '*.txt' -newer empty | wc -l | grep -c .
find . -type l; find . -type d | sort; find . -size +0c -name 'f[02]*' | sort | head
find . -name 'f1*' -exec grep -c alpha {} + | sort
find d0 -print0 | sort -z | xargs -0 -n 3 echo; find . -empty; find d3 -delete; ls
grep -rn 'alpha beta' . | sort | head; grep -rlc zeta . | sort | wc -l; grep -E '^(eta|iota) ' d1/f0.txt
grep -v a d1/f0.txt; echo "grep $?"; grep -o 'th[a-z]*' -h d1/*.txt | sort | uniq -c
