# net.ipv4.conf.lo.tag can be written, and each network namespace has its own.
# guest: user = root
unshare -n sh -ec '
tag=/proc/sys/net/ipv4/conf/lo/tag
stat -c %a $tag
cat $tag
echo 7 > $tag
cat $tag
unshare -n cat $tag
cat $tag
echo -5 > $tag
cat $tag
sh -c "echo 2147483648 > $tag" 2> /dev/null || echo too large
sh -c "echo word > $tag" 2> /dev/null || echo no number
cat $tag
'
unshare -n sh -ec '
tag=/proc/sys/net/ipv4/conf/default/tag
cat $tag
echo 1234 > $tag
cat $tag /proc/sys/net/ipv4/conf/lo/tag
unshare -n cat $tag
'
