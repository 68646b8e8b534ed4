#include "library.h"
int two(int n) { return n * 2; }
