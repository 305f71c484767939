/* holes WHAT [ARG...]: the single attempts of tests/sessions/holes*.sh, those that a shell cannot make.
 *
 *   listen NAME        listens on the abstract socket NAME, says "ready"      (of the host)
 *   connect NAME       connects to it
 *   type TEXT          types TEXT into standard input's terminal (TIOCSTI)
 *   console            asks standard input's console for the shift keys (TIOCLINUX)
 *   write FILE         opens FILE for writing, and writes nothing
 *   exe                opens /proc/N/exe of every process for writing; says each that is not its own file
 *   snoop SECONDS      looks at every process that turns up: its descriptors, its memory; then what it got
 *   memory PID TEXT    whether TEXT is in the memory of a process
 *   swap A B           exchanges the two names (RENAME_EXCHANGE) until it is killed
 *   inotify            inotify instances until there are no more; says how many, and why no more
 *   ptys SECONDS       terminals until there are no more
 *   keys COUNT         keys in the process's keyring, until there are no more
 *   session            the session keyring's id
 *   fork               processes until there are no more; they end with it
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int is(const char *a, const char *b) { return !strcmp(a, b); }

static const char *name(int errnum)
{
	static char other[32];
	switch (errnum) {
	case 0: return "ok";
#define E(errnum) case errnum: return #errnum
	E(EPERM); E(ENOENT); E(ESRCH); E(EIO); E(EBADF); E(EAGAIN); E(ENOMEM); E(EACCES); E(EFAULT); E(ENOTDIR); E(EINVAL); E(EMFILE);
	E(ENFILE); E(ENOTTY); E(ETXTBSY); E(EROFS); E(ELOOP); E(ENOSYS); E(ECONNREFUSED); E(EDQUOT); E(ENOKEY); E(ENOSPC);
#undef E
	}
	snprintf(other, sizeof other, "errno %d", errnum);
	return other;
}

static int say(long result)
{
	puts(name(result < 0 ? errno : 0));
	return 0;
}

static int abstract(const char *path, int listening)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(at.sun_path + 1, path, strlen(path));
	if (!listening)
		return say(connect(fd, (struct sockaddr *)&at, size));
	if (bind(fd, (struct sockaddr *)&at, size) < 0 || listen(fd, 8) < 0)
		return say(-1);
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

static int exes(void)
{
	DIR *dir = opendir("/proc");
	struct stat own, other;
	stat("/proc/self/exe", &own);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[64];
		if (atoi(entry->d_name) <= 0)
			continue;
		snprintf(path, sizeof path, "/proc/%d/exe", atoi(entry->d_name));
		if (stat(path, &other) < 0 || (own.st_dev == other.st_dev && own.st_ino == other.st_ino))
			continue;
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		printf("%s %s\n", entry->d_name, name(fd < 0 ? errno : 0));
		close(fd);
	}
	return 0;
}

/* Whose descriptors or memory can be had, by the start of its exe's path; each once. */
static int memory(const char *pid, const char *text)
{
	char path[64], line[512];
	static char page[4096 + 256];
	unsigned long from, to;
	snprintf(path, sizeof path, "/proc/%s/maps", pid);
	FILE *maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%s/mem", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!maps || fd < 0)
		return say(-1);
	while (fgets(line, sizeof line, maps)) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2 || strstr(line, "[v"))
			continue;
		for (; from < to; from += 4096) {
			ssize_t size = pread(fd, page, sizeof page, from);
			if (size > 0 && memmem(page, size, text, strlen(text))) {
				puts("it is in its memory");
				return 0;
			}
		}
	}
	puts("its whole memory was read");
	return 0;
}

static int snoop(int seconds)
{
	char seen[64][128];
	int count = 0, looked = 0;
	time_t end = time(0) + seconds;
	struct stat own, other;
	stat("/proc/self/exe", &own);
	puts("ready");
	fflush(stdout);
	while (time(0) < end) {
		DIR *dir = opendir("/proc");
		for (struct dirent *entry; dir && (entry = readdir(dir));) {
			char path[64], got[128] = "", exe[64] = "?";
			pid_t pid = atoi(entry->d_name);
			if (pid <= 1 || pid == getpid())
				continue;
			looked++;
			snprintf(path, sizeof path, "/proc/%d/fd", pid);
			DIR *fds = opendir(path);
			if (!fds)
				continue;
			snprintf(path, sizeof path, "/proc/%d/exe", pid);
			ssize_t size = readlink(path, exe, sizeof exe - 1);
			exe[size > 0 ? size : 0] = 0;
			closedir(fds);
			snprintf(path, sizeof path, "/proc/%d/mem", pid);
			int fd = stat("/proc/self/exe", &other) < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
			snprintf(got, sizeof got, "%.60s%s", exe, fd < 0 ? "" : ", its memory");
			close(fd);
			int known = 0;
			for (int i = 0; i < count; i++)
				known |= is(seen[i], got);
			if (!known && count < 64)
				strcpy(seen[count++], got);
		}
		if (dir)
			closedir(dir);
	}
	for (int i = 0; i < count; i++)
		printf("got: %s\n", seen[i]);
	printf("looked: %s\n", looked ? "yes" : "no");
	return 0;
}

static int swap(const char *a, const char *b)
{
	puts("ready");
	fflush(stdout);
	for (;;)
		if (syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2) < 0)
			return say(-1);
}

static int forks(void)
{
	int count = 0;
	pid_t child;
	signal(SIGCHLD, SIG_DFL);
	while ((child = fork()) > 0)
		count++;
	if (child == 0)
		for (;;)
			pause();
	printf("%s after %d\n", name(errno), count);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "";
	setvbuf(stdout, 0, _IOLBF, 0);
	if (is(what, "listen") || is(what, "connect"))
		return abstract(arg, is(what, "listen"));
	if (is(what, "type")) {
		long result = 0;
		for (; *arg && result == 0; arg++)
			result = ioctl(0, TIOCSTI, arg);
		return say(result);
	}
	if (is(what, "console"))
		return say(ioctl(0, TIOCLINUX, (char[]){ 6, 0 }));
	if (is(what, "write"))
		return say(open(arg, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	if (is(what, "exe"))
		return exes();
	if (is(what, "snoop"))
		return snoop(atoi(arg));
	if (is(what, "swap") && argc > 3)
		return swap(arg, argv[3]);
	if (is(what, "inotify")) {
		int count = 0;
		while (inotify_init1(0) >= 0)
			count++;
		printf("%s after %d\n", name(errno), count);
		fflush(stdout);
		if (*arg)
			sleep((unsigned)atoi(arg));
		return 0;
	}
	if (is(what, "ptys")) {
		int count = 0;
		while (open("/dev/ptmx", O_RDWR | O_NOCTTY) >= 0)
			count++;
		printf("%s after %d\n", name(errno), count);
		sleep((unsigned)atoi(arg));
		return 0;
	}
	if (is(what, "keys")) {
		int count = 0;
		char key[32];
		for (; count < atoi(arg); count++) {
			snprintf(key, sizeof key, "hole-%d", count);
			if (syscall(SYS_add_key, "user", key, "x", 1, -2) < 0)
				break;
		}
		printf("%s after %d\n", name(count < atoi(arg) ? errno : 0), count);
		return 0;
	}
	if (is(what, "memory"))
		return memory(arg, argc > 3 ? argv[3] : "");
	if (is(what, "session")) {
		long id = syscall(SYS_keyctl, 0, -3, 0);
		if (id < 0)
			return say(-1);
		printf("%ld\n", id);
		return 0;
	}
	if (is(what, "fork"))
		return forks();
	fprintf(stderr, "holes: what is %s?\n", what);
	return 99;
}
