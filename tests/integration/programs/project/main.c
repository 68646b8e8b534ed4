#include <stdio.h>
#include <stdlib.h>
#include "library.h"
int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) printf("%d\n", two(one(atoi(argv[i]))));
    return 0;
}
