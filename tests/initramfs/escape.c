/*
 * Run inside a container as root: the ways out of a chroot that everybody knows, one line each.
 *   escape MARK     MARK: a file that is in the initramfs and in no image
 * Prints `NAME: inside` where the way ended at the container's own root, `NAME: OUT` where MARK was seen,
 * `NAME: ERRNO` where the kernel refused a step. Each way is tried in a child, since it leaves its root behind.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mark;
static struct stat root;

static const char *errno_name(void)
{
	switch (errno) {
	case EPERM: return "EPERM";
	case EACCES: return "EACCES";
	case EINVAL: return "EINVAL";
	case EBUSY: return "EBUSY";
	case ENOENT: return "ENOENT";
	case ENOSYS: return "ENOSYS";
	default: return strerror(errno);
	}
}

/* Up from the current directory, further than any tree is deep. */
static void up(void)
{
	for (int i = 0; i < 200; i++)
		if (chdir(".."))
			break;
}

/* What is here, the current directory being as far out as it got. */
static int verdict(void)
{
	struct stat here;

	/* Both by name from here and from a root set here: the second also follows what is mounted on it. */
	if (!access(mark, F_OK))
		return puts("OUT"), 0;
	if (stat(".", &here))
		return puts(errno_name()), 0;
	if (!chroot(".") && (chdir("/"), !access(mark, F_OK)))
		return puts("OUT"), 0;
	if (here.st_dev == root.st_dev && here.st_ino == root.st_ino)
		return puts("inside"), 0;
	return printf("another root %lx:%lx\n", (long)here.st_dev, (long)here.st_ino), 0;
}

static int failed(void) { return puts(errno_name()), 0; }

/* The classic: a root below the current directory, so that `..` is never stopped at it. */
static int chroot_below(void)
{
	if ((mkdir("/tmp/x", 0755) && errno != EEXIST) || chdir("/") || chroot("/tmp/x"))
		return failed();
	up();
	return verdict();
}

/* The same by a descriptor that was opened before. */
static int descriptor(void)
{
	int fd = open("/", O_RDONLY | O_DIRECTORY);

	if (fd < 0 || (mkdir("/tmp/x", 0755) && errno != EEXIST) || chroot("/tmp/x") || chdir("/") || fchdir(fd))
		return failed();
	up();
	return verdict();
}

static int from(const char *path)
{
	if (chdir(path))
		return failed();
	up();
	return verdict();
}
static int plain(void) { return from("/"); }
static int proc_1_root(void) { return from("/proc/1/root"); }
static int proc_1_cwd(void) { return from("/proc/1/cwd"); }
static int proc_self_root(void) { return from("/proc/self/root"); }

/* Entering one's own mount namespace sets the root to whatever is on top of the namespace's first mount. */
static int enter_again(void)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY);

	if (ns < 0 || setns(ns, CLONE_NEWNS))
		return failed();
	up();
	return verdict();
}

/* Taking the container's root away uncovers what it was moved on. */
static int uncover(void)
{
	int ns = open("/proc/self/ns/mnt", O_RDONLY);

	if (ns < 0 || umount2("/", MNT_DETACH) || setns(ns, CLONE_NEWNS))
		return failed();
	up();
	return verdict();
}

/* In a namespace of a user that one has just become root of, with every capability there. */
static int user_namespace(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return failed();
	return uncover();
}

static void way(const char *name, int (*go)(void))
{
	printf("%s: ", name);
	fflush(stdout);
	if (!fork()) {
		go();
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

int main(int argc, char **argv)
{
	if (argc != 2 || stat("/", &root))
		return 2;
	/* Relative: it is looked for from wherever a way ended. */
	mark = argv[1] + (argv[1][0] == '/');
	way("plain", plain);
	way("chroot", chroot_below);
	way("descriptor", descriptor);
	way("/proc/1/root", proc_1_root);
	way("/proc/1/cwd", proc_1_cwd);
	way("/proc/self/root", proc_self_root);
	way("setns", enter_again);
	way("user namespace", user_namespace);
	/* Last: where it is allowed, it takes the root away from all of us. */
	way("umount", uncover);
	return 0;
}
