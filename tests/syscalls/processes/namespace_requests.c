// ioctl_ns(2) and PIDFD_GET_INFO: what an open namespace and a pidfd tell.
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NS_GET_USERNS 0xb701
#define NS_GET_PARENT 0xb702
#define NS_GET_NSTYPE 0xb703
#define NS_GET_OWNER_UID 0xb704

struct info {
	uint64_t mask, cgroup;
	uint32_t pid, tgid, ppid, uid, gid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define PIDFD_GET_INFO _IOWR(0xff, 11, struct info)

static void show(const char *what, long result)
{
	printf("%s: %d %s\n", what, result < 0 ? -1 : 0, result < 0 ? strerror(errno) : "");
}

int main(void)
{
	const char *kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
		int fd = open(path, O_RDONLY);
		unsigned uid = 77;
		printf("%s %#x\n", kinds[i], ioctl(fd, NS_GET_NSTYPE));
		show("  parent", ioctl(fd, NS_GET_PARENT));
		show("  owner uid", ioctl(fd, NS_GET_OWNER_UID, &uid));
		printf("  %u\n", uid);
		show("  other", ioctl(fd, 0xb7ff));
		close(fd);
	}

	pid_t child = fork();
	if (child == 0) {
		pause();
		_exit(0);
	}
	int fd = syscall(SYS_pidfd_open, child, 0);
	struct info info = {.mask = 8};
	show("no structure", ioctl(fd, PIDFD_GET_INFO, 0));
	show("alive", ioctl(fd, PIDFD_GET_INFO, &info));
	printf("%d %d %d mask %d\n", info.pid == (uint32_t)child, info.tgid == info.pid,
	       info.ppid == (uint32_t)getpid(), (int)(info.mask & 11));
	kill(child, 9);
	waitpid(child, 0, 0);
	info.mask = 8;
	show("reaped", ioctl(fd, PIDFD_GET_INFO, &info));
	printf("status %#x mask %d\n", info.exit_code, (int)(info.mask & 11));
	info.mask = 0;
	show("reaped, not asked", ioctl(fd, PIDFD_GET_INFO, &info));
	show("signal", syscall(SYS_pidfd_send_signal, fd, 9, 0, 0));
	return 0;
}
