"""How fast it is, beside native Linux and whatever peers are installed: `make bench`.

One file a question.  A question about one operation is a C program in `guests/`
that measures itself inside and prints nanoseconds; a question about whole
programs is a module in `programs/`, timed from outside.  All runs of a question
are interleaved, native first, and the table shows medians.
"""
