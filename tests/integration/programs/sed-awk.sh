# Text streams.
sed -n '2,4p;s/alpha/ALPHA/gp' d0/f0.txt; sed -i.bak '1d;$s/$/ end/' d0/f0.txt; diff d0/f0.txt d0/f0.txt.bak
sed -E 's/([a-z]+) ([a-z]+)/\2 \1/' d0/f2.txt | head -n 3; printf 'a\nb\n' | sed 'N;s/\n/+/'
awk '{ n[$1]++ } END { for (w in n) print w, n[w] }' d0/*.txt | sort
awk -F, 'BEGIN { OFS = "|"; while (("echo a,b,c" | getline line) > 0) { $0 = line; $1 = $1; print } }'
awk 'BEGIN { printf "%.3f %s %d\n", atan2(0, -1), substr("abcdef", 2, 3), length("xyz"); system("echo system") }'
awk '{ s += length($0) } END { print NR, s > "sum"; close("sum"); while ((getline l < "sum") > 0) print l }' d1/f0.txt
