# Access control lists with setfacl and getfacl: set, masked by chmod, inherited, checked, copied.
# guest: user = root
# guest: needs = setfacl getfacl setpriv
as() { uid=$1; shift; setpriv --reuid "$uid" --regid 1234 --clear-groups "$@"; }
chmod 755 .
umask 022

touch f; chmod 640 f
setfacl -m u:5:rw,g:7:r f; getfacl -n f; stat -c %a f
chmod 600 f; getfacl -n f
chmod 660 f; setfacl -m m::r f; getfacl -n f
setfacl -b f; getfacl -n f; stat -c %a f
setfacl -d -m u:5:r f 2>&1

mkdir s; setfacl -d -m u:5:rwx,g::rx s; getfacl -n s
touch s/a; mkdir s/b; mkfifo s/p; ln -s a s/l
(umask 077; touch s/u; mkdir s/v)
getfacl -n s/a s/b s/p s/u s/v; stat -c '%n %a' s/a s/b s/p s/l s/u s/v
setfacl -k s/b; mkdir -m 700 s/b/c; getfacl -n s/b s/b/c

echo content > g; chmod 600 g; setfacl -m u:1234:r g
as 1234 cat g
as 1235 cat g 2>&1
as 1234 sh -c 'echo x > g' 2>&1
as 1234 setfacl -m u:1234:rw g 2>&1
mkdir -m 777 n; setfacl -m u:1234:- n; touch n/x
as 1234 cat n/x 2>&1
as 1235 cat n/x && echo searched
echo 'echo ran' > r; chmod 600 r; setfacl -m u:1235:x,g:1234:r r
as 1235 sh r 2>&1; as 1236 sh r
cp -p g h; getfacl -n h
mv g k; getfacl -n k
chown 1236 k; as 1236 cat k; getfacl -n k
