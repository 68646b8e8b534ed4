"""Terminals: job control, the line discipline, pseudo-terminal pairs, and /dev/pts."""
