# The host name given on the command line is what every way of asking tells.
# guest: needs = hostname
a=$(hostname); b=$(uname -n); c=$(cat /proc/sys/kernel/hostname)
[ "$a" = "$b" ] && [ "$b" = "$c" ] && echo same
