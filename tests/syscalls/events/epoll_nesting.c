// How deep epoll files may watch each other.
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int main(void)
{
	int ends[2];
	pipe(ends);
	struct epoll_event event = {.events = EPOLLIN};
	int inner = ends[0];
	for (int depth = 1; depth < 8; depth++) {
		int outer = epoll_create1(0);
		int result = epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event);
		printf("%d: %s\n", depth, result ? strerror(errno) : "ok");
		if (result)
			break;
		inner = outer;
	}
	return 0;
}
