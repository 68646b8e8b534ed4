/* After fork(2) private memory is apart and shared memory is not; offsets are shared. */
#include "guest.h"

static int global = 1;

int main(void) {
    int local = 1;
    int *heap = malloc(sizeof *heap);
    *heap = 1;
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    *shared = *private = 1;
    put_file("file", "0123456789");
    int fd = open("file", O_RDONLY);
    pid_t child = fork();
    if (child == 0) {
        global = local = *heap = *shared = *private = 2;
        char data[4];
        CHECK(read(fd, data, 4) == 4);
        SHOW(close(fd));
        printf("child: %d %d %d %d %d\n", global, local, *heap, *shared, *private);
        _exit(0);
    }
    wait_and_show("child", child);
    printf("parent: %d %d %d %d %d\n", global, local, *heap, *shared, *private);
    SHOW(lseek(fd, 0, SEEK_CUR));
    for (int depth = 0; depth < 10; depth++) {
        child = fork();
        if (child != 0) {
            wait_and_show("deep", child);
            _exit(depth);
        }
        (*shared)++;
    }
    printf("depth: %d\n", *shared);
    return 42;
}
