/* Bad arguments of calls on descriptors. */
// guest: timeout = 60
// guest: kernel = 6.16
#include "bad_input.h"
#include <sys/uio.h>

static struct iovec vector;
static loff_t offset;

int main(void) {
    make_world();
    vector = (struct iovec){buffer + 64, 8};
    const struct call calls[] = {
        CALL(read, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(8)),
        CALL(write, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(8)),
        CALL(pread64, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(8), NUMBER(0)),
        CALL(pwrite64, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(8), NUMBER(0)),
        CALL_WITH(vector, readv, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1)),
        CALL_WITH(vector, writev, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1)),
        CALL_WITH(vector, preadv, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1), NUMBER(0), FIXED(0)),
        CALL_WITH(vector, pwritev, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1), NUMBER(0), FIXED(0)),
        CALL_WITH(vector, preadv2, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1), NUMBER(0), FIXED(0),
                  FLAGS(0)),
        CALL_WITH(vector, pwritev2, DESCRIPTOR(FILE_FD), BUFFER, LENGTH(1), NUMBER(0), FIXED(0),
                  FLAGS(0)),
        CALL_WITH(vector, vmsplice, DESCRIPTOR(WRITER_FD), BUFFER, LENGTH(1), FLAGS(0)),
        CALL(lseek, DESCRIPTOR(FILE_FD), NUMBER(0), NUMBER(SEEK_SET)),
        CALL(dup, DESCRIPTOR(FILE_FD)),
        CALL(dup2, DESCRIPTOR(FILE_FD), DESCRIPTOR(30)),
        CALL(dup3, DESCRIPTOR(FILE_FD), DESCRIPTOR(30), FLAGS(0)),
        CALL(close, DESCRIPTOR(FILE_FD)),
        CALL(close_range, NUMBER(30), NUMBER(35), FLAGS(0)),
        CALL(pipe, BUFFER),
        CALL(pipe2, BUFFER, FLAGS(0)),
        CALL(fsync, DESCRIPTOR(FILE_FD)),
        CALL(sync_file_range, DESCRIPTOR(FILE_FD), NUMBER(0), NUMBER(0), FLAGS(0)),
        CALL(ftruncate, DESCRIPTOR(FILE_FD), NUMBER(10)),
        CALL(fallocate, DESCRIPTOR(FILE_FD), FLAGS(0), NUMBER(0), NUMBER(10)),
        CALL(fadvise64, DESCRIPTOR(FILE_FD), NUMBER(0), NUMBER(0), NUMBER(0)),
        CALL(readahead, DESCRIPTOR(FILE_FD), NUMBER(0), LENGTH(10)),
        CALL(flock, DESCRIPTOR(FILE_FD), NUMBER(2)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), NUMBER(F_GETFD), FIXED(0)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_DUPFD), NUMBER(30)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETFL), FLAGS(0)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETFD), FLAGS(0)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_GETLK), BUFFER),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETLK), BUFFER),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_OFD_SETLK), BUFFER),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_GETOWN_EX), BUFFER),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETOWN_EX), BUFFER),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETSIG), NUMBER(0)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_SETLEASE), NUMBER(F_UNLCK)),
        CALL(fcntl, DESCRIPTOR(FILE_FD), FIXED(F_NOTIFY), FLAGS(0)),
        CALL(fcntl, DESCRIPTOR(READER_FD), FIXED(F_SETPIPE_SZ), NUMBER(4096)),
        CALL(fcntl, DESCRIPTOR(READER_FD), FIXED(F_GETPIPE_SZ), FIXED(0)),
        CALL(fcntl, DESCRIPTOR(READER_FD), FIXED(F_ADD_SEALS), FLAGS(0)),
        CALL(ioctl, DESCRIPTOR(READER_FD), FIXED(0x541B) /* FIONREAD */, BUFFER),
        CALL(ioctl, DESCRIPTOR(FILE_FD), FIXED(0x5421) /* FIONBIO */, BUFFER),
        CALL(ioctl, DESCRIPTOR(FILE_FD), FIXED(0x5401) /* TCGETS */, BUFFER),
        CALL(ioctl, DESCRIPTOR(FILE_FD), NUMBER(0x5451) /* FIOCLEX */, FIXED(0)),
        CALL(fstat, DESCRIPTOR(FILE_FD), BUFFER),
        CALL(fstatfs, DESCRIPTOR(FILE_FD), BUFFER),
        CALL(fchmod, DESCRIPTOR(FILE_FD), FLAGS(0644)),
        CALL(fchdir, DESCRIPTOR(DIRECTORY_FD)),
        CALL(getdents64, DESCRIPTOR(DIRECTORY_FD), BUFFER, LENGTH(4096)),
        CALL_WITH(offset, sendfile, DESCRIPTOR(NULL_FD), DESCRIPTOR(FILE_FD), BUFFER, LENGTH(4)),
        CALL_WITH(offset, splice, DESCRIPTOR(FILE_FD), BUFFER, DESCRIPTOR(WRITER_FD), FIXED(0),
                  FIXED(4), FLAGS(0)),
        CALL(tee, DESCRIPTOR(READER_FD), DESCRIPTOR(WRITER_FD), LENGTH(4), FLAGS(0)),
        CALL_WITH(offset, copy_file_range, DESCRIPTOR(FILE_FD), FIXED(0), DESCRIPTOR(FILE_FD),
                  BUFFER, LENGTH(4), FLAGS(0)),
    };
    TRY_ALL(calls, false);
    return 0;
}
