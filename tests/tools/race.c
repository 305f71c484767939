/* What a race needs.
 *   race exchange ONE OTHER            exchanges the two for ever; how often is said on SIGTERM
 *   race rounds N COMMAND ARG...       runs it N times, @ being the round; then "CODE TIMES" for each exit code
 *   race enosys CALL COMMAND ARG...    CALL, a number, is answered with ENOSYS, as on a kernel that lacks it
 * ROUNDS' commands have no standard input and output; their standard error is ours. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t over;
static void end(int signal) { (void)signal; over = 1; }

static int exchange(const char *one, const char *other) {
  unsigned long times = 0;
  signal(SIGTERM, end);
  signal(SIGINT, end);
  puts("ready");
  fflush(stdout);
  while (!over) {
    if (syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, 2 /* RENAME_EXCHANGE */)) { perror("renameat2"); return 1; }
    times++;
  }
  printf("%lu\n", times);
  return 0;
}

static int rounds(long n, char **command) {
  long codes[256] = {0};
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (long round = 1; round <= n; round++) {
    pid_t pid = fork();
    if (pid < 0) { perror("fork"); return 1; }
    if (pid == 0) {
      char *args[64] = {0}, number[24];
      snprintf(number, sizeof number, "%ld", round);
      for (int i = 0; command[i] && i < 63; i++) {
        char *at = args[i] = malloc(strlen(command[i]) * 24 + 1);
        for (const char *from = command[i]; *from; from++) {
          if (*from == '@') at = stpcpy(at, number);
          else *at++ = *from;
        }
        *at = 0;
      }
      dup2(null, 0);
      dup2(null, 1);
      execv(args[0], args);
      _exit(127);
    }
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    codes[WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)]++;
  }
  for (int code = 0; code < 256; code++) if (codes[code]) printf("%d %ld\n", code, codes[code]);
  return 0;
}

static int enosys(unsigned number, char **command) {
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) { perror("seccomp"); return 125; }
  execv(command[0], command);
  perror(command[0]);
  return 127;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "exchange")) return exchange(argv[2], argv[3]);
  if (argc > 3 && !strcmp(argv[1], "rounds")) return rounds(atol(argv[2]), argv + 3);
  if (argc > 3 && !strcmp(argv[1], "enosys")) return enosys(atoi(argv[2]), argv + 3);
  fputs("usage: race exchange ONE OTHER | rounds N COMMAND... | enosys CALL COMMAND...\n", stderr);
  return 2;
}
