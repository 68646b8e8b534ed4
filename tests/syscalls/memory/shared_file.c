/* A shared mapping of a file: processes see each other's writes, also after unlink and truncate. */
#include "guest.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int number) {
    siglongjmp(back, number);
}

int main(void) {
    put_file("file", "");
    CHECK(truncate("file", 8192) == 0);
    int fd = open("file", O_RDWR);
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    pid_t child = fork();
    if (child == 0) {
        int own = open("file", O_RDWR);
        char *second = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
        strcpy(second + 4096, "written by the child");
        _exit(0);
    }
    wait_and_show("child", child);
    puts(map + 4096);
    char text[32] = "";
    SHOW(pread(fd, text, 20, 4096));
    puts(text);
    SHOW(unlink("file"));
    map[0] = 'A';
    SHOW(pread(fd, text, 1, 0));
    printf("%c\n", text[0]);
    SHOW(ftruncate(fd, 4096));
    signal(SIGBUS, handler);
    int number = sigsetjmp(back, 1);
    if (number == 0)
        printf("%c\n", *(volatile char *)(map + 4096));
    else
        printf("%s\n", sigabbrev_np(number));
    SHOW(ftruncate(fd, 8192));
    SHOW(map[4096]);
    return 0;
}
