/* probe [HOST_PID HOST_NAME NAMESPACE...]: what a container's root may do, tried.
 *
 * One line a try: `NN NAME: ANSWER`, where NN is the row of docs/security.md and the answer is ok, an errno's name, or what
 * was read. HOST_PID is a process outside; NAMESPACE... are the host's, as `readlink /proc/self/ns/NAME` prints them.
 *
 * A filter's EPERM must not be mistaken for that of a missing capability, or the other way round. So a call has arguments
 * for which the kernel has another errno (EINVAL, EBADF, EFAULT) that it looks at before the capability, wherever it has
 * one. Where it looks at the capability first, the line's name ends in `(cap)`.
 *
 * Nothing here hurts a host without barriers: devices are opened for reading, files of /proc and /sys for writing but
 * nothing is written, and clocks, modules, reboot and swap get arguments that are never valid.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Numbers that a C library may not know yet; from Linux 5.1 on they are the same on every architecture. */
enum { OPEN_TREE = 428, MOVE_MOUNT, FSOPEN, FSCONFIG, FSMOUNT, FSPICK, PIDFD_OPEN, CLONE3,
	PIDFD_GETFD = 438, PROCESS_MADVISE = 440, MOUNT_SETATTR = 442, QUOTACTL_FD, LANDLOCK_CREATE_RULESET,
	SET_MEMPOLICY_HOME_NODE = 450, STATMOUNT = 457, LISTMOUNT, OPEN_TREE_ATTR = 467, FILE_GETATTR, FILE_SETATTR,
	IO_URING_SETUP = 425, IO_URING_ENTER, IO_URING_REGISTER, NEVER = 500 };

static const char *row = "";

static const char *name_of(int errnum)
{
	static char other[32];
	switch (errnum) {
	case 0: return "ok";
#define E(name) case name: return #name
	E(EPERM); E(ENOENT); E(ESRCH); E(EINTR); E(EIO); E(ENXIO); E(E2BIG); E(ENOEXEC); E(EBADF); E(ECHILD);
	E(EAGAIN); E(ENOMEM); E(EACCES); E(EFAULT); E(ENOTBLK); E(EBUSY); E(EEXIST); E(EXDEV); E(ENODEV); E(ENOTDIR);
	E(EISDIR); E(EINVAL); E(ENFILE); E(EMFILE); E(ENOTTY); E(ETXTBSY); E(EFBIG); E(ENOSPC); E(ESPIPE); E(EROFS);
	E(EMLINK); E(EPIPE); E(ERANGE); E(ENOSYS); E(ELOOP); E(ENODATA); E(EOPNOTSUPP); E(EAFNOSUPPORT); E(EPROTONOSUPPORT);
	E(ESOCKTNOSUPPORT); E(EADDRINUSE); E(EADDRNOTAVAIL); E(ECONNREFUSED); E(ENOKEY); E(EUSERS); E(EDQUOT); E(ENOMEDIUM);
#undef E
	}
	snprintf(other, sizeof other, "errno %d", errnum);
	return other;
}

__attribute__((format(printf, 2, 3))) static void say(const char *name, const char *form, ...)
{
	va_list args;
	va_start(args, form);
	printf("%s %s: ", row, name);
	vprintf(form, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
}

static void answer(const char *name, long result) { say(name, "%s", name_of(result < 0 ? errno : 0)); }

/* A try that could change this process is made by another, which says the errno with its exit code. */
#define APART(name, try) do { \
	pid_t child_ = fork(); \
	int status_ = 0; \
	if (child_ == 0) { alarm(10); long result_ = (try); _exit(result_ < 0 ? errno : 0); } \
	if (child_ < 0 || waitpid(child_, &status_, 0) < 0) say(name, "no child"); \
	else if (WIFSIGNALED(status_)) say(name, "signal %d", WTERMSIG(status_)); \
	else say(name, "%s", name_of(WEXITSTATUS(status_))); \
} while (0)

static long slurp(const char *path, char *into, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	size_t used = 0;
	ssize_t got;
	while (used < size - 1 && (got = read(fd, into + used, size - 1 - used)) > 0)
		used += (size_t)got;
	into[used] = 0;
	close(fd);
	return (long)used;
}

static char text[1 << 16];

/* The rest of the line of /proc/self/status that starts with it. */
static void status_line(const char *name)
{
	char want[64], *at;
	slurp("/proc/self/status", text, sizeof text);
	snprintf(want, sizeof want, "\n%s:", name);
	if (!(at = strstr(text, want))) {
		say(name, "none");
		return;
	}
	at += strlen(want);
	at += strspn(at, " \t");
	say(name, "%.*s", (int)strcspn(at, "\n"), at);
}

/* How many bytes can be read. */
static void reads(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		answer(path, -1);
		return;
	}
	char one[64];
	ssize_t got = read(fd, one, sizeof one);
	if (got < 0)
		answer(path, -1);
	else
		say(path, got ? "content" : "empty");
	close(fd);
}

static void opens_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	answer(path, fd);
	close(fd);
}

/* What is in a directory, and whether more can be put there. */
static void hidden_directory(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir) {
		answer(path, -1);
		return;
	}
	int entries = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		entries += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	char inside[PATH_MAX];
	snprintf(inside, sizeof inside, "%s/probe", path);
	int fd = open(inside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	say(path, "%s, new file %s", entries ? "content" : "empty", name_of(fd < 0 ? errno : 0));
	if (fd >= 0) {
		close(fd);
		unlink(inside);
	}
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *name, const char *path)
{
	DIR *dir = opendir(path);
	if (!dir) {
		answer(name, -1);
		return;
	}
	char *names[512];
	int count = 0;
	for (struct dirent *entry; (entry = readdir(dir)) && count < 512;)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			names[count++] = strdup(entry->d_name);
	closedir(dir);
	qsort(names, (size_t)count, sizeof *names, compare);
	printf("%s %s:", row, name);
	for (int i = 0; i < count; i++)
		printf(" %s", names[i]);
	putchar('\n');
	fflush(stdout);
}

static void device(const char *name, mode_t type, unsigned major, unsigned minor)
{
	char path[64];
	const char *dir = access("/tmp", W_OK) == 0 ? "/tmp" : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/";
	snprintf(path, sizeof path, "%s/probe.node", dir);
	unlink(path);
	if (mknod(path, type | 0600, makedev(major, minor)) < 0) {
		say(name, "mknod %s", name_of(errno));
		return;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	say(name, "mknod ok, open %s", name_of(fd < 0 ? errno : 0));
	close(fd);
	unlink(path);
}

static void mount_options(const char *at, const char *super)
{
	char *save, *line;
	const char *answer = "not mounted";
	static char found[512];
	slurp("/proc/self/mountinfo", text, sizeof text);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char point[PATH_MAX], options[256], *rest = strstr(line, " - "), *value;
		if (!rest || sscanf(line, "%*s %*s %*s %*s %4095s %255s", point, options) != 2 || strcmp(point, at))
			continue;
		answer = found;
		snprintf(found, sizeof found, "%s", options);
		/* The order is the kernel's; the time stamps are no barrier. */
		for (const char *word = super; word && *word; word += strlen(word) + 1)
			if ((value = strstr(rest, word)))
				snprintf(found + strlen(found), sizeof found - strlen(found), " %.*s", (int)strcspn(value, ",\n"), value);
	}
	say(at, "%s", answer);
}

#define S(nr, ...) syscall((nr), ##__VA_ARGS__)

static void state(int argc, char **argv)
{
	row = "01";
	status_line("CapInh"); status_line("CapPrm"); status_line("CapEff"); status_line("CapBnd"); status_line("CapAmb");
	static const char *caps[] = { "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid",
		"setpcap", "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
		"sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
		"sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
		"mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
		"checkpoint_restore" };
	for (int cap = 0; cap < (int)(sizeof caps / sizeof *caps); cap++) {
		char name[64];
		int got = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		snprintf(name, sizeof name, "bounding %s", caps[cap]);
		say(name, got < 0 ? "unknown" : got ? "yes" : "no");
	}
	row = "02";
	status_line("NoNewPrivs"); status_line("Seccomp"); status_line("Seccomp_filters");
	row = "03";
	{
		DIR *dir = opendir("/proc/self/fd");
		printf("%s descriptors:", row);
		for (struct dirent *entry; dir && (entry = readdir(dir));)
			if (*entry->d_name != '.' && atoi(entry->d_name) != dirfd(dir))
				printf(" %s", entry->d_name);
		putchar('\n');
		if (dir)
			closedir(dir);
	}
	row = "04";
	static const char *spaces[] = { "mnt", "pid", "uts", "ipc", "net", "cgroup", "user", "time" };
	for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
		char path[64], is[64] = "", *what = "its own";
		snprintf(path, sizeof path, "/proc/self/ns/%s", spaces[i]);
		if (readlink(path, is, sizeof is - 1) < 0)
			what = "none";
		for (int arg = 3; arg < argc; arg++)
			if (!strcmp(argv[arg], is))
				what = "the host's";
		say(spaces[i], "%s", argc > 3 ? what : "unknown");
	}
	row = "05";
	{
		char *save, *line, *shown = "/";
		slurp("/proc/self/cgroup", text, sizeof text);
		for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
			if (strcmp(strchr(line, '/') ? strchr(line, '/') : "/", "/"))
				shown = "a path of the host";
		say("cgroups", "%s", shown);
	}
	row = "06";
	{
		extern char **environ;
		char *names[256];
		int count = 0;
		for (char **entry = environ; *entry && count < 256; entry++)
			names[count++] = strndup(*entry, strcspn(*entry, "="));
		qsort(names, (size_t)count, sizeof *names, compare);
		printf("%s environment:", row);
		for (int i = 0; i < count; i++)
			printf(" %s", names[i]);
		putchar('\n');
	}
	row = "07";
	mode_t mask = umask(022);
	umask(mask);
	say("umask", "%04o", mask);
	slurp("/proc/self/oom_score_adj", text, sizeof text);
	say("oom_score_adj", "%.*s", (int)strcspn(text, "\n"), text);
	row = "08";
	slurp("/proc/self/mountinfo", text, sizeof text);
	say("mounts shared with the host", strstr(text, " shared:") ? "yes" : "no");
	say("mounts that follow the host's", strstr(text, " master:") ? "yes" : "no");
}

static void filtered(void)
{
	void *bad = (void *)-4096L;
	row = "09";
	answer("keyctl", S(SYS_keyctl, 0, 999999999L, 0));
	answer("add_key", S(SYS_add_key, bad, bad, 0, 0, 0));
	answer("request_key", S(SYS_request_key, bad, bad, 0, 0));
	row = "10";
	answer("bpf", S(SYS_bpf, 9999, bad, 1 << 20));
	row = "11";
	answer("userfaultfd", S(SYS_userfaultfd, 0x8001));
	row = "12";
	answer("perf_event_open", S(SYS_perf_event_open, bad, 0, -1, -1, -1L));
	row = "13";
	answer("mount", S(SYS_mount, "none", bad, "tmpfs", 0, 0));
	answer("umount2", S(SYS_umount2, bad, 0x40000000));
	answer("pivot_root (cap)", S(SYS_pivot_root, bad, bad));
	answer("fsopen (cap)", S(FSOPEN, bad, ~0));
	answer("fsconfig", S(FSCONFIG, -1, 99, 0, 0, 0));
	answer("fsmount (cap)", S(FSMOUNT, -1, ~0, 0));
	answer("fspick (cap)", S(FSPICK, -1, bad, ~0));
	answer("open_tree", S(OPEN_TREE, -1, bad, 2));
	answer("move_mount (cap)", S(MOVE_MOUNT, -1, bad, -1, bad, ~0));
	answer("mount_setattr", S(MOUNT_SETATTR, -1, bad, 2, bad, 32));
	row = "14";
	APART("unshare(0)", S(SYS_unshare, 0));
	APART("unshare(NEWUSER)", S(SYS_unshare, CLONE_NEWUSER));
	APART("unshare(NEWNS) (cap)", S(SYS_unshare, CLONE_NEWNS));
	/* CLONE_THREAD without CLONE_SIGHAND is EINVAL, before any capability. */
	row = "15";
	static const struct { const char *name; unsigned long flag; } kinds[] = {
		{ "clone(0)", 0 }, { "clone(NEWUSER)", CLONE_NEWUSER }, { "clone(NEWNS)", CLONE_NEWNS }, { "clone(NEWUTS)", CLONE_NEWUTS },
		{ "clone(NEWIPC)", CLONE_NEWIPC }, { "clone(NEWPID)", CLONE_NEWPID }, { "clone(NEWNET)", CLONE_NEWNET },
		{ "clone(NEWCGROUP)", 0x02000000 } };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		answer(kinds[i].name, S(SYS_clone, CLONE_THREAD | kinds[i].flag, 0, 0, 0, 0));
	row = "16";
	answer("setns", S(SYS_setns, -1, 0));
	row = "17";
	answer("open_by_handle_at", S(SYS_open_by_handle_at, -1, bad, 0));
	row = "18";
	answer("kexec_load (cap)", S(SYS_kexec_load, 0, 0, 0, ~0L));
#ifdef SYS_kexec_file_load
	answer("kexec_file_load (cap)", S(SYS_kexec_file_load, -1, -1, 0, 0, ~0L));
#endif
	row = "19";
	answer("init_module (cap)", S(SYS_init_module, bad, 0, bad));
	answer("finit_module (cap)", S(SYS_finit_module, -1, bad, ~0));
	answer("delete_module (cap)", S(SYS_delete_module, bad, 0));
#ifdef SYS_create_module
	answer("create_module", S(SYS_create_module, bad, 0));
#endif
	row = "20";
	answer("reboot (cap)", S(SYS_reboot, 1, 2, 3, 0));
	row = "21";
	answer("swapon", S(SYS_swapon, bad, ~0));
	answer("swapoff (cap)", S(SYS_swapoff, bad));
	answer("acct (cap)", S(SYS_acct, bad));
	answer("quotactl", S(SYS_quotactl, 0x7fffff, bad, 0, 0));
	answer("quotactl_fd", S(QUOTACTL_FD, -1, 0x7fffff, 0, 0));
	row = "22";
	struct timeval never = { 0, 2000000 };
	answer("settimeofday", S(SYS_settimeofday, &never, 0));
	answer("clock_settime", S(SYS_clock_settime, 99, &never));
	row = "23";
#ifdef SYS_iopl
	answer("iopl", S(SYS_iopl, 99));
	answer("ioperm", S(SYS_ioperm, 1 << 20, 1, 1));
#endif
	row = "24";
	answer("syslog (cap)", S(SYS_syslog, 10, 0, 0));
	APART("vhangup (cap)", S(SYS_vhangup));
	row = "25";
	answer("sethostname (cap)", S(SYS_sethostname, bad, -1));
	answer("setdomainname (cap)", S(SYS_setdomainname, bad, -1));
	row = "26";
#ifdef SYS_lookup_dcookie
	answer("lookup_dcookie", S(SYS_lookup_dcookie, 0, bad, 0));
#endif
	answer("nfsservctl", S(SYS_nfsservctl, 0, bad, bad));
#ifdef SYS_uselib
	answer("uselib", S(SYS_uselib, bad));
	answer("ustat", S(SYS_ustat, ~0L, bad));
	answer("sysfs", S(SYS_sysfs, 99, 0, 0));
	answer("_sysctl", S(SYS__sysctl, bad));
#endif
	row = "27";
	answer("mbind", S(SYS_mbind, 1, 1, 99, 0, 0, ~0));
	answer("set_mempolicy", S(SYS_set_mempolicy, 99, 0, 0));
	answer("get_mempolicy", S(SYS_get_mempolicy, 0, 0, 0, 0, ~0L));
	answer("migrate_pages", S(SYS_migrate_pages, -1, 1L << 40, 0, 0));
	answer("move_pages", S(SYS_move_pages, -1, 0, 0, 0, 0, ~0));
	answer("set_mempolicy_home_node", S(SET_MEMPOLICY_HOME_NODE, 1, 0, 0, ~0L));
	row = "28";
	answer("kcmp", S(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
	answer("pidfd_getfd", S(PIDFD_GETFD, -1, -1, ~0));
	answer("process_madvise", S(PROCESS_MADVISE, -1, bad, 0, 0, ~0));
	long fan = S(SYS_fanotify_init, 0x200, 0);
	answer("fanotify_init", fan);
	if (fan >= 0)
		close((int)fan);
	answer("io_uring_setup", S(IO_URING_SETUP, 0, bad));
	answer("io_uring_enter", S(IO_URING_ENTER, -1, 0, 0, ~0, 0, 0));
	answer("io_uring_register", S(IO_URING_REGISTER, -1, 99, 0, 0));
}

static long attach(uid_t uid)
{
	int status, go[2];
	char byte;
	if (pipe(go) < 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		if (uid && (setgid(uid) < 0 || setuid(uid) < 0))
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1);
		if (write(go[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(go[1]);
	if (read(go[0], &byte, 1) != 1) {
		waitpid(child, &status, 0);
		errno = ECHILD;         /* there is no other user here */
		return -1;
	}
	long result = ptrace(PTRACE_ATTACH, child, 0, 0);
	int errnum = errno;
	if (result == 0)
		waitpid(child, &status, 0);
	if (result == 0 && uid == 0) {
		char here[8] = "here", there[8];
		struct iovec local = { there, 8 }, remote = { here, 8 };
		if (process_vm_readv(child, &local, 1, &remote, 1, 0) != 8)
			result = -1, errnum = errno;
	}
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	errno = errnum;
	return result;
}

static long over_socket(void)
{
	int pair[2];
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = { 0 };
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return -1;
	struct iovec iov = { &byte, 1 };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	part->cmsg_level = SOL_SOCKET;
	part->cmsg_type = SCM_RIGHTS;
	part->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(part), &pair[0], sizeof(int));
	return sendmsg(pair[0], &message, 0) == 1 && recvmsg(pair[1], &message, 0) == 1 ? 0 : -1;
}

static long bind_port(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof at);
}

static long personalities(void)
{
	static const unsigned long good[] = { 0xffffffff, 0, 8, 0x20000, 0x20008 };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (S(SYS_personality, good[i]) < 0)
			return -1;
	return 0;
}

#ifdef __x86_64__
static long i386_getpid(void)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	if (result < 0)
		errno = (int)-result;
	return result;
}

/* socketcall(1 SYS_SOCKET, {AF_ALG, SOCK_SEQPACKET, 0}): a filter cannot see the family. */
static long i386_af_alg(void)
{
	unsigned *args = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	if (args == MAP_FAILED)
		return -1;
	args[0] = 38;
	args[1] = 12;           /* no type: EINVAL before the family is looked at */
	args[2] = 0;
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(102L), "b"(1L), "c"(args) : "memory", "r8", "r9", "r10", "r11");
	if (result < 0)
		errno = (int)-result;
	return result;
}
#endif

static void other_answers(void)
{
	row = "29";
	answer("clone3", S(CLONE3, 0, 0));
	row = "30";
	APART("personality, five that are allowed", personalities());
	APART("personality ADDR_NO_RANDOMIZE", S(SYS_personality, 0x0040000));
	APART("personality READ_IMPLIES_EXEC", S(SYS_personality, 0x0400000));
	row = "31";
	static const struct { const char *name; int family, type; } good[] = {
		{ "socket UNIX", 1, SOCK_STREAM }, { "socket INET", 2, SOCK_STREAM }, { "socket INET6", 10, SOCK_STREAM },
		{ "socket NETLINK", 16, SOCK_RAW }, { "socket PACKET", 17, SOCK_RAW } };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		int fd = socket(good[i].family, good[i].type, 0);
		answer(good[i].name, fd);
		close(fd);
	}
	/* A type that does not exist is EINVAL before the family is looked up, so that no module is loaded for it. */
	row = "32";
	static const struct { const char *name; int family; } bad[] = { { "socket DECnet", 12 }, { "socket 19", 19 }, { "socket 20", 20 },
		{ "socket IRDA", 23 }, { "socket 25", 25 }, { "socket ISDN", 34 }, { "socket CAIF", 37 }, { "socket ALG", 38 },
		{ "socket VSOCK", 40 }, { "socket 46", 46 }, { "socket 99", 99 } };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		answer(bad[i].name, socket(bad[i].family, 12, 0));
	/* The kernel takes the family as an int: a filter that compares 64 bits would let this by. */
	answer("socket VSOCK, high bits set", S(SYS_socket, 1L << 32 | 40, 12L, 0L));
	row = "33";
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	answer("raw socket ICMP", raw);
	close(raw);
	APART("bind port 80", bind_port(80));
	row = "34";
	APART("ptrace of its own child", attach(0));
	row = "35";
	APART("ptrace of another user's process", attach(1000));
	row = "36";
	struct { unsigned bytes; int type; char handle[128]; } handle = { 128, 0, "" };
	int mount_id;
	answer("name_to_handle_at", S(SYS_name_to_handle_at, AT_FDCWD, "/proc/self/..", &handle, &mount_id, 0) == 0 || errno == EOPNOTSUPP ? 0 : -1);
	long fd = S(PIDFD_OPEN, 1, 0);
	answer("pidfd_open", fd);
	close((int)fd);
	fd = S(SYS_memfd_create, "probe", 1);
	answer("memfd_create", fd);
	close((int)fd);
	answer("seccomp", S(SYS_seccomp, 2, 0, &(unsigned){ 0x7fff0000 }));
	answer("landlock_create_ruleset", S(LANDLOCK_CREATE_RULESET, 0, 0, 1) >= 0 || errno == EOPNOTSUPP ? 0 : -1);
	row = "37";
	struct timex look = { 0 }, tick = { .modes = ADJ_TICK, .tick = 1 };
	answer("adjtimex, reading", S(SYS_adjtimex, &look));
	answer("adjtimex, setting", S(SYS_adjtimex, &tick));
	answer("clock_adjtime, setting", S(SYS_clock_adjtime, CLOCK_REALTIME, &tick));
	row = "38";
	APART("chroot", chroot("/"));
	APART("setuid", setuid(1));
	APART("setgroups", S(SYS_setgroups, 0, 0));
	row = "39";
	answer("statmount", S(STATMOUNT, bad, bad, 0, ~0));
	answer("listmount", S(LISTMOUNT, bad, bad, 0, ~0));
	answer("open_tree_attr", S(OPEN_TREE_ATTR, -1, bad, 2, bad, 32));
	answer("file_getattr", S(FILE_GETATTR, -1, bad, bad, 0, ~0));
	answer("file_setattr", S(FILE_SETATTR, -1, bad, bad, 0, ~0));
	answer("number 500", S(NEVER));
	row = "40";
#ifdef __x86_64__
	APART("x32 getpid", S(0x40000000 + 39));
	row = "41";
	APART("i386 getpid", i386_getpid());
	APART("i386 socketcall ALG", i386_af_alg());
#endif
	row = "42";
	answer("SCM_RIGHTS", over_socket());
	answer("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
	answer("eventfd", eventfd(0, EFD_CLOEXEC));
	answer("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	sigset_t set;
	sigemptyset(&set);
	answer("signalfd", signalfd(-1, &set, SFD_CLOEXEC));
	answer("inotify_init1", inotify_init1(IN_CLOEXEC));
	unsigned long context = 0;
	answer("io_setup", S(SYS_io_setup, 1, &context));
	S(SYS_io_destroy, context);
	answer("futex", S(SYS_futex, &mount_id, 1, 1, 0, 0, 0));
	int ends[2];
	if (pipe(ends) == 0 && write(ends[1], "x", 1) == 1)
		answer("splice", S(SYS_tee, ends[0], ends[1], 0, 0));
	answer("rseq", S(SYS_rseq, bad, 99, 0, 0) < 0 && errno == EPERM ? -1 : 0);
	answer("copy_file_range", S(SYS_copy_file_range, -1, 0, -1, 0, 0, 0) < 0 && errno != EBADF ? -1 : 0);
	answer("mlock", mlock(text, 4096));
	answer("sched_setscheduler", sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 }));
	answer("setpriority", S(SYS_setpriority, 0, 0, 5));
}

static long cgroup_file(const char *name, char *path, size_t size)
{
	/* The view's root and each hierarchy's: the first that can be opened, else the first error. */
	int first = ENOENT;
	DIR *dir = opendir("/sys/fs/cgroup");
	if (!dir)
		return -1;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!strcmp(entry->d_name, ".."))
			continue;
		snprintf(path, size, "/sys/fs/cgroup/%s/%s", entry->d_name, name);
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			closedir(dir);
			return 0;
		}
		if (errno != ENOENT && errno != ENOTDIR)
			first = errno;
	}
	closedir(dir);
	errno = first;
	return -1;
}

static void files(void)
{
	row = "43";
	static const char *masked[] = { "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/timer_stats" };
	for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
		reads(masked[i]);
	row = "44";
	static const char *dirs[] = { "/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
		"/sys/devices/system/cpu/cpu0/thermal_throttle" };
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		hidden_directory(dirs[i]);
	row = "45";
	static const char *sysctls[] = { "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/kernel/modprobe",
		"/proc/sys/kernel/hotplug", "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/fs/binfmt_misc/register" };
	for (size_t i = 0; i < sizeof sysctls / sizeof *sysctls; i++)
		opens_for_writing(sysctls[i]);
	row = "46";
	opens_for_writing("/proc/sysrq-trigger");
	opens_for_writing("/proc/irq/default_smp_affinity");
	static const char *below[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys" };
	for (size_t i = 0; i < sizeof below / sizeof *below; i++) {
		struct statfs fs;
		say(below[i], "%s", statfs(below[i], &fs) < 0 ? name_of(errno) : fs.f_flags & 1 ? "read-only" : "writable");
	}
	row = "47";
	{
		int fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		answer("/proc/kmsg", fd);
		close(fd);
	}
	row = "48";
	{
		long got = slurp("/proc/kallsyms", text, sizeof text);
		int zero = 1;
		for (char *line = text; got > 0 && line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : 0)
			if (strncmp(line, "0000000000000000 ", 17) && strchr(line, '\n') && strlen(line) > 17)
				zero = 0;
		say("addresses in /proc/kallsyms", got < 0 ? "none" : zero ? "zero" : "content");
	}
	row = "49";
	opens_for_writing("/sys/power/state");
	opens_for_writing("/sys/kernel/uevent_helper");
	opens_for_writing("/sys/kernel/profiling");
	opens_for_writing("/sys/kernel/mm/transparent_hugepage/enabled");
	opens_for_writing("/sys/module/printk/parameters/time");
	row = "50";
	static const char *limits[] = { "cgroup.procs", "tasks", "memory.max", "memory.limit_in_bytes", "pids.max", "devices.allow",
		"release_agent", "notify_on_release" };
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		char path[PATH_MAX];
		answer(limits[i], cgroup_file(limits[i], path, sizeof path));
	}
	row = "51";
	device("block 8:0", S_IFBLK, 8, 0);
	device("block 254:0", S_IFBLK, 254, 0);
	device("block 259:0", S_IFBLK, 259, 0);
	device("block 7:0", S_IFBLK, 7, 0);
	row = "52";
	device("mem 1:1", S_IFCHR, 1, 1);
	device("port 1:4", S_IFCHR, 1, 4);
	device("kmsg 1:11", S_IFCHR, 1, 11);
	device("tty0 4:0", S_IFCHR, 4, 0);
	device("console 5:1", S_IFCHR, 5, 1);
	device("tun 10:200", S_IFCHR, 10, 200);
	device("fuse 10:229", S_IFCHR, 10, 229);
	device("kvm 10:232", S_IFCHR, 10, 232);
	device("loop-control 10:237", S_IFCHR, 10, 237);
	device("null 1:3", S_IFCHR, 1, 3);
	row = "53";
	static const char *absent[] = { "/dev/mem", "/dev/kmsg", "/dev/fuse", "/dev/kvm", "/dev/sda", "/dev/vda", "/dev/net/tun" };
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		answer(absent[i], access(absent[i], F_OK));
	row = "54";
	list("/dev", "/dev");
	static const struct { const char *path; unsigned major, minor; } nodes[] = { { "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 },
		{ "/dev/full", 1, 7 }, { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };
	for (size_t i = 0; i < sizeof nodes / sizeof *nodes; i++) {
		struct stat stat_;
		int fd = open(nodes[i].path, O_RDWR | O_NOCTTY | O_CLOEXEC);
		int errnum = fd < 0 ? errno : 0;
		close(fd);
		if (stat(nodes[i].path, &stat_) < 0)
			answer(nodes[i].path, -1);
		else
			say(nodes[i].path, "%s, open %s", stat_.st_rdev == makedev(nodes[i].major, nodes[i].minor) ? "right" : "wrong", name_of(errnum));
	}
	row = "55";
	mount_options("/proc", 0);
	mount_options("/sys", 0);
	mount_options("/sys/fs/cgroup", 0);
	mount_options("/dev", 0);
	mount_options("/dev/pts", "gid=\0mode=\0ptmxmode=\0");
	mount_options("/dev/shm", "size=\0");
	mount_options("/dev/mqueue", 0);
	row = "56";
	struct stat root, other;
	static const char *ups[] = { "/..", "/proc/1/root", "/proc/1/root/..", "/proc/self/root/../..", "/proc/1/cwd/../../.." };
	stat("/", &root);
	for (size_t i = 0; i < sizeof ups / sizeof *ups; i++)
		say(ups[i], "%s", stat(ups[i], &other) < 0 ? name_of(errno) : root.st_ino == other.st_ino && root.st_dev == other.st_dev ? "the root" : "elsewhere");
	row = "57";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	answer("oom_score_adj lowered", fd < 0 ? -1 : write(fd, "-1000", 5));
	close(fd);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	answer("oom_score_adj raised", fd < 0 ? -1 : write(fd, "500", 3));
	close(fd);
}

/* In a terminal of the container's own. */
static long own_terminal(unsigned long request)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), zero = 0, number;
	char path[32], byte[2] = "x";
	if (master < 0 || ioctl(master, TIOCSPTLCK, &zero) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	setsid();
	int slave = open(path, O_RDWR);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		return -1;
	return ioctl(slave, request, byte);
}

static void rest(int argc, char **argv)
{
	char byte[2] = "x";
	row = "58";
	/* Only where standard input is a terminal is this an attempt at anything. */
	answer("TIOCSTI on standard input", ioctl(0, TIOCSTI, byte));
	answer("TIOCLINUX on standard input", ioctl(0, TIOCLINUX, byte));
	APART("TIOCSTI on a terminal of its own", own_terminal(TIOCSTI));
	APART("TIOCLINUX on a terminal of its own", own_terminal(TIOCLINUX));
	row = "59";
	{
		long got = slurp("/proc/self/attr/current", text, sizeof text);
		say("/proc/self/attr/current", "%.*s", got > 0 ? (int)strcspn(text, "\n") : 4, got > 0 ? text : "none");
	}
	row = "60";
	{
		DIR *dir = opendir("/proc");
		int seen = 0;
		for (struct dirent *entry; dir && (entry = readdir(dir));)
			seen += atoi(entry->d_name) > 0 && atoi(entry->d_name) != getpid() && atoi(entry->d_name) != 1;
		say("other processes seen", "%s", seen ? "yes" : "no");
		if (dir)
			closedir(dir);
		if (argc > 1 && atoi(argv[1]) > 1)
			answer("signal to a process of the host", kill(atoi(argv[1]), 0));
	}
	row = "61";
	{
		char name[256] = "";
		gethostname(name, sizeof name - 1);
		if (argc > 2)
			say("hostname", strcmp(name, argv[2]) ? "its own" : "the host's");
	}
	row = "62";
	opens_for_writing("/etc/hosts");
	opens_for_writing("/etc/hostname");
	opens_for_writing("/etc/resolv.conf");
	row = "63";
	list("/", "/");
	ssize_t got = readlink("/proc/1/exe", text, sizeof text - 1);
	text[got > 0 ? got : 0] = 0;
	say("/proc/1/exe", "%s", got < 0 ? name_of(errno) : strrchr(text, '/') ? strrchr(text, '/') + 1 : text);
	row = "64";
	{
		char copy[] = "/probe.setuid";
		int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
		int ends[2];
		if (from < 0 || to < 0 || pipe2(ends, O_CLOEXEC) < 0) {
			answer("set-user-ID program", -1);
			return;
		}
		while ((got = read(from, text, sizeof text)) > 0)
			if (write(to, text, (size_t)got) != got)
				break;
		fchmod(to, 04755);
		close(to);
		pid_t child = fork();
		if (child == 0) {
			dup2(ends[1], 1);
			if (setgid(1000) == 0 && setuid(1000) == 0)
				execl(copy, "probe", "effective", (char *)0);
			printf("%s", name_of(errno));
			fflush(stdout);
			_exit(0);
		}
		close(ends[1]);
		got = read(ends[0], text, 200);
		text[got > 0 ? got : 0] = 0;
		waitpid(child, 0, 0);
		unlink(copy);
		say("set-user-ID program", "%s", text);
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "effective")) {
		char *at;
		slurp("/proc/self/status", text, sizeof text);
		at = strstr(text, "CapEff:");
		printf("uid %d, CapEff %.16s", (int)geteuid(), at ? at + 8 : "");
		return 0;
	}
	setvbuf(stdout, 0, _IOLBF, 0);
	alarm(120);
	state(argc, argv);
	filtered();
	other_answers();
	files();
	rest(argc, argv);
	return 0;
}
