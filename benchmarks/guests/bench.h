/* Times an operation until it has been measured for long enough; prints nanoseconds of one. */
#ifndef BENCH_H
#define BENCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENOUGH 0.15 /* seconds */

static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

#define REQUIRE(condition)                                                                        \
    do {                                                                                          \
        if (!(condition)) {                                                                       \
            perror(#condition);                                                                   \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

/* Run `operation` in batches that double until one takes ENOUGH; print the cost of one. */
#define MEASURE(operation) MEASURE_PART(operation, 1)

/* The same for an operation that does what is measured `parts` times. */
#define MEASURE_PART(operation, parts)                                                            \
    do {                                                                                          \
        operation; /* warm up */                                                                  \
        for (long batch_ = 1;; batch_ *= 2) {                                                     \
            double started_ = now();                                                              \
            for (long i_ = 0; i_ < batch_; i_++) {                                                \
                operation;                                                                        \
            }                                                                                     \
            double spent_ = now() - started_;                                                     \
            if (spent_ >= ENOUGH) {                                                               \
                printf("%.1f\n", spent_ / batch_ / (parts) * 1e9);                                \
                break;                                                                            \
            }                                                                                     \
        }                                                                                         \
    } while (0)

#endif
