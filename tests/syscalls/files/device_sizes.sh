# Devices give and take as much as one large request asks for.
for device in zero urandom full; do
    dd if=/dev/$device bs=20M count=1 2> /dev/null | wc -c
done
dd if=/dev/zero bs=5000000 count=3 of=/dev/null 2>&1 | head -2
dd if=/dev/zero of=/dev/full bs=1M count=1 2>&1 | head -3
dd if=/dev/zero bs=10M count=1 of=sparse conv=sparse 2> /dev/null && wc -c < sparse
head -c 3000000 /dev/urandom | wc -c
