/* faults [OPTIONS] MYDOCKER IMAGE.tar DIRECTORY: what comes of each system call of a start that fails, or that is the last.
 *
 * A representative run is traced once to know its calls; then it is run again for each of them and each errno, with
 * that one call answered by that errno (it is not made; a close is made, since the kernel's always is), or with
 * SIGKILL at that moment. It counts a call by process and number, as strace's `when=` does: "the child's 3rd openat".
 * What has to hold after each is in judge(). strace could do the same, but stops every process at every call, and cannot be
 * told which process is meant; -S runs the cases that it can do with both, and compares.
 *
 *   -j N        workers beside each other (1)          -v NAME   this variant only (all; may be repeated)
 *   -s SEED     shuffle by it                          -n N      at most so many cases
 *   -t SECONDS  no new case after that time            -o FILE   a line a case, tabs between
 *   -1 ROLE:CALL:WHEN:ERRNO    that case only, and what it wrote    -l   list the cases and exit
 *   -S          each case again with strace as the injector
 *
 * Each worker has a mount namespace, a store and a part of each cgroup hierarchy of its own, so that what is left is
 * certainly its own. In a container it is the command: `/probe`.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef __x86_64__
#error "only x86_64: the registers that a call's number and result are in"
#endif

/* What a layer is in layers/: its tree, its archive's other half, its size. */
enum { LAYER_FILES = 3 };

enum { CALLS = 512, LIMIT_MS = 5000, TEXT = 1 << 16, MOST = 65536 };

static const char *call_names[CALLS] = {
#include "names.h"
};

static const struct { const char *name; int nr; } errnos[] = {
	{ "EPERM", EPERM }, { "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC }, { "EINTR", EINTR }, { "EAGAIN", EAGAIN },
	{ "EIO", EIO }, { "ENOSYS", ENOSYS }, { "EMFILE", EMFILE },
};
enum { ERRNOS = sizeof errnos / sizeof *errnos };

/* What is done at a call besides answering it with an errno. */
enum { KILL = 1000, NEVER = 2000 };   /* NEVER + errno: from then on, and in every process */

static const char *how(int what)
{
	static char text[32];
	if (what == KILL)
		return "SIGKILL";
	for (int i = 0; i < ERRNOS; i++)
		if (errnos[i].nr == what % NEVER) {
			snprintf(text, sizeof text, "%s%s", errnos[i].name, what >= NEVER ? "+" : "");
			return text;
		}
	return "?";
}

/* --- the runs that are tried --------------------------------------------------------------------------------- */

static const int detached[] = { SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_open_tree, SYS_move_mount, SYS_mount_setattr, -1 };
static const int old_clone[] = { SYS_clone3, -1 };
static const int old_walk[] = { SYS_openat2, -1 };
static const int none[] = { -1 };

static const struct variant {
	const char *name;
	int tty;
	int refused;                    /* this start is not to be made: 125, whatever fails besides */
	int user;                       /* an ordinary user's */
	const int *stub;                /* calls that this kernel has not got, answered with ENOSYS */
	const char *flags[12];
	int import;                     /* into a store that is not there yet */
} variants[] = {
	{ "terminal", 1, 0, 0, none, { "-it", "-u", "app" } },
	{ "piped", 0, 0, 0, none, { "-i" } },
	{ "serial", 1, 0, 0, old_clone, { "-it", "-u", "app" } },
	{ "classic", 0, 0, 0, detached, { "-i", "-u", "app" } },
	{ "init", 0, 0, 0, none, { "-i", "--init", "--read-only" } },
	{ "rootless", 1, 0, 1, none, { "-it" } },
	{ "import", 0, 0, 0, none, { "-i" }, .import = 1 },
	{ "refused", 0, 1, 0, none, { "-i", "-v", "/tmp:/toproc/attr" } },
	{ "walked", 0, 1, 0, old_walk, { "-i", "-v", "/tmp:/toproc/attr" } },
	{ "userns", 1, 0, 0, none, { "-it", "-u", "app", "--userns", "300000:300000:65536" } },
};
enum { VARIANTS = sizeof variants / sizeof *variants };

/* --- cases and what came of them ------------------------------------------------------------------------------ */

/* Roles: 0 the supervisor, 1, 2 ... the children that it made, in order; 9 the command below --init's process; -1 all. */
struct spot { short variant, role, call, when; };

enum outcome {
	PENDING, MISSED, SAME, FAILED, COMMAND, LATER, KILLED, SWEPT,
	BAD, HANG = BAD, CRASH, OPEN, OUTPUT, CODE, SILENT, LINES, MOUNT, CGROUP, PROCESS, DIRECTORY, TERMINAL, VOLUME, UNSWEPT,
	OUTCOMES
};
static const char *const outcomes[] = {
	"pending", "not reached", "as without", "125 and a line", "126 and a line", "said, swept next", "ended, clean", "swept",
	"HANG", "CRASH", "OPEN: less confined", "OTHER OUTPUT", "OTHER CODE", "SILENT", "LINES", "LEFT: mount",
	"LEFT: cgroup", "LEFT: process", "LEFT: directory", "LEFT: terminal mode", "LEFT: volume", "LEFT: after the sweep",
};

struct trial {
	struct spot at;
	int what;
	int outcome, code;
	float ms;
	char detail[220];
};

static struct shared {
	volatile int next, done, bad;
	int count, compared, differ;
	double strace_ms, mine_ms;      /* by one worker */
	struct trial trials[MOST];
} *shared;

static const char *mydocker, *image, *dir;
static int verbose, with_strace, may_be_rootless;

static void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "faults: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* --- a worker's world ------------------------------------------------------------------------------------------- */

enum { USER = 54321 };                 /* nobody's, and without ranges of ids */
static char world[PATH_MAX - 64];      /* its directory */
static char part[300];                 /* its cgroup in each hierarchy */
static int master = -1, slave = -1, out = -1, err = -1, in = -1;
static struct termios cooked;
static char mounts[TEXT], *groups[16];
static int group_count, store_entries;
static struct { char text[TEXT]; int known; } postures[VARIANTS][4];
static char outputs[VARIANTS][4096];

static const char *path(const char *format, ...)
{
	static char buf[4][PATH_MAX];
	static int turn;
	char *at = buf[turn++ % 4];
	int n = snprintf(at, PATH_MAX, "%s/", world);
	va_list args;
	va_start(args, format);
	vsnprintf(at + n, PATH_MAX - n, format, args);
	return at;
}

static int slurp(const char *name, char *buf, int size)
{
	int n = 0, got, fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) > 0)
		n += got;
	close(fd);
	buf[n] = 0;
	return n;
}

static void put(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s", name);
	close(fd);
}

/* Not a link, which would change the file under who reads it. */
static void copy(const char *from, const char *to)
{
	char buf[65536];
	int n, old = open(from, O_RDONLY | O_CLOEXEC), new = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	while ((n = read(old, buf, sizeof buf)) > 0)
		if (write(new, buf, n) != n)
			die("%s", to);
	if (n < 0)
		die("%s", from);
	close(old), close(new);
}

static int entries(const char *name, char *first)
{
	DIR *d = opendir(name);
	struct dirent *e;
	int n = 0;
	if (first)
		*first = 0;
	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			if (first && !n)
				snprintf(first, 100, "%s/%s", strrchr(name, '/') + 1, e->d_name);
			n++;
		}
	if (d)
		closedir(d);
	return n;
}

/* One part of every cgroup hierarchy, bound over its whole: mydocker makes its cgroups there. */
static void own_cgroups(void)
{
	struct statfs fs;
	char name[PATH_MAX], parent[PATH_MAX];
	DIR *d;
	struct dirent *e;
	if (!statfs("/sys/fs/cgroup", &fs) && fs.f_type == 0x63677270) {
		snprintf(name, sizeof name, "/sys/fs/cgroup/%s", part);
		int fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);
		if (fd >= 0 && write(fd, "+memory +cpu +pids", 18) < 0)
			perror("faults: cgroup.subtree_control");
		close(fd);
		if (mkdir(name, 0755) || !(groups[group_count++] = strdup(name)) || mount(name, "/sys/fs/cgroup", 0, MS_BIND, 0))
			die("cgroup %s", name);
		return;
	}
	if (!(d = opendir("/sys/fs/cgroup")))
		return;
	while ((e = readdir(d)) && group_count < 16) {
		snprintf(parent, sizeof parent, "/sys/fs/cgroup/%s", e->d_name);
		if (e->d_name[0] == '.' || e->d_type != DT_DIR || !strcmp(e->d_name, "cpuset") || statfs(parent, &fs) || fs.f_type != 0x27e0eb)
			continue;
		snprintf(name, sizeof name, "%s/%s", parent, part);
		if (mkdir(name, 0755))
			continue;
		if (mount(name, parent, 0, MS_BIND, 0))
			die("bind %s", name);
		groups[group_count++] = strdup(parent);
	}
	closedir(d);
}

static void leave_cgroups(void)
{
	for (int i = 0; i < group_count; i++) {
		char name[PATH_MAX];
		umount2(groups[i], MNT_DETACH);
		snprintf(name, sizeof name, "%s/%s", groups[i], part);
		for (int try = 0; rmdir(name) && errno == EBUSY && try < 50; try++)
			usleep(20000);
	}
	group_count = 0;
}

static void whole_volume(void)
{
	mkdir(path("vol"), 0755), mkdir(path("vol/ro"), 0755), mkdir(path("vol/deep"), 0755), mkdir(path("ro"), 0755);
	chmod(path("vol"), 0777), chmod(path("ro"), 0777);
	put(path("vol/keep"), "gold\n");
	put(path("vol/deep/file"), "silver\n");
	put(path("ro/file"), "bronze\n");
}

static int run_plain(char *const *argv, int user);

static char *word(const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		die("memory");
	return text;
}

static char *argvs[VARIANTS + 2][48];

static void command_lines(void)
{
	for (int v = 0; v < VARIANTS; v++) {
		char **a = argvs[v];
		*a++ = (char *)mydocker, *a++ = "run", *a++ = "--root", *a++ = word(variants[v].user ? "%s/user/root" : variants[v].import ? "%s/new-root" : "%s/root", world);
		for (const char *const *f = variants[v].flags; *f; f++)
			*a++ = (char *)*f;
		static char *limits[] = { "-m", "64m", "--pids-limit", "20", "--cpus", "0.5" };
		/* Without a cgroup that is delegated to him a user has none. */
		for (int i = 0; i < 6 && !variants[v].user; i++)
			*a++ = limits[i];
		char *rest[] = { "--name", "faults", "-w", "/work", "--hostname",
			"faults", "-e", "A=b", "--ulimit", "nofile=200:300", "--tmpfs", "/scratch", "-v", word("%s/vol:/vol", world),
			"-v", word("%s/ro:/vol/ro:ro", world), "-v", word("%s/user/new/dir:/new", world), "-v", "/data",
			word("%s/image.tar", world), "/probe", "one", "two" };
		memcpy(a, rest, sizeof rest);
	}
	for (int user = 0; user < 2; user++) {
		char *sweep[] = { (char *)mydocker, "run", "--root", word(user ? "%s/user/root" : "%s/root", world), "--rootfs", "/nonexistent", "x", 0 };
		memcpy(argvs[VARIANTS + user], sweep, sizeof sweep);
	}
}

static int images(void)
{
	int n = 0;
	static const char *const of[] = { "layers", "archives", "images" };
	for (int i = 0; i < 3; i++)
		n = n * 100 + entries(path("root/%s", of[i]), 0) * 10 + entries(path("user/root/%s", of[i]), 0);
	return n;
}

static void enter_world(int number)
{
	snprintf(world, sizeof world, "%s/w%d", dir, number);
	snprintf(part, sizeof part, "faults-%s-%d", strrchr(dir, 0x2e) + 1, number);
	mkdir(world, 0755);
	if (unshare(CLONE_NEWNS) || mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) || mount("none", "/", 0, MS_REC | MS_SHARED, 0))
		die("a mount namespace");
	atexit(leave_cgroups);
	own_cgroups();
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	/* The terminal of every case: this process is its session's leader, so that it outlives them. */
	setsid();
	int zero = 0;
	char name[64];
	if ((master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) < 0 || ioctl(master, TIOCSPTLCK, &zero) || ioctl(master, TIOCGPTN, &zero))
		die("/dev/ptmx");
	snprintf(name, sizeof name, "/dev/pts/%d", zero);
	if ((slave = open(name, O_RDWR | O_CLOEXEC)) < 0)
		die("%s", name);
	struct winsize size = { .ws_row = 33, .ws_col = 77 };
	ioctl(slave, TIOCSWINSZ, &size);
	tcgetattr(slave, &cooked);
	in = syscall(SYS_memfd_create, "in", 1);
	out = syscall(SYS_memfd_create, "out", 1);
	err = syscall(SYS_memfd_create, "err", 1);
	if (in < 0 || out < 0 || err < 0 || write(in, "go\n", 3) != 3)
		die("memfd");
	whole_volume();
	copy(image, path("image.tar"));
	command_lines();
	/* The image is imported, and the store made. */
	char *first[] = { (char *)mydocker, "run", "--root", word("%s/root", world), word("%s/image.tar", world), "/probe", "nothing", 0 };
	int code = run_plain(first, 0);
	mkdir(path("user"), 0755);
	if (chown(path("user"), USER, USER))
		die("chown");
	first[3] = word("%s/user/root", world);
	if (!code && may_be_rootless)
		code = run_plain(first, 1);
	if (code) {
		char said[1000] = "";
		if (pread(err, said, sizeof said - 1, 0) > 0)
			fputs(said, stderr);
		errno = 0;
		die("the first run's exit code is %d", code);
	}
	store_entries = images();
	if (slurp("/proc/self/mountinfo", mounts, sizeof mounts) <= 0)
		die("mountinfo");
}

static void leave_world(void)
{
	leave_cgroups();
	close(master), close(slave);
	char *rm[] = { "rm", "-rf", "--one-file-system", world, 0 };
	if (!fork())
		execvp("rm", rm), _exit(1);
	while (wait(0) > 0)
		;
}

/* --- tracing ------------------------------------------------------------------------------------------------------ */

struct process {
	pid_t pid;
	short role, call;
	int answer;                     /* the errno that is to come at the end of this call */
	char fresh, started, execed;
	unsigned short count[CALLS];
};

static struct process procs[24];
static int proc_count, children, untraced;
static volatile sig_atomic_t late;
static void on_alarm(int s) { (void)s, late = 1; }
static void on_pipe(int s) { (void)s; }

/* What one run was like. */
static struct {
	int status, ended, hit, hung, execs;
	char stuck[160];
	char posture[TEXT];
} was;

/* The calls of a run, for the first one. */
static struct { short role, call, when; } *journal;
static int journal_count;

static struct process *process_of(pid_t pid)
{
	for (int i = 0; i < proc_count; i++)
		if (procs[i].pid == pid)
			return &procs[i];
	if (proc_count == 24)
		return 0;
	struct process *p = &procs[proc_count++];
	memset(p, 0, sizeof *p);
	p->pid = pid, p->fresh = 1;
	char stat[512], name[64];
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	int parent = 0;
	if (slurp(name, stat, sizeof stat) > 0)
		sscanf(strrchr(stat, ')') + 1, " %*c %d", &parent);
	p->role = proc_count == 1 ? 0 : parent == procs[0].pid ? ++children : 9;
	return p;
}

static void timer(int ms)
{
	late = 0;
	struct itimerval t = { { 0, ms ? 50000 : 0 }, { ms / 1000, ms % 1000 * 1000 } };
	setitimer(ITIMER_REAL, &t, 0);
}

static void examine(pid_t pid);
static void end(pid_t pid);

static int is_stub(const struct variant *v, int call)
{
	for (const int *s = v->stub; *s >= 0; s++)
		if (*s == call)
			return 1;
	return 0;
}

/* Whether this process's calls have to be stopped at. */
static int watched(const struct variant *v, const struct trial *t, const struct process *p)
{
	if (p->execed)
		return 0;
	if (journal || v->stub != none || p->answer)
		return 1;
	return t && (t->what >= NEVER || (!was.hit && t->at.role == p->role));
}

/* What would be no failure, but something else: EIO says that a terminal has ended; what cannot be written to standard error is
 * not said. */
static int means_other(const struct process *p, int call, int fd, int answer)
{
	char name[64], file[64] = "";
	snprintf(name, sizeof name, "/proc/%d/fd/%d", p->pid, fd);
	if (call == SYS_write && fd == 2)
		return 1;
	return answer == EIO && (call == SYS_read || call == SYS_write) && readlink(name, file, 63) > 0 && (!strncmp(file, "/dev/pt", 7) || !strncmp(file, "/ptmx", 5));
}

static void at_call(const struct variant *v, const struct trial *t, struct process *p)
{
	struct { unsigned char op; unsigned int arch; unsigned long ip, sp; union { struct { unsigned long nr, args[6]; } entry; char room[64]; }; } info;
	if (ptrace(0x420e, p->pid, sizeof info, &info) <= 0)    /* PTRACE_GET_SYSCALL_INFO */
		return;
	if (info.op == 2) {             /* at its end */
		if (p->answer)
			ptrace(PTRACE_POKEUSER, p->pid, offsetof(struct user, regs.rax), (long)-p->answer);
		p->answer = 0;
		return;
	}
	if (info.op != 1)
		return;
	if (p == procs && !p->started)
		return;
	int call = info.entry.nr < CALLS ? (int)info.entry.nr : CALLS - 1;
	int when = ++p->count[call], answer = 0;
	if (journal && journal_count < MOST)
		journal[journal_count].role = p->role, journal[journal_count].call = call, journal[journal_count++].when = when;
	if (is_stub(v, call))
		answer = ENOSYS;
	else if (t && call == t->at.call && (t->what >= NEVER ? when >= t->at.when : !was.hit && p->role == t->at.role && when == t->at.when)) {
		was.hit = 1;
		if (t->what == KILL) {
			end(p->pid);
			return;
		}
		answer = t->what % NEVER;
		if (means_other(p, call, info.entry.args[0], answer))
			was.hit = answer = 0;
	}
	if (answer) {
		p->answer = answer;
		if (call != SYS_close)
			ptrace(PTRACE_POKEUSER, p->pid, offsetof(struct user, regs.orig_rax), -1L);
	}
}

static void end(pid_t pid)
{
	/* -1 would be everybody. */
	if (pid > 1 && pid != getpid())
		kill(pid, SIGKILL);
}

static void kill_all(void)
{
	for (int i = 0; i < proc_count; i++)
		end(procs[i].pid);
	/* And those that have become ours. */
	char name[64], text[4096], *at = text;
	snprintf(name, sizeof name, "/proc/%d/task/%d/children", getpid(), getpid());
	if (slurp(name, text, sizeof text) > 0)
		for (char *after;; at = after) {
			long pid = strtol(at, &after, 10);
			if (after == at)
				break;
			end(pid);
		}
}

static int rm(const char *name, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(name);
}

/* Before a run that imports there is no store. */
static void no_store(const struct variant *v)
{
	if (v->import && !access(path("new-root"), F_OK) && nftw(path("new-root"), rm, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT))
		die("remove %s", path("new-root"));
}

/* Runs a command line with the case's fault, to the end of all its processes. */
static void run_traced(const struct variant *v, char *const *argv, const struct trial *t)
{
	memset(&was, 0, offsetof(typeof(was), posture));
	was.posture[0] = 0;
	proc_count = children = 0;
	if (ftruncate(out, 0) || ftruncate(err, 0))
		die("ftruncate");
	lseek(out, 0, SEEK_SET), lseek(err, 0, SEEK_SET), lseek(in, 0, SEEK_SET);
	if (v->tty && write(master, "go\n", 3) != 3)
		die("type");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		char *env[] = { "PATH=/bin:/usr/bin", "HOME=/nonexistent", 0 };
		dup2(v->tty ? slave : in, 0), dup2(out, 1), dup2(err, 2);
		if (v->user && (syscall(SYS_setgroups, 0, 0) || syscall(SYS_setresgid, USER, USER, USER) || syscall(SYS_setresuid, USER, USER, USER)))
			_exit(119);
		if (!untraced) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
		}
		execve(argv[0], argv, env);
		_exit(120);
	}
	process_of(pid);
	timer(LIMIT_MS);
	for (;;) {
		int status;
		pid_t who = waitpid(-1, &status, __WALL);
		if (who < 0) {
			if (errno == ECHILD)
				break;
			if (!late)
				continue;
			if (was.hung > 20)
				break;
			if (!was.hung++) {
				for (int i = 0; i < proc_count; i++) {
					char name[64], text[100];
					snprintf(name, sizeof name, "/proc/%d/syscall", procs[i].pid);
					if (slurp(name, text, sizeof text) > 0) {
						int n = strlen(was.stuck), nr = atoi(text);
						snprintf(was.stuck + n, sizeof was.stuck - n, " %d in %s;", procs[i].role,
							nr >= 0 && nr < CALLS && call_names[nr] ? call_names[nr] : "-");
					}
				}
				was.hung = was.ended ? 2 : 1;
			}
			kill_all();
			timer(1000);
			continue;
		}
		struct process *p = process_of(who);
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			if (p == procs) {
				was.status = status, was.ended = 1;
				if (!was.hung)
					timer(LIMIT_MS);
			}
			if (verbose > 2 && p)
				fprintf(stderr, "%d ended: %x\n", p->role, status);
			if (p)
				p->pid = 0;
			continue;
		}
		if (!p) {
			ptrace(PTRACE_DETACH, who, 0, 0);
			continue;
		}
		int signal = WSTOPSIG(status), event = status >> 16, pass = 0;
		if (signal == (SIGTRAP | 0x80)) {
			at_call(v, t, p);
		} else if (event == PTRACE_EVENT_EXEC) {
			p->started = 1;
			if (p != procs) {
				p->execed = 1;
				was.execs++;
				examine(who);
				ptrace(PTRACE_DETACH, who, 0, 0);
				continue;
			}
		} else if (event) {
			/* A fork: the child comes by itself. */
		} else if (p->fresh && signal == SIGSTOP) {
			p->fresh = 0;
			if (p == procs)
				ptrace(PTRACE_SETOPTIONS, who, 0, PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
					PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
		} else {
			pass = signal;
		}
		ptrace(watched(v, t, p) ? PTRACE_SYSCALL : PTRACE_CONT, who, 0, (long)pass);
	}
	timer(0);
}

static int run_plain(char *const *argv, int user)
{
	struct variant plain = { .name = "plain", .user = user, .stub = none };
	run_traced(&plain, argv, 0);
	return WIFEXITED(was.status) ? WEXITSTATUS(was.status) : 256 + WTERMSIG(was.status);
}

/* --- how well the command is confined, looked at from outside ------------------------------------------------- */

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What changes from run to run: the container's id, inode and device numbers. */
static void neutral(char *text)
{
	char *to = text;
	for (char *at = text; *at;) {
		int n = strspn(at, "0123456789abcdef");
		if (n >= 64 || (n >= 12 && n < 16 && strchr("/ ", at[n]) && at > text && at[-1] == '/')) {
			*to++ = 'I', *to++ = 'D';
			at += n;
		} else {
			int step = n ? n : 1;
			memmove(to, at, step);
			to += step, at += step;
		}
	}
	*to = 0;
}

/* At the end of execve, stopped before the command's first instruction. */
static void examine(pid_t pid)
{
	static char text[TEXT], line[8192];
	char name[PATH_MAX], *at = was.posture, *end = at + sizeof was.posture;
#define SAY(...) (at += snprintf(at, at < end ? end - at : 0, __VA_ARGS__))
	static const char *const of_status[] = { "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigCgt", "CapInh", "CapPrm",
		"CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters", 0 };
	snprintf(name, sizeof name, "/proc/%d/status", pid);
	slurp(name, text, sizeof text);
	for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(0, "\n", &save))
		for (const char *const *s = of_status; *s; s++)
			if (!strncmp(l, *s, strlen(*s)) && l[strlen(*s)] == ':')
				SAY("%s\n", l);
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	if (slurp(name, text, sizeof text) > 0) {
		int parent, group, session, tty, front;
		sscanf(strrchr(text, ')') + 1, " %*c %d %d %d %d %d", &parent, &group, &session, &tty, &front);
		SAY("its own session %d, terminal %d\n", session == pid || session == parent, tty != 0);
	}
	static const char *const kinds[] = { "mnt", "pid", "uts", "ipc", "net", "cgroup", "user", "time", 0 };
	for (const char *const *k = kinds; *k; k++) {
		char ours[64] = "", its[64] = "", self[64];
		snprintf(name, sizeof name, "/proc/%d/ns/%s", pid, *k);
		snprintf(self, sizeof self, "/proc/self/ns/%s", *k);
		if (readlink(name, its, 63) < 0 || readlink(self, ours, 63) < 0)
			continue;
		SAY("namespace %s: %s\n", *k, strcmp(ours, its) ? "its own" : "the host's");
	}
	static const char *const wholes[] = { "limits", "oom_score_adj", "personality", "loginuid", "uid_map", "setgroups", 0 };
	for (const char *const *w = wholes; *w; w++) {
		snprintf(name, sizeof name, "/proc/%d/%s", pid, *w);
		if (slurp(name, text, sizeof text) > 0)
			SAY("%s: %s", *w, text);
	}
	static const char *const links[] = { "root", "cwd", 0 };
	for (const char *const *l = links; *l; l++) {
		snprintf(name, sizeof name, "/proc/%d/%s", pid, *l);
		int n = readlink(name, line, sizeof line - 1);
		line[n < 0 ? 0 : n] = 0;
		neutral(line);
		SAY("%s -> %s\n", *l, line);
	}
	snprintf(name, sizeof name, "/proc/%d/fd", pid);
	DIR *d = opendir(name);
	for (struct dirent *e; d && (e = readdir(d));)
		if (e->d_name[0] != '.') {
			int n = readlinkat(dirfd(d), e->d_name, line, sizeof line - 1);
			line[n < 0 ? 0 : n] = 0;
			SAY("descriptor %s: %.5s\n", e->d_name, line);
		}
	if (d)
		closedir(d);
	/* The cgroups, by the host's names, and their limits. */
	snprintf(name, sizeof name, "/proc/%d/cgroup", pid);
	if (slurp(name, text, sizeof text) > 0)
		for (char *save, *l = strtok_r(text, "\n", &save); l; l = strtok_r(0, "\n", &save)) {
			char *id = strstr(l, "mydocker-");
			char kind[64] = "", *colon = strchr(l, ':');
			if (colon)
				sscanf(colon + 1, "%63[^:]", kind);
			if (!id) {
				SAY("cgroup %s: the host's\n", kind);
				continue;
			}
			SAY("cgroup %s: its own\n", kind);
			static const char *const files[] = { "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "pids.max", "cpu.cfs_quota_us",
				"cpu.max", "memory.max", "memory.swap.max", "devices.list", 0 };
			for (const char *const *f = files; *f; f++) {
				if (*kind && strncmp(*f, kind, strcspn(*f, ".")))
					continue;
				if (*kind)
					snprintf(name, sizeof name, "/sys/fs/cgroup/%s/%s/%s", kind, id, *f);
				else
					snprintf(name, sizeof name, "/sys/fs/cgroup/%s/%s", id, *f);
				if (slurp(name, line, sizeof line) > 0)
					SAY("%s =%s%s", *f, strcmp(*f, "devices.list") ? " " : "\n", line);
			}
		}
	/* The mounts, without numbers, in the order of their places. */
	char *lines[256];
	int count = 0;
	snprintf(name, sizeof name, "/proc/%d/mountinfo", pid);
	slurp(name, text, sizeof text);
	neutral(text);
	for (char *save, *l = strtok_r(text, "\n", &save); l && count < 256; l = strtok_r(0, "\n", &save)) {
		char root[1024] = "", point[1024] = "", options[256] = "", tags[128] = "", type[64] = "", *dash = strstr(l, " - ");
		if (!dash)
			continue;
		sscanf(dash + 3, "%63s", type);
		sscanf(l, "%*s %*s %*s %1023s %1023s %255s %127[^-]", root, point, options, tags);
		/* By mount(2), one more file of the same tmpfs or one more device. */
		char *t = strstr(tags, "shared:") ? "shared" : strstr(tags, "master:") ? "slave" : "private";
		lines[count++] = word("mount %s %s %s %s %s\n", point, type, options, t, strstr(root, "/ID") ? "its own" : root);
	}
	qsort(lines, count, sizeof *lines, by_text);
	for (int i = 0; i < count; i++) {
		SAY("%s", lines[i]);
		free(lines[i]);
	}
}

/* --- the judgement ---------------------------------------------------------------------------------------------- */

static int strcmp_file(const char *name, const char *text)
{
	char buf[256];
	return slurp(name, buf, sizeof buf) < 0 || strcmp(buf, text);
}

/* What is left on the machine; 0 if nothing. */
static int left(char *detail, size_t size)
{
	static char text[TEXT];
	char first[300];
	if (slurp("/proc/self/mountinfo", text, sizeof text) <= 0 || strcmp(text, mounts)) {
		snprintf(detail, size, "the table of mounts has changed");
		return MOUNT;
	}
	for (int i = 0; i < group_count; i++) {
		struct stat st;
		if (stat(groups[i], &st) || st.st_nlink != 2) {
			snprintf(detail, size, "a cgroup in %s", groups[i]);
			return CGROUP;
		}
	}
	if (entries(path("root/containers"), first) || entries(path("root/names"), first) || entries(path("root/volumes"), first) ||
		entries(path("user/root/containers"), first) || entries(path("user/root/names"), first) || entries(path("user/root/volumes"), first)) {
		snprintf(detail, size, "%s", first);
		return DIRECTORY;
	}
	if (store_entries != images()) {
		snprintf(detail, size, "something in the store's images");
		return DIRECTORY;
	}
	return 0;
}

static int volume_is_damaged(void)
{
	return entries(path("vol"), 0) != 3 || entries(path("vol/ro"), 0) || entries(path("vol/deep"), 0) != 1 || entries(path("ro"), 0) != 1 ||
		strcmp_file(path("vol/keep"), "gold\n") || strcmp_file(path("vol/deep/file"), "silver\n") || strcmp_file(path("ro/file"), "bronze\n");
}

/* After something was left that nobody swept: the next case is to start from a clean world. */
static void repair(void)
{
	for (int i = 0; i < group_count; i++) {
		char *shell[] = { "sh", "-c", word("for c in %s/mydocker-*; do for p in $(cat $c/cgroup.procs); do [ $p -gt 1 ] && kill -9 $p; done; rmdir $c; done 2>/dev/null;"
			" grep -o ' %s/[^ ]*' /proc/self/mountinfo | tac | while read -r m; do umount -l $m; done;"
			" cd %s && for s in root user/root; do rm -rf --one-file-system $s/containers/* $s/names/* $s/volumes/*; done; rm -rf --one-file-system user/new", groups[i], world, world), 0 };
		if (!fork())
			execvp("sh", shell), _exit(1);
		while (wait(0) > 0 || errno == EINTR)
			;
		free(shell[2]);
	}
	whole_volume();
	slurp("/proc/self/mountinfo", mounts, sizeof mounts);
}

/* The first line in which two texts differ. */
static void differs(const char *a, const char *b, char *detail, size_t size)
{
	while (*a && *b) {
		int n = strcspn(a, "\n"), m = strcspn(b, "\n");
		if (n != m || memcmp(a, b, n)) {
			snprintf(detail, size, "%.*s | %.*s", n > 100 ? 100 : n, a, m > 100 ? 100 : m, b);
			return;
		}
		a += n + !!a[n], b += m + !!b[m];
	}
	snprintf(detail, size, "more: %.80s%.80s", a, b);
}

/* One line, or that and a hint; before it a line for each thing that could not be removed either. Where every process gets the
 * errno, each may say so. */
static int one_line(char *text, const char **why, int all)
{
	char *second = strchr(text, '\n');
	*why = "the line does not begin with mydocker:";
	if (strncmp(text, "mydocker: ", 10))
		return 0;
	*why = "the line has no end";
	if (!second)
		return 0;
	*why = "more than one line";
	if (!strncmp(second + 1, "hint: ", 6))
		second = strchr(second + 1, '\n');
	return second && (!second[1] || ((all || !strncmp(text, "mydocker: remove", 16)) && one_line(second + 1, why, all)));
}

/* Whether a posture is another one but for rules for devices that it has not: an outer container may not give them (EPERM). */
static int has_fewer_devices(const char *known, const char *its)
{
	while (*known) {
		int n = strcspn(known, "\n"), m = strcspn(its, "\n");
		if (n == m && !memcmp(known, its, n))
			its += m + !!its[m];
		else if (strncmp(known, "c ", 2) && strncmp(known, "b ", 2))
			return 0;
		known += n + !!known[n];
	}
	return !*its;
}

static void judge(struct trial *t)
{
	static char said[8192], came[8192];
	char *detail = t->detail;
	const size_t size = sizeof t->detail;
	int n = pread(err, said, sizeof said - 1, 0);
	said[n < 0 ? 0 : n] = 0;
	n = pread(out, came, sizeof came - 1, 0);
	came[n < 0 ? 0 : n] = 0;
	*detail = 0;
	t->code = WIFEXITED(was.status) ? WEXITSTATUS(was.status) : -WTERMSIG(was.status);

	/* The terminal is as it was, in all that the kernel knows of it; after SIGKILL nobody can. */
	struct termios mode;
	int raw = tcgetattr(slave, &mode) || memcmp(&mode, &cooked, offsetof(struct termios, c_cc) + 19);
	tcsetattr(slave, TCSANOW, &cooked);
	tcflush(slave, TCIOFLUSH), tcflush(master, TCIOFLUSH);

	/* What the volumes have got, and the directory that -v made. */
	struct stat st;
	int made = !stat(path("user/new/dir"), &st) || !stat(path("user/new"), &st);
	unlink(path("vol/out")), unlink(path("user/new/dir/out")), rmdir(path("user/new/dir")), rmdir(path("user/new"));

	int killed = t->what == KILL && t->at.role == 0;
	if (was.hung) {
		t->outcome = was.hung == 1 ? HANG : PROCESS;
		snprintf(detail, size, "%s", was.stuck);
		repair();
		return;
	}
	if (!was.hit) {
		t->outcome = MISSED;
	} else if (killed) {
		t->outcome = KILLED;
	} else if (t->code < 0 || (t->code > 128 && t->what != KILL)) {
		t->outcome = CRASH;
		snprintf(detail, size, "code %d %.150s", t->code, said);
	} else if (t->code == 0) {
		t->outcome = SAME;
		int known = 0, fewer = 0;
		for (int i = 0; i < 4; i++)
			known |= untraced || (postures[t->at.variant][i].known && !strcmp(postures[t->at.variant][i].text, was.posture));
		if (!known && t->what % NEVER == EPERM && t->at.call == SYS_write)
			known = fewer = has_fewer_devices(postures[t->at.variant][0].text, was.posture);
		if (variants[t->at.variant].refused) {
			t->outcome = OPEN;
			snprintf(detail, size, "a start that has to be refused");
		} else if (!known) {
			t->outcome = OPEN;
			differs(postures[t->at.variant][0].text, was.posture, detail, size);
		} else if (strcmp(came, outputs[t->at.variant]) && !fewer) {
			t->outcome = OUTPUT;
			differs(outputs[t->at.variant], came, detail, size);
		}
	} else if (t->code >= 125 && t->code <= 127) {
		const char *why;
		t->outcome = t->code == 125 ? FAILED : COMMAND;
		if (!*said) {
			t->outcome = SILENT;
		} else if (!one_line(said, &why, t->at.role < 0)) {
			t->outcome = LINES;
			snprintf(detail, size, "%s: %.150s", why, said);
		}
	} else if (t->what == KILL && t->code == 137) {
		t->outcome = KILLED;
	} else {
		t->outcome = CODE;
		snprintf(detail, size, "%d %.150s", t->code, *said ? said : came);
	}
	if (t->outcome < BAD && !*detail)
		snprintf(detail, size, "%.*s", (int)strcspn(said, "\n"), said);

	/* What was imported is whole, or not there: the same command again has the same output, and there is one layer. */
	if (variants[t->at.variant].import && t->outcome < BAD) {
		int containers = entries(path("new-root/containers"), 0);
		if (containers && !killed && !*said)
			t->outcome = DIRECTORY, snprintf(detail, size, "a container in the new store");
		int code = run_plain(argvs[t->at.variant], 0);
		n = pread(out, came, sizeof came - 1, 0);
		came[n < 0 ? 0 : n] = 0;
		unlink(path("vol/out")), unlink(path("user/new/dir/out")), rmdir(path("user/new/dir")), rmdir(path("user/new"));
		made = 0;
		if (code || strcmp(came, outputs[t->at.variant]))
			t->outcome = UNSWEPT, snprintf(detail, size, "the next import: code %d", code);
		else if (entries(path("new-root/layers"), 0) != LAYER_FILES || entries(path("new-root/archives"), 0) != 1 || entries(path("new-root/containers"), 0))
			t->outcome = UNSWEPT, snprintf(detail, size, "the new store after the next run");
		else if (killed && t->outcome == KILLED)
			t->outcome = SWEPT;
	}
	char what[200];
	int leftover = left(what, sizeof what);
	if (leftover && leftover != MOUNT && (killed || *said)) {
		/* What could not be removed was said, or could not be said any more: the next command removes it. */
		char line[220];
		snprintf(line, sizeof line, "%.*s", (int)strcspn(said, "\n"), said);
		run_plain(argvs[VARIANTS + variants[t->at.variant].user], variants[t->at.variant].user);
		leftover = left(what, sizeof what);
		if (leftover)
			t->outcome = UNSWEPT, snprintf(detail, size, "%s (%.100s)", what, line);
		else if (t->outcome < BAD)
			t->outcome = killed ? SWEPT : LATER, snprintf(detail, size, "%.*s", (int)sizeof line, line);
	} else if (leftover && t->outcome < BAD) {
		t->outcome = leftover, snprintf(detail, size, "%s", what);
	}
	if (leftover)
		repair();
	if (raw && !killed && t->outcome < BAD && !strstr(said, "restore the terminal"))
		t->outcome = TERMINAL;
	/* Of a child that was killed, or could not tell, nobody knows whether it had got to the command; what -v made was asked for. */
	int mute = t->at.role && (t->at.call == SYS_write || t->at.call == SYS_sendmsg);
	if (made && !mute && t->what != KILL && t->code && t->outcome < BAD && !was.execs && !untraced && !strstr(said, "mydocker: remove on"))
		t->outcome = DIRECTORY, snprintf(detail, size, "the directory that -v made: %.150s", said);
	if (volume_is_damaged()) {
		t->outcome = VOLUME;
		repair();
	}
}

/* --- what there is to try ---------------------------------------------------------------------------------------- */

/* Whether a call can be answered so. EPERM and ENOSYS can come from a filter at any; the rest is what the kernel or a file system
 * may say: nothing of some calls, no EMFILE where no descriptor is made, no full disk where nothing is written. */
static int can_be(int call, int errnr)
{
	static const short sure[] = { SYS_getpid, SYS_geteuid, SYS_getegid, SYS_umask, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_clock_gettime, 0 };
	static const short looks[] = { SYS_faccessat, SYS_newfstatat, SYS_fstatfs, SYS_statfs, SYS_readlinkat, SYS_getdents64, SYS_getcwd,
		SYS_read, SYS_flistxattr, SYS_fgetxattr, SYS_llistxattr, SYS_lgetxattr, SYS_ppoll, SYS_wait4, SYS_lseek, 0 };
	static const short fills[] = { SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_unlinkat, SYS_renameat2, SYS_fchownat, SYS_fchmod,
		SYS_utimensat, SYS_fsetxattr, SYS_write, SYS_sendfile, SYS_chdir, SYS_fchdir, 0 };
	if (call == SYS_exit_group)
		return 0;
	if (call == SYS_close)          /* close(2) */
		return errnr == EINTR || errnr == EIO || errnr == ENOSPC;
	for (const short *c = sure; *c; c++)
		if (*c == call)
			return errnr == EPERM || errnr == ENOSYS;
	for (const short *c = looks; *c; c++)
		if (*c == call)
			return errnr != EMFILE && errnr != ENOSPC;
	for (const short *c = fills; *c; c++)
		if (*c == call)
			return errnr != EMFILE;
	return 1;
}

/* A case a spot and errno. A second and third run say which spots there always are. */
static int add(int variant, int role, int call, int when, int what)
{
	if (shared->count == MOST)
		return 0;
	struct trial *t = &shared->trials[shared->count++];
	memset(t, 0, sizeof *t);
	t->at = (struct spot){ variant, role, call, when };
	t->what = what;
	return 1;
}

/* Runs the variant without a fault: how it is then. `stub` besides the variant's own gives what a fallback may look like. */
static void learn(int variant)
{
	static const int fallbacks[][8] = {
		{ -1 },
		{ SYS_clone3, -1 },
		{ SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_open_tree, SYS_move_mount, SYS_mount_setattr, SYS_clone3, -1 },
	};
	char what[200];
	for (int i = 0; i < 3; i++) {
		int stubs[16], n = 0;
		struct variant v = variants[variant];
		for (const int *s = v.stub; *s >= 0; s++)
			stubs[n++] = *s;
		for (const int *s = fallbacks[i]; *s >= 0; s++)
			stubs[n++] = *s;
		stubs[n] = -1;
		if (n)
			v.stub = stubs;
		no_store(&v);
		run_traced(&v, argvs[variant], 0);
		char said[1000] = "", came[4096] = "";
		if (pread(err, said, sizeof said - 1, 0) < 0 || pread(out, came, sizeof came - 1, 0) < 0)
			die("read");
		tcflush(slave, TCIOFLUSH), tcflush(master, TCIOFLUSH);
		unlink(path("vol/out")), unlink(path("user/new/dir/out")), rmdir(path("user/new/dir")), rmdir(path("user/new"));
		/* There is no fallback for everything. */
		if (i && strstr(said, "needs Linux"))
			continue;
		int code = variants[variant].refused ? 125 : 0;
		if (!WIFEXITED(was.status) || WEXITSTATUS(was.status) != code || left(what, sizeof what) || !*said != !code || (code && !strstr(said, "leads to /proc"))) {
			fprintf(stderr, "faults: without a fault (%s, %d): status %x, %s%s%s\n", variants[variant].name, i, was.status, said, came, what);
			exit(2);
		}
		if (!i)
			strcpy(outputs[variant], came);
		strcpy(postures[variant][i].text, was.posture);
		postures[variant][i].known = 1;
	}
	if (verbose > 1)
		printf("%s%s\n", postures[variant][0].text, outputs[variant]);
}

static void enumerate(int variant)
{
	static unsigned short most[10][CALLS];
	memset(most, 0, sizeof most);
	journal = calloc(MOST, sizeof *journal);
	for (int i = 0; i < 3; i++) {
		journal_count = 0;
		no_store(&variants[variant]);
		run_traced(&variants[variant], argvs[variant], 0);
		tcflush(slave, TCIOFLUSH), tcflush(master, TCIOFLUSH);
		unlink(path("vol/out")), unlink(path("user/new/dir/out")), rmdir(path("user/new/dir")), rmdir(path("user/new"));
		for (int j = 0; j < journal_count; j++) {
			int role = journal[j].role, call = journal[j].call;
			if (journal[j].when > most[role][call])
				most[role][call] = journal[j].when;
		}
	}
	free(journal), journal = 0;
	unsigned char seen[CALLS] = { 0 };
	for (int role = 0; role < 10; role++)
		for (int call = 0; call < CALLS; call++)
			for (int when = 1; when <= most[role][call]; when++) {
				if (is_stub(&variants[variant], call))
					continue;
				for (int e = 0; e < ERRNOS; e++)
					if (can_be(call, errnos[e].nr))
						add(variant, role, call, when, errnos[e].nr);
				if (!variants[variant].refused)
					add(variant, role, call, when, KILL);
				/* Without write nothing can be said. */
				if (!seen[call]++ && call != SYS_exit_group && call != SYS_write)
					add(variant, -1, call, 1, NEVER + ENOSYS), add(variant, -1, call, 1, NEVER + EPERM);
			}
}

static const char *role_name(int role)
{
	static char text[16];
	if (role < 0)
		return "all";
	if (role == 0)
		return "supervisor";
	if (role == 9)
		return "command";
	snprintf(text, sizeof text, role == 1 ? "child" : "child %d", role);
	return text;
}

static void print_trial(FILE *f, const struct trial *t)
{
	char detail[220];
	snprintf(detail, sizeof detail, "%s", t->detail);
	for (char *c = detail; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	fprintf(f, "%s\t%s\t%s\t%d\t%s\t%s\t%d\t%.1f\t%s\n", variants[t->at.variant].name, role_name(t->at.role),
		call_names[t->at.call] ? call_names[t->at.call] : "?", t->at.when, how(t->what), outcomes[t->outcome], t->code, t->ms, detail);
}

static int is_by_supervisor(const struct trial *t)
{
	for (int i = 0; i < shared->count; i++) {
		const struct spot *at = &shared->trials[i].at;
		if (!at->role && at->variant == t->at.variant && at->call == t->at.call)
			return 1;
	}
	return 0;
}

/* The same with strace, where it can: it counts in each process that it follows, so the call has to be one process's alone: how
 * many the supervisor makes of those that it makes at all depends on how far the child has got. */
static void strace_too(const struct trial *mine)
{
	struct trial t = *mine;
	const struct variant *v = &variants[t.at.variant];
	char filter[80], inject[120];
	char *argv[64] = { "/usr/bin/strace", "-qq", "-o", "/dev/null", "-e", filter, "-e", inject };
	int n = 8;
	const char *name = call_names[t.at.call];
	if (!name || t.at.role > 1 || v->stub != none || t.outcome == MISSED || (t.at.role == 1 && is_by_supervisor(&t)))
		return;
	/* It does not let go of the command, whose calls would never succeed either. */
	if (t.what >= NEVER)
		return;
	/* What it does not do: a close is not made, so that a descriptor stays open. How many reads there are depends on time. */
	if (t.at.call == SYS_read || t.at.call == SYS_write || t.at.call == SYS_ppoll)
		return;
	if (t.at.call == SYS_close || (t.at.role == 1 && (t.at.call == SYS_execve || t.what == KILL)))
		return;
	snprintf(filter, sizeof filter, "trace=%s", name);
	if (t.what == KILL)
		snprintf(inject, sizeof inject, "inject=%s:signal=SIGKILL:when=%d", name, t.at.when);
	else
		snprintf(inject, sizeof inject, "inject=%s:error=%s:when=%d", name, how(t.what), t.at.when);
	if (t.at.role)
		argv[n++] = "-f";
	memcpy(argv + n, argvs[t.at.variant], sizeof argvs[0]);
	double start = now();
	untraced = 1;
	run_traced(v, argv, &t);
	was.hit = 1;
	judge(&t);
	untraced = 0;
	t.ms = (now() - start) * 1000;
	__sync_fetch_and_add(&shared->compared, 1);
	shared->strace_ms += t.ms, shared->mine_ms += mine->ms;
	if (t.outcome != mine->outcome || t.code != mine->code) {
		__sync_fetch_and_add(&shared->differ, 1);
		printf("differs: ");
		print_trial(stdout, mine);
		printf("  strace: ");
		print_trial(stdout, &t);
		fflush(stdout);
	}
}

static void work(double until)
{
	for (int i; (i = __sync_fetch_and_add(&shared->next, 1)) < shared->count && now() < until;) {
		struct trial *t = &shared->trials[i];
		if (!postures[t->at.variant][0].known)
			learn(t->at.variant);
		double start = now();
		no_store(&variants[t->at.variant]);
		run_traced(&variants[t->at.variant], argvs[t->at.variant], t);
		judge(t);
		t->ms = (now() - start) * 1000;
		if (with_strace)
			strace_too(t);
		__sync_fetch_and_add(&shared->done, 1);
		if (t->outcome >= BAD) {
			__sync_fetch_and_add(&shared->bad, 1);
			print_trial(stdout, t);
			fflush(stdout);
		}
	}
}

/* --- inside ------------------------------------------------------------------------------------------------------- */

static void try(const char *what, long result) { printf("%s: %s\n", what, result < 0 ? strerror(errno) : "yes"); }

static int probe(int argc, char **argv, char **env)
{
	char line[100] = "", name[100] = "";
	if (argc == 2)
		return 0;
	int n = read(0, line, sizeof line - 1), death = 0;
	line[n < 0 ? 0 : strcspn(line, "\r\n")] = 0;
	gethostname(name, sizeof name);
	prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0);
	struct winsize size = { 0 };
	ioctl(0, TIOCGWINSZ, &size);
	/* What PID 1 has open; with --init it closes the host's while this runs. */
	for (int try = 0; try < 200 && (n = entries("/proc/1/fd", 0)) > 4; try++)
		usleep(5000);
	printf("PID 1 has %d descriptors\n", n);
	printf("%s %s %s, read %s, host %s, signal %d, %dx%d\n", argv[0], argv[1], argv[argc - 1], line, name, death, size.ws_row, size.ws_col);
	for (; *env; env++)
		if (strncmp(*env, "HOSTNAME=", 9))
			printf("%s ", *env);
	puts("");
	static const char *const writes[] = { "/vol/out", "/vol/ro/out", "/new/out", "/scratch/out", "/out", "/data/out", "/proc/sys/out",
		"/sys/out", "/dev/shm/out", "/tmp/out", 0 };
	for (const char *const *w = writes; *w; w++)
		try(*w, open(*w, O_WRONLY | O_CREAT, 0644));
	static const char *const reads[] = { "/vol/keep", "/vol/ro/file", "/data/file", "/data/deep/link", "/etc/hosts", "/etc/resolv.conf",
		"/proc/kcore", "/proc/1/status", 0 };
	for (const char *const *r = reads; *r; r++)
		try(*r, open(*r, O_RDONLY));
	try("mount", mount("none", "/work", "tmpfs", 0, 0));
	try("unshare", unshare(CLONE_NEWUTS));
	try("a user namespace", unshare(CLONE_NEWUSER));
	try("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	try("bpf", syscall(SYS_bpf, -1, 0, 0));
	try("mknod", mknod("/work/n", S_IFBLK | 0600, 8 << 8));
	try("sethostname", sethostname("x", 1));
	return fflush(stdout) != 0;
}

/* Whether an ordinary user may make a user namespace here. */
static int users_may(void)
{
	int status = 1;
	pid_t pid = fork();
	if (!pid)
		_exit(syscall(SYS_setresuid, USER, USER, USER) || unshare(CLONE_NEWUSER));
	waitpid(pid, &status, 0);
	return !status;
}

/* --- outside ------------------------------------------------------------------------------------------------------ */

int main(int argc, char **argv, char **env)
{
	if (!strcmp(argv[0], "/probe"))
		return probe(argc, argv, env);
	int workers = 1, option, list = 0, chosen[VARIANTS] = { 0 }, any = 0;
	long most = MOST;
	double until = 1e18, start;
	unsigned long seed = 0;
	const char *results = 0, *one = 0;
	while ((option = getopt(argc, argv, "j:s:n:t:v:o:1:lVS")) > 0)
		switch (option) {
		case 'j': workers = atoi(optarg); break;
		case 's': seed = strtoul(optarg, 0, 10); break;
		case 'n': most = atol(optarg); break;
		case 't': until = now() + atof(optarg); break;
		case 'o': results = optarg; break;
		case '1': one = optarg; break;
		case 'l': list = 1; break;
		case 'V': verbose++; break;
		case 'S': with_strace = 1; break;
		case 'v':
			for (int v = 0; v < VARIANTS; v++)
				if (!strcmp(variants[v].name, optarg))
					chosen[v] = any = 1;
			break;
		default: return 2;
		}
	if (argc - optind != 3)
		return fprintf(stderr, "usage: faults [OPTIONS] MYDOCKER IMAGE.tar DIRECTORY\n"), 2;
	mydocker = argv[optind], image = argv[optind + 1], dir = argv[optind + 2];
	may_be_rootless = !chmod(dir, 0711) && users_may();
	signal(SIGHUP, SIG_IGN), signal(SIGTTOU, SIG_IGN), signal(SIGTTIN, SIG_IGN);
	struct sigaction alarm = { .sa_handler = on_alarm };
	sigaction(SIGALRM, &alarm, 0);
	/* Not ignored, which mydocker would inherit: who reads this may go, but what is made has to be taken away. */
	struct sigaction pipe_gone = { .sa_handler = on_pipe };
	sigaction(SIGPIPE, &pipe_gone, 0);
	start = now();
	shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die("mmap");

	/* A process of its own learns the calls: it has a world of its own. */
	pid_t scout = fork();
	if (!scout) {
		enter_world(0);
		for (int v = 0; v < VARIANTS; v++) {
			if ((any && !chosen[v]) || (variants[v].user && !may_be_rootless))
				continue;
			learn(v);
			if (one) {
				char role[20], call[40], name[20];
				int when;
				if (sscanf(one, "%19[^:]:%39[^:]:%d:%19s", role, call, &when, name) != 4)
					return fprintf(stderr, "ROLE:CALL:WHEN:ERRNO\n"), 2;
				for (int c = 0; c < CALLS; c++)
					if (call_names[c] && !strcmp(call_names[c], call))
						for (int e = 0; e < ERRNOS; e++) {
							int n = strlen(errnos[e].name);
							if (!strcmp(name, "SIGKILL") && !e)
								add(v, atoi(role), c, when, KILL);
							else if (!strncmp(name, errnos[e].name, n) && (!name[n] || name[n] == '+'))
								add(v, atoi(role), c, when, errnos[e].nr + (name[n] ? NEVER : 0));
						}
				work(until);
				for (int i = 0; i < shared->count; i++)
					print_trial(stdout, &shared->trials[i]);
				char said[8192];
				int n = pread(err, said, sizeof said, 0);
				fflush(stdout);
				if (n > 0 && write(1, said, n) < 0)
					return 2;
				n = pread(out, said, sizeof said, 0);
				if (n > 0 && write(1, said, n) < 0)
					return 2;
				break;
			}
			enumerate(v);
		}
		leave_world();
		exit(0);
	}
	int status;
	while (waitpid(scout, &status, 0) < 0 && errno == EINTR)
		;
	if (status || one)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
	if (list) {
		for (int i = 0; i < shared->count; i++)
			print_trial(stdout, &shared->trials[i]);
		return 0;
	}
	int total = shared->count;
	if (seed) {
		unsigned long x = seed * 6364136223846793005UL + 1442695040888963407UL;
		for (int i = total - 1; i > 0; i--) {
			x = x * 6364136223846793005UL + 1442695040888963407UL;
			int j = (x >> 33) % (i + 1);
			struct trial swap = shared->trials[i];
			shared->trials[i] = shared->trials[j], shared->trials[j] = swap;
		}
	}
	if (most < shared->count)
		shared->count = most;
	printf("%d cases of %d, seed %lu, %d workers\n", shared->count, total, seed, workers);
	fflush(stdout);
	pid_t pids[64] = { 0 };
	if (workers > 64)
		workers = 64;
	for (int w = 1; w <= workers; w++)
		if (!(pids[w - 1] = fork())) {
			enter_world(w);
			work(until);
			leave_world();
			exit(0);
		}
	/* Progress, about ten times. */
	int told = 0, failed = 0;
	for (int alive = workers; alive;) {
		pid_t who = waitpid(-1, &status, WNOHANG);
		if (who > 0) {
			for (int w = 0; w < workers; w++)
				if (pids[w] == who)
					{ alive--; failed |= status; }
			continue;
		}
		usleep(50000);
		int tenth = shared->count ? shared->done * 10L / shared->count : 0;
		if (tenth > told) {
			told = tenth;
			fprintf(stderr, "%d of %d, %d bad, %.0f s\n", shared->done, shared->count, shared->bad, now() - start);
		}
	}
	long sums[OUTCOMES] = { 0 };
	FILE *f = results ? fopen(results, "w") : 0;
	double spent = 0;
	for (int i = 0; i < shared->count; i++) {
		struct trial *t = &shared->trials[i];
		sums[t->outcome]++;
		spent += t->ms;
		if (f && t->outcome != PENDING)
			print_trial(f, t);
	}
	if (f)
		fclose(f);
	for (int o = MISSED; o < OUTCOMES; o++)
		if (sums[o])
			printf("%7ld  %s\n", sums[o], outcomes[o]);
	printf("%d cases in %.0f s, %.1f ms each, seed %lu: %d bad\n", shared->done, now() - start, shared->done ? spent / shared->done : 0, seed, shared->bad);
	if (shared->compared)
		printf("%d of them with strace too: %d differ; %.0f ms each, and %.0f\n", shared->compared, shared->differ,
			shared->strace_ms / shared->compared, shared->mine_ms / shared->compared);
	return shared->bad || shared->differ || failed || !shared->done;
}
