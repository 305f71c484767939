/* Whole-process wall time of several programs, interleaved: from before posix_spawn to after wait4.
 *
 *   timer [-r ROUNDS] [-b BLOCK] [-l LIMIT_MS] [-w WARM] [-g GAP_MS] [-e ERRORS] PROGRAMS
 *   timer -j N [-e ERRORS] PROGRAMS        N starts of each program at once
 *
 * PROGRAMS is a file, one program a line: NAME<tab>WORD<tab>WORD... ; {} in a word becomes a number never used before.
 * A round runs every program once, in a new random order (a fixed seed): BLOCK starts in a row of which the first WARM
 * are not counted (they pay for what the program before left behind), each GAP_MS after the one before. A block
 * ends early after LIMIT_MS, so that a slow program does not take all the time.
 * Prints "NAME<tab>MICROSECONDS" a start, "NAME<tab>FAIL<tab>STATUS" where the exit status is not 0. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PROGRAMS 32
#define MAX_WORDS 128

struct program { char *name, *words[MAX_WORDS + 1]; };

static struct program programs[MAX_PROGRAMS];
static int count, serial, errors = -1, nowhere;
static posix_spawn_file_actions_t streams;
extern char **environ;

static long microseconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000L + now.tv_nsec / 1000;
}

static void fail(const char *what)
{
	fprintf(stderr, "timer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_programs(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	if (!file)
		fail(path);
	while (getline(&line, &size, file) > 0 && count < MAX_PROGRAMS) {
		line[strcspn(line, "\n")] = 0;
		char *rest = strdup(line);
		struct program *p = &programs[count++];
		p->name = strsep(&rest, "\t");
		for (int i = 0; rest && i < MAX_WORDS; i++)
			p->words[i] = strsep(&rest, "\t");
		if (!p->words[0])
			count--;
	}
	free(line);
	fclose(file);
}

/* The words with {} filled in; their memory is used again by the next call, when posix_spawn has copied them. */
static char **fill(const struct program *p)
{
	static char text[16384], *words[MAX_WORDS + 1];
	char *end = text + sizeof text, *at = text;
	int i;
	serial++;
	for (i = 0; p->words[i]; i++) {
		char *hole = strstr(p->words[i], "{}");
		words[i] = p->words[i];
		if (!hole)
			continue;
		words[i] = at;
		at += snprintf(at, (size_t)(end - at), "%.*s%d%s", (int)(hole - p->words[i]), p->words[i], serial, hole + 2) + 1;
		if (at >= end)
			exit(1);
	}
	words[i] = NULL;
	return words;
}

static pid_t start(char **words)
{
	pid_t pid;
	errno = posix_spawn(&pid, words[0], &streams, NULL, words, environ);
	if (errno)
		fail(words[0]);
	return pid;
}

static void report(const struct program *p, long began, int status)
{
	if (status)
		printf("%s\tFAIL\t%d\n", p->name, status);
	else
		printf("%s\t%ld\n", p->name, microseconds() - began);
}

static void block(const struct program *p, int starts, int warm, long gap, long limit)
{
	long first = microseconds();
	for (int i = 0; i < starts; i++) {
		char **words = fill(p);
		int status;
		if (gap)
			nanosleep(&(struct timespec){ .tv_sec = gap / 1000, .tv_nsec = gap % 1000 * 1000000 }, NULL);
		long began = microseconds();
		if (wait4(start(words), &status, 0, NULL) < 0)
			fail("wait4");
		long ended = microseconds();
		if (status)
			report(p, 0, status);
		else if (i >= warm)
			printf("%s\t%ld\n", p->name, ended - began);
		if (limit && i > warm && ended - first > limit * 1000)
			break;
	}
}

static void burst(const struct program *p, int starts)
{
	struct { pid_t pid; long began; } *live = calloc((size_t)starts, sizeof *live);
	long began = microseconds();
	int left = starts, status;
	if (!live)
		exit(1);
	for (int i = 0; i < starts; i++) {
		live[i].began = microseconds();
		live[i].pid = start(fill(p));
	}
	while (left > 0) {
		pid_t pid = wait4(-1, &status, 0, NULL);
		if (pid < 0)
			fail("wait4");
		for (int i = 0; i < starts; i++)
			if (live[i].pid == pid) {
				report(p, live[i].began, status);
				left--;
			}
	}
	printf("%s, all\t%ld\n", p->name, microseconds() - began);
	free(live);
}

int main(int argc, char **argv)
{
	int option, rounds = 10, starts = 1, warm = 0, together = 0;
	long gap = 0, limit = 0;

	while ((option = getopt(argc, argv, "r:b:l:w:g:e:j:")) != -1)
		switch (option) {
		case 'r': rounds = atoi(optarg); break;
		case 'b': starts = atoi(optarg); break;
		case 'l': limit = atol(optarg); break;
		case 'w': warm = atoi(optarg); break;
		case 'g': gap = atol(optarg); break;
		case 'j': together = atoi(optarg); break;
		case 'e': errors = open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); break;
		default: return 1;
		}
	if (optind + 1 != argc)
		return 1;
	read_programs(argv[optind]);
	nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
	posix_spawn_file_actions_init(&streams);
	posix_spawn_file_actions_adddup2(&streams, nowhere, 0);
	posix_spawn_file_actions_adddup2(&streams, nowhere, 1);
	posix_spawn_file_actions_adddup2(&streams, errors < 0 ? nowhere : errors, 2);
	/* Numbers of two runs of the timer must differ too: a container's name may outlive its start. */
	serial = (int)(getpid() % 100000) * 10000;

	srand(1);
	for (int round = 0; round < rounds && !together; round++) {
		int order[MAX_PROGRAMS];
		for (int i = 0; i < count; i++) {
			int j = rand() % (i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (int i = 0; i < count; i++)
			block(&programs[order[i]], starts, warm, gap, limit);
	}
	for (int i = 0; i < count && together; i++)
		burst(&programs[i], together);
	return 0;
}
