/* Runs a command on a kernel that lacks some system calls: a seccomp filter answers them.
 *   without CALL[=ERRNO],... COMMAND ARG...
 * Without =ERRNO the answer is ENOSYS. `clone3:88` is a clone3 whose struct is larger than Linux 5.3's: it answers E2BIG,
 * as kernels do that know no CLONE_INTO_CGROUP. strace could inject the same, at a hundred times the cost. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct { const char *name; int number; } calls[] = {
#define CALL(name) { #name, SYS_##name },
    CALL(bpf) CALL(chroot) CALL(clone) CALL(clone3) CALL(close_range) CALL(fsconfig) CALL(fsmount) CALL(fsopen)
    CALL(mknodat) CALL(mount) CALL(mount_setattr) CALL(move_mount) CALL(open_tree) CALL(openat2) CALL(pidfd_open)
    CALL(pidfd_send_signal) CALL(pivot_root) CALL(prctl) CALL(renameat2) CALL(seccomp) CALL(setns) CALL(statx)
    CALL(umount2) CALL(unshare) CALL(waitid) CALL(sethostname) CALL(keyctl) CALL(capset) CALL(copy_file_range)
};
static const struct { const char *name; int number; } errors[] = {
    { "ENOSYS", ENOSYS }, { "EPERM", EPERM }, { "EACCES", EACCES }, { "EINVAL", EINVAL }, { "ENOSPC", ENOSPC },
};

static int fail(const char *what) {
    fprintf(stderr, "without: %s\n", what);
    return 99;
}

int main(int argc, char **argv) {
    struct sock_filter program[256];
    unsigned short n = 0;
    size_t i;
    if (argc < 3) return fail("usage: without CALL[=ERRNO],... COMMAND ARG...");
#define ADD(...) program[n++] = (struct sock_filter)__VA_ARGS__
    for (char *word = strtok(argv[1], ","); word && n < 240; word = strtok(NULL, ",")) {
        char *equals = strchr(word, '=');
        int error = ENOSYS;
        if (equals) {
            *equals++ = 0;
            for (i = 0; i < sizeof errors / sizeof *errors && strcmp(equals, errors[i].name); i++) {}
            if (i == sizeof errors / sizeof *errors) return fail(equals);
            error = errors[i].number;
        }
        if (!strcmp(word, "clone3:88")) {
            ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
            ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 3));
            ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])));
            ADD(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 64, 0, 1));
            ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | E2BIG));
            continue;
        }
        for (i = 0; i < sizeof calls / sizeof *calls && strcmp(word, calls[i].name); i++) {}
        if (i == sizeof calls / sizeof *calls) return fail(word);
        ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
        ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1));
        ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
    }
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    struct sock_fprog filter = { n, program };
    /* With CAP_SYS_ADMIN no_new_privs is not needed, and what is tested shall not be started with it. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) &&
        (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))) {
        return fail(strerror(errno));
    }
    execvp(argv[2], argv + 2);
    return fail(strerror(errno));
}
