/* The floor: every system call that a container start needs, in the order that comes to mind first, with nothing
 * around it: no parsing, no checks of the store, no errors explained. What a runtime costs above this is its own.
 *
 *   floor [-t] -l LOWER -d DIR -n NAME [-c CGROUP]... COMMAND [ARG...]
 *
 * LOWER  the read-only root file system      DIR   where the container's directory is made (the disk of a real store)
 * CGROUP a parent directory, once a hierarchy (on v1: memory, cpu, pids; on v2: one)
 * -t     the child writes "0" to `tasks` itself instead of the parent its pid to cgroup.procs (cgroup v1 only)
 *
 * Left out because mydocker does not have them yet: capabilities, no_new_privs; -DSECCOMP is where a filter will go. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)
#define MAX_CGROUPS 8
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static const char *lower, *dir, *name, *parents[MAX_CGROUPS];
static int hierarchies, child_attaches;
static char box[512], upper[560], work[560], merged[560], lines[8][600], groups[MAX_CGROUPS][512];

static void must(long result, const char *what)
{
	if (result >= 0)
		return;
	dprintf(2, "floor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void put(const char *path, const char *text, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd, path);
	must(write(fd, text, length), path);
	close(fd);
}

static void attach(int group, const char *file, const char *pid)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", groups[group], file);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd, path);
	must(write(fd, pid, strlen(pid)), path);
	close(fd);
}

static void node(const char *path, int minor_of_mem)
{
	must(mknod(path, S_IFCHR | 0666, makedev(1, minor_of_mem)), path);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd, "socket");
	must(ioctl(fd, SIOCSIFFLAGS, &request), "lo up");
	close(fd);
}

/* Docker's default lists. The type is asked first: a bind of /dev/null onto a directory fails, and a failed mount
 * waits for an RCU grace period. */
static void mask(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return;
	if (S_ISDIR(st.st_mode))
		must(mount("tmpfs", path, "tmpfs", MS_RDONLY | SAFE, "size=0k"), path);
	else
		must(mount("dev/null", path, NULL, MS_BIND, NULL), path);
}

static void read_only(const char *path)
{
	if (mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) {
		if (errno == ENOENT)
			return;
		must(-1, path);
	}
	must(mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | SAFE, NULL), path);
}

static void inside(int go, char **command)
{
	static const char *masked[] = { "proc/acpi", "proc/asound", "proc/interrupts", "proc/kcore", "proc/keys",
		"proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug", "proc/scsi",
		"sys/firmware", "sys/devices/virtual/powercap" };
	static const char *fixed[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
	static char overlay[1800], byte;

	must(read(go, &byte, 1) - 1, "wait for the parent");
	close(go);
	if (child_attaches) {
		for (int i = 0; i < hierarchies; i++)
			attach(i, "tasks", "0");
		/* The namespace made by clone is rooted where the child was then. */
		must(unshare(CLONE_NEWCGROUP), "unshare cgroup");
	}

	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make / private");
	snprintf(overlay, sizeof overlay, "lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);
	must(mount("overlay", merged, "overlay", 0, overlay), "mount overlay");
	must(chdir(merged), "chdir");

	must(mount("proc", "proc", "proc", SAFE, NULL), "mount proc");
	must(mount("sysfs", "sys", "sysfs", SAFE | MS_RDONLY, NULL), "mount sysfs");
	must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"), "mount /dev");
	umask(0);
	node("dev/null", 3);
	node("dev/zero", 5);
	node("dev/full", 7);
	node("dev/random", 8);
	node("dev/urandom", 9);
	must(mknod("dev/tty", S_IFCHR | 0666, makedev(5, 0)), "dev/tty");
	must(mkdir("dev/pts", 0755), "dev/pts");
	must(mkdir("dev/shm", 01777), "dev/shm");
	must(mkdir("dev/mqueue", 01777), "dev/mqueue");
	must(symlink("/proc/self/fd", "dev/fd"), "dev/fd");
	must(symlink("/proc/self/fd/0", "dev/stdin"), "dev/stdin");
	must(symlink("/proc/self/fd/1", "dev/stdout"), "dev/stdout");
	must(symlink("/proc/self/fd/2", "dev/stderr"), "dev/stderr");
	must(symlink("pts/ptmx", "dev/ptmx"), "dev/ptmx");
	umask(022);
	must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"), "devpts");
	must(mount("shm", "dev/shm", "tmpfs", SAFE, "mode=1777,size=65536k"), "shm");
	must(mount("mqueue", "dev/mqueue", "mqueue", SAFE, NULL), "mqueue");

	must(mount(lines[0], "etc/hosts", NULL, MS_BIND, NULL), "bind hosts");
	must(mount(lines[1], "etc/hostname", NULL, MS_BIND, NULL), "bind hostname");
	must(mount(lines[2], "etc/resolv.conf", NULL, MS_BIND, NULL), "bind resolv.conf");

	loopback_up();
	must(sethostname(name, strlen(name)), "sethostname");
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		read_only(fixed[i]);
	for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
		mask(masked[i]);

	must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "umount the old root");
	must(chdir("/"), "chdir /");
#ifdef SECCOMP
#error "the filter comes with the capabilities, when mydocker has both"
#endif
	execve(command[0], command, (char *[]){ "PATH=/bin", NULL });
	must(-1, command[0]);
}

int main(int argc, char **argv)
{
	int option, go[2], status;
	char pid[16];

	while ((option = getopt(argc, argv, "+tl:d:n:c:")) != -1)
		switch (option) {
		case 't': child_attaches = 1; break;
		case 'l': lower = optarg; break;
		case 'd': dir = optarg; break;
		case 'n': name = optarg; break;
		case 'c': if (hierarchies < MAX_CGROUPS) parents[hierarchies++] = optarg; break;
		default: return 125;
		}
	if (!lower || !dir || !name || optind == argc)
		return 125;

	snprintf(box, sizeof box, "%s/%s", dir, name);
	snprintf(upper, sizeof upper, "%s/upper", box);
	snprintf(work, sizeof work, "%s/work", box);
	snprintf(merged, sizeof merged, "%s/merged", box);
	must(mkdir(box, 0700), box);
	must(mkdir(upper, 0755), upper);
	must(mkdir(work, 0700), work);
	must(mkdir(merged, 0755), merged);
	static const char *files[] = { "hosts", "hostname", "resolv.conf" };
	static const char *texts[] = { "127.0.0.1\tlocalhost\n", "floor\n", "nameserver 127.0.0.1\n" };
	for (int i = 0; i < 3; i++) {
		snprintf(lines[i], sizeof lines[i], "%s/%s", box, files[i]);
		put(lines[i], texts[i], strlen(texts[i]));
	}
	for (int i = 0; i < hierarchies; i++) {
		snprintf(groups[i], sizeof groups[i], "%s/mydocker-bench-%s", parents[i], name);
		must(mkdir(groups[i], 0755), groups[i]);
	}

	must(pipe2(go, O_CLOEXEC), "pipe2");
	long child = syscall(SYS_clone, NAMESPACES | SIGCHLD, 0, 0, 0, 0);
	must(child, "clone");
	if (child == 0) {
		close(go[1]);
		inside(go[0], argv + optind);
	}
	if (!child_attaches) {
		snprintf(pid, sizeof pid, "%ld", child);
		for (int i = 0; i < hierarchies; i++)
			attach(i, "cgroup.procs", pid);
	}
	must(write(go[1], "", 1), "let the child go");
	must(wait4((pid_t)child, &status, 0, NULL), "wait4");

	for (int i = hierarchies; i-- > 0;)
		must(rmdir(groups[i]), groups[i]);
	for (int i = 0; i < 3; i++)
		must(unlink(lines[i]), lines[i]);
	snprintf(lines[3], sizeof lines[3], "%s/work", work);
	must(rmdir(merged), merged);
	must(rmdir(lines[3]), lines[3]);
	must(rmdir(work), work);
	must(rmdir(upper), upper);
	must(rmdir(box), box);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
