# Files of /proc and /sys that programs read: there, and of the right form.
grep -c '^MemTotal: *[0-9]* kB$' /proc/meminfo
grep -c '^MemAvailable:' /proc/meminfo
grep -q '^processor' /proc/cpuinfo && echo cpuinfo
grep -c '^cpu ' /proc/stat
grep -c '^btime ' /proc/stat
awk 'NF == 2 && $1 > 0 { print "uptime" }' /proc/uptime
awk 'NF == 5 { print "loadavg" }' /proc/loadavg
grep -q '^Linux version' /proc/version && echo version
grep -q ' / ' /proc/self/mounts && echo mounts
awk '$5 == "/" { found = 1 } END { print "mountinfo", found }' /proc/self/mountinfo
grep -q 'tmpfs' /proc/filesystems && echo filesystems
cat /proc/sys/kernel/ostype
[ "$(cat /proc/sys/kernel/pid_max)" -gt 300 ] && echo pid_max
[ "$(cat /proc/sys/vm/overcommit_memory)" -ge 0 ] && echo overcommit
[ "$(cat /proc/sys/fs/file-max)" -gt 100 ] && echo file-max
cat /proc/sys/kernel/random/boot_id | tr 0-9a-f x
cat /proc/sys/kernel/random/uuid | tr 0-9a-f x
grep -q '^0-\|^0$' /sys/devices/system/cpu/online && echo online
ls -d /sys/devices/system/cpu/cpu0
ls -d /proc/self/task/*/ | wc -l
readlink /proc/mounts
ls -d /proc/net /proc/sys /proc/self/ns
