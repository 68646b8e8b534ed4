# New user, PID, UTS and mount namespaces as unshare(1) makes them, and their id maps.
unshare -Ur id -u
unshare -Urpf --mount-proc sh -c 'echo $$; ps -e -o pid,comm'
unshare -Uru sh -c 'hostname x; hostname'; 
unshare -Urm sh -c 'mount -t tmpfs t /mnt; ls -a /mnt; touch /mnt/a; ls /mnt'
cat /proc/self/uid_map
unshare -Ur cat /proc/self/uid_map
