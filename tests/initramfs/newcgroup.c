/*
 * newcgroup COMMAND ARG…: runs the command where its own cgroup is the root of all that it sees, as inside another
 * container: a new cgroup namespace, with cgroup2 mounted again on /sys/fs/cgroup. busybox's unshare has no such flag.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2 || unshare(CLONE_NEWCGROUP | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2("/sys/fs/cgroup", MNT_DETACH) || mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL)) {
		perror("newcgroup");
		return 125;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
