# mount(8), umount(8), findmnt(8) and busybox's mount, in a mount namespace of their own.
# guest: user = root
# guest: needs = busybox findmnt unshare
exec 2>&1
cat > inside <<'END'
set -u
here=$(pwd)
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=711 work "$here" && cd "$here"
mkdir a b c
show() { findmnt -n -r -o TARGET,SOURCE,FSTYPE,OPTIONS "$here/$1" | sed "s|$here|HERE|; s|,inode64||"; }
mount -t tmpfs -o size=2m,nr_inodes=50,uid=3,noexec name a; show a
mount -o remount,size=3m a; show a
mount -o remount,ro a; show a
touch a/file; echo "touch: $?"
mount -o remount,rw a; touch a/file; echo "touch: $?"
mount --bind a b; show b
mount -o remount,bind,ro,nosuid b; show b
touch b/other; echo "touch: $?"
mount --move b c; show c; ls c
umount a; echo "umount: $?"; show a
umount c; echo "umount: $?"
mount -t tmpfs -o nonsense x a; echo "nonsense: $?"
mount -t unheard x a; echo "type: $?"
mount -t proc -o hidepid=invisible proc a; show a
umount -l a; echo "lazily: $?"
mkdir l u w
echo lower > l/file
mount -t overlay -o lowerdir=l,upperdir=u,workdir=w over a; cat a/file
echo upper > a/file; cat l/file u/file
umount a
busybox mount -t tmpfs -o size=4m,mode=700 bb a; show a
busybox mount -o remount,size=5m a; show a
busybox mount | grep -c "$here/a"
busybox mount --bind a b; show b
busybox umount b a; echo "busybox: $?"
mount -t tmpfs x a
mkdir a/in
mount --make-shared a
mount --rbind a b
mount -t tmpfs y a/in
findmnt -n -r -R -o TARGET,SOURCE "$here" | sed "s|$here|HERE|" | sort
umount -R a; umount b
findmnt -n -r -R -o TARGET,SOURCE "$here" | sed "s|$here|HERE|" | sort
END
exec unshare -m sh inside
