/* Bad arguments of calls on memory. */
// guest: timeout = 60
// guest: kernel = 6.16
#include "bad_input.h"

int main(void) {
    make_world();
    const struct call calls[] = {
        CALL(mmap, FIXED(0), LENGTH(4096), FLAGS(PROT_READ), FIXED(MAP_PRIVATE | MAP_ANONYMOUS),
             DESCRIPTOR(-1), NUMBER(0)),
        CALL(mmap, FIXED(0), LENGTH(4096), FIXED(PROT_READ), FIXED(MAP_PRIVATE),
             DESCRIPTOR(FILE_FD), NUMBER(0)),
        CALL(mmap, FIXED(0), FIXED(4096), FIXED(PROT_READ), NUMBER(MAP_SHARED),
             DESCRIPTOR(FILE_FD), FIXED(0)),
        CALL(munmap, FIXED(1), LENGTH(4096)),
        CALL(munmap, FIXED(0x10000000), LENGTH(4096)),
        CALL(mprotect, BUFFER, LENGTH(4096), FLAGS(PROT_READ)),
        CALL(mremap, BUFFER, LENGTH(4096), LENGTH(4096), FLAGS(0), FIXED(0)),
        CALL(madvise, BUFFER, LENGTH(4096), NUMBER(0)),
        CALL(msync, BUFFER, LENGTH(4096), FLAGS(4)),
        CALL(mincore, BUFFER, LENGTH(4096), BUFFER),
        CALL(mlock, BUFFER, LENGTH(4096)),
        CALL(mlock2, BUFFER, LENGTH(4096), FLAGS(0)),
        CALL(munlock, BUFFER, LENGTH(4096)),
        CALL(mlockall, FLAGS(2)),
        CALL(brk, FIXED(0)),
    };
    TRY_ALL(calls, false);
    return 0;
}
