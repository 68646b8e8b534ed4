/* What build_walls.py generates out of allowed_calls.py and sentry/syscalls/numbers.py. */

#ifndef RUNSC_FILTERS_H
#define RUNSC_FILTERS_H

/* An array of struct sock_filter, of `size` bytes. */
struct walls_filter {
    int size;
    const unsigned char *program;
};

/* By walls.h's WALLS_… */
extern const struct walls_filter walls_filters[];

/* Names of the host's system calls by number; NULL where there is none. */
extern const char *const walls_call_names[];
extern const int walls_call_count;

#endif
