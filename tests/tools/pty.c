/* pty [-w COLSxROWS] -- CMD [ARG...]: run CMD on a new terminal and play a script at it.
 *
 * The script comes on stdin, one directive a line:
 *   send TEXT        type TEXT (\n \r \t \e \\ \xHH escapes)
 *   expect TEXT      wait up to 10 s for TEXT in the output not yet consumed
 *   patience S       wait longer than that
 *   refuse TEXT      fail where TEXT is in the output not yet consumed
 *   resize COLSxROWS change the window size (the kernel sends SIGWINCH to the foreground)
 *   signal NAME      send a signal to CMD
 *   sh COMMAND       run a host command with $PTY_PID and $PTY_SLAVE set
 *   sleep MS         keep reading meanwhile; hold MS: do not read (a slow terminal)
 *   close            hang the terminal up
 *   wait             until CMD ends (at most 120 s); the end of the script waits too
 * All that CMD prints goes to stdout. The exit code is CMD's (128+N for a signal), 99 where an
 * expectation failed, 98 where CMD left the terminal in another mode than it found it in.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int master = -1, slave = -1, status, ended;
static long long patience = 10000;
static pid_t cmd;
static struct termios before;
static char *seen;              /* output that no expect has consumed */
static size_t seen_len;
enum { SEEN_MAX = 1 << 20 };

static long long now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "pty: %s: %s\n", what, strerror(errno));
	exit(99);
}

static void put(const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(1, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;         /* our reader went away: CMD is still played to the end */
		p += w;
		n -= w;
	}
}

static void keep(const char *p, size_t n)
{
	if (seen_len + n > SEEN_MAX) {
		size_t drop = seen_len + n - SEEN_MAX / 2;
		if (drop > seen_len)
			drop = seen_len;
		memmove(seen, seen + drop, seen_len -= drop);
	}
	memcpy(seen + seen_len, p, n);
	seen_len += n;
}

static void reap(void)
{
	if (!ended && waitpid(cmd, &status, WNOHANG) == cmd)
		ended = 1;
}

/* One look at the terminal: 1 something read, 0 nothing within ms, -1 hung up. */
static int pump(int ms)
{
	static char buf[65536];
	struct pollfd p = { master, POLLIN, 0 };
	reap();
	if (master < 0) {
		usleep(ms * 1000);
		return -1;
	}
	if (poll(&p, 1, ms) <= 0)
		return 0;
	ssize_t n = read(master, buf, sizeof buf);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	put(buf, n);
	keep(buf, n);
	return 1;
}

static void pump_for(int ms)
{
	long long end = now_ms() + ms, left;
	while ((left = end - now_ms()) > 0)
		if (pump(left > 50 ? 50 : (int)left) < 0)
			usleep(10000);
}

/* A failed script must leave nothing running: first politely, so that CMD can clean up. */
static void fail(const char *what, const char *text)
{
	put("\n", 1);
	fprintf(stderr, "pty: %s: %s\n", what, text);
	kill(cmd, SIGTERM);
	for (long long end = now_ms() + 3000; !ended && now_ms() < end;)
		pump(50);
	if (!ended) {
		kill(cmd, SIGKILL);
		waitpid(cmd, &status, 0);
	}
	exit(99);
}

static size_t unescape(char *s)
{
	char *o = s, *start = s;
	for (; *s; s++) {
		if (*s != '\\' || !s[1]) {
			*o++ = *s;
			continue;
		}
		switch (*++s) {
		case 'n': *o++ = '\n'; break;
		case 'r': *o++ = '\r'; break;
		case 't': *o++ = '\t'; break;
		case 'e': *o++ = 27; break;
		case 'x': {
			char hex[3] = { 0 };
			for (int i = 0; i < 2 && strchr("0123456789abcdefABCDEF", s[1]) && s[1]; i++)
				hex[i] = *++s;
			*o++ = (char)strtol(hex, NULL, 16);
			break;
		}
		default: *o++ = *s;
		}
	}
	*o = 0;
	return o - start;
}

static void type_in(const char *p, size_t n)
{
	long long end = now_ms() + 30000;
	while (n) {
		ssize_t w = write(master, p, n);
		if (w > 0) {
			p += w;
			n -= w;
		} else if (errno != EAGAIN && errno != EINTR) {
			return;
		}
		pump(n ? 10 : 0);
		if (ended || now_ms() > end)
			return;
	}
}

static void expect(const char *text, size_t n)
{
	for (long long end = now_ms() + patience;;) {
		char *at = memmem(seen, seen_len, text, n);
		if (at) {
			size_t used = at - seen + n;
			memmove(seen, seen + used, seen_len -= used);
			return;
		}
		if (now_ms() > end)
			fail("not seen in time", text);
		/* The end of CMD may be noticed before its last bytes: two quiet looks settle it. */
		if (ended && pump(200) <= 0 && pump(200) <= 0 && !memmem(seen, seen_len, text, n))
			fail("ended without printing", text);
		pump(50);
	}
}

static void set_size(const char *s)
{
	struct winsize w = { 0 };
	unsigned short cols, rows;
	if (sscanf(s, "%hux%hu", &cols, &rows) != 2) {
		fprintf(stderr, "pty: a size is COLSxROWS, not %s\n", s);
		exit(99);
	}
	w.ws_col = cols;
	w.ws_row = rows;
	ioctl(master, TIOCSWINSZ, &w);
}

static int signal_number(const char *s)
{
	static const struct { const char *name; int n; } names[] = {
		{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "KILL", SIGKILL },
		{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "CONT", SIGCONT },
		{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "WINCH", SIGWINCH }, { "PIPE", SIGPIPE },
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(names[i].name, s))
			return names[i].n;
	if (atoi(s) > 0)
		return atoi(s);
	fprintf(stderr, "pty: no signal %s\n", s);
	exit(99);
}

static void host_command(const char *line)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDONLY);
		dup2(null, 0);
		execl("/bin/sh", "sh", "-c", line, (char *)0);
		_exit(127);
	}
	int st;
	while (waitpid(pid, &st, WNOHANG) == 0)
		pump(20);
	if (st)
		fail("host command failed", line);
}

static void wait_for_end(void)
{
	long long end = now_ms() + 120000;
	while (!ended) {
		if (pump(50) < 0)
			usleep(5000);
		if (now_ms() > end)
			fail("still running after", "120 s");
	}
}

static void play(char *line)
{
	char *arg = strchr(line, ' ');
	if (arg)
		*arg++ = 0;
	else
		arg = line + strlen(line);
	if (!strcmp(line, "sh")) {
		host_command(arg);
		return;
	}
	size_t n = unescape(arg);
	if (!strcmp(line, "send"))
		type_in(arg, n);
	else if (!strcmp(line, "expect"))
		expect(arg, n);
	else if (!strcmp(line, "refuse")) {
		if (memmem(seen, seen_len, arg, n))
			fail("seen, though it must not be", arg);
	} else if (!strcmp(line, "resize"))
		set_size(arg);
	else if (!strcmp(line, "signal"))
		kill(cmd, signal_number(arg));
	else if (!strcmp(line, "patience"))
		patience = atoll(arg) * 1000;
	else if (!strcmp(line, "sleep"))
		pump_for(atoi(arg));
	else if (!strcmp(line, "hold"))
		usleep(atoi(arg) * 1000);
	else if (!strcmp(line, "close")) {
		close(slave);
		close(master);
		master = slave = -1;
	} else if (!strcmp(line, "wait"))
		wait_for_end();
	else if (*line && *line != '#')
		fail("no such directive", line);
}

int main(int argc, char **argv)
{
	char *size = NULL, num[16];
	int i = 1;
	if (i + 1 < argc && !strcmp(argv[i], "-w")) {
		size = argv[i + 1];
		i += 2;
	}
	if (i < argc && !strcmp(argv[i], "--"))
		i++;
	if (i >= argc) {
		fprintf(stderr, "usage: pty [-w COLSxROWS] -- CMD [ARG...] <script\n");
		return 99;
	}
	seen = malloc(SEEN_MAX + 65536);
	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (!seen || master < 0 || grantpt(master) || unlockpt(master))
		die("new terminal");
	/* We hold the slave too, so that the master does not report a hang-up between two openers. */
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &before))
		die("slave side");
	set_size(size ? size : "80x24");
	signal(SIGPIPE, SIG_IGN);

	cmd = fork();
	if (cmd < 0)
		die("fork");
	if (cmd == 0) {
		signal(SIGPIPE, SIG_DFL);
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		dup2(slave, 0);
		dup2(slave, 1);
		dup2(slave, 2);
		execvp(argv[i], argv + i);
		fprintf(stderr, "pty: %s: %s\n", argv[i], strerror(errno));
		_exit(127);
	}
	snprintf(num, sizeof num, "%d", (int)cmd);
	setenv("PTY_PID", num, 1);
	setenv("PTY_SLAVE", ptsname(master), 1);
	fcntl(master, F_SETFL, O_NONBLOCK);

	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = 0;
		play(line);
	}
	wait_for_end();

	int changed = 0;
	struct termios after;
	if (slave >= 0 && tcgetattr(slave, &after) == 0)
		changed = before.c_iflag != after.c_iflag || before.c_oflag != after.c_oflag
			|| before.c_cflag != after.c_cflag || before.c_lflag != after.c_lflag
			|| memcmp(before.c_cc, after.c_cc, NCCS);
	/* With the last slave closed the kernel hands out what is buffered, then EIO. Something that
	   CMD left running may hold it open: do not wait for that. */
	if (slave >= 0)
		close(slave);
	for (long long quiet = now_ms(); now_ms() - quiet < 300;) {
		int got = pump(50);
		if (got < 0)
			break;
		if (got > 0)
			quiet = now_ms();
	}
	if (changed) {
		fprintf(stderr, "pty: the terminal's mode was not restored (lflag %o, was %o; iflag %o, was %o; oflag %o, was %o)\n",
			after.c_lflag, before.c_lflag, after.c_iflag, before.c_iflag, after.c_oflag, before.c_oflag);
		return 98;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
