# Files made, copied, moved, linked, cut and put together.
cp -a d0 copy; diff -r d0 copy && echo same
mv copy/deep moved; ls moved | sort
ln d1/f0.txt hard; stat -c '%h %s %a %F' hard
ln -s d1 soft; readlink soft; realpath --relative-to=. soft/f0.txt
chmod 640 hard; stat -c %a d1/f0.txt
touch -d '2001-02-03 04:05:06 UTC' hard; stat -c %y hard
mkdir -m 711 m; stat -c %a m; rmdir m
head -c 10 hard | od -c | head -n 2; tail -n 2 hard; wc hard d1/*.txt
cut -d' ' -f1 hard | sort | uniq -c | sort -k1,1nr -k2 | head -n 3
paste -d, d0/f0.txt d0/f2.txt | head -n 2; tr a-z A-Z < hard | head -n 1
split -l 5 hard part-; ls part-*; cat part-* | cmp - hard && echo rejoined
dd if=/dev/zero of=zeros bs=64k count=16 status=none; stat -c %s zeros; md5sum zeros
truncate -s 1M sparse; du -k --apparent-size sparse | cut -f1
shuf -i 1-10 --random-source=zeros | sort -n | tr '\n' ' '; echo
rm -r d2 && ls -d d*; rm missing 2>/dev/null || echo "no such"; rm -f missing
mktemp -d ./tmp.XXXX | wc -c; rmdir tmp.*; tee copy-a copy-b < hard > /dev/null; cmp copy-a copy-b && echo tee
install -m 755 hard installed; stat -c %a installed; date -u -d @86400 +%F; env -i A=1 env
timeout 0.2 sleep 5; echo "timeout $?"; nproc | grep -c '^[0-9]'; id -u | grep -c .
printf '%s\n' * | sort | head -n 40; ls -lR d0 | awk '{ print $1, $NF }'
test -r hard -a ! -e nothing && echo tests; expr 6 \* 7; seq -s, 1 0.5 3; factor 360; basename /a/b.c .c
