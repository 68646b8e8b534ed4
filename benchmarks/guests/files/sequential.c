/* sequential read|write BYTES FILE: what a mebibyte costs in pieces of BYTES, in nanoseconds.
 * The file to be read exists; the one to be written is made. */
#include "../bench.h"

enum { SPAN = 16 << 20 }; /* bytes between two seeks back to the start */

static int fd;
static char *piece;
static size_t size;

static void read_span(void) {
    REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
    for (size_t done = 0; done < SPAN; done += size)
        REQUIRE(read(fd, piece, size) == (ssize_t)size);
}

static void write_span(void) {
    REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
    for (size_t done = 0; done < SPAN; done += size)
        REQUIRE(write(fd, piece, size) == (ssize_t)size);
}

int main(int argc, char **argv) {
    REQUIRE(argc == 4);
    int writes = strcmp(argv[1], "write") == 0;
    size = strtoul(argv[2], NULL, 10);
    fd = open(argv[3], writes ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
    piece = malloc(size);
    REQUIRE(fd >= 0 && piece != NULL);
    memset(piece, 'x', size);
    if (writes)
        MEASURE_PART(write_span(), SPAN >> 20);
    else
        MEASURE_PART(read_span(), SPAN >> 20);
    return 0;
}
