# What a container's root may do, tried by tests/tools/probe.c, against what docker's may: tests/expected/probe.runc is docker's
# newest default on this kernel, recorded by tests/tools/probe-record (its first lines say of what). An answer that differs is
# either stricter and listed in tests/expected/probe.mydocker with the reason, or a failure.
. "$TESTS/tools/host.sh"

expected=$TESTS/expected
tool probe && probe=$tool_path
mkdir -p tree/{bin,etc,root,tmp} && chmod 1777 tree/tmp && chmod 700 tree/root
printf 'root:x:0:0:root:/root:/bin/sh\n' >tree/etc/passwd
printf 'root:x:0:\n' >tree/etc/group
if [ -n "$probe" ]; then cp "$probe" tree/bin/probe; fi
cp /bin/busybox tree/bin/busybox
host=("$$" "$(hostname)")
for name in mnt pid uts ipc net cgroup user time; do host+=("$(readlink "/proc/self/ns/$name")"); done

# probe FLAG...: the probe in a container with these flags. A descriptor of the caller is open, as when it was recorded.
probe() { LIMIT=120 run sh -c 'exec 9<"$HOME"; exec "$@"' sh "$MYDOCKER" run "$@" ./tree /bin/probe "${host[@]}"; }
answer() { perl -ne 'BEGIN { $name = shift } print $1 if /^\Q$name\E: (.*)/' "$1" "$T/out"; }
is() { same "$2" "$(answer "$1")" "the answer to $1"; }

begin "the default is nowhere looser than docker's"
  tool probe
  probe
  exits 0; quiet
  same '' "$("$expected/../tools/probe-compare" "$expected/probe.runc" "$expected/probe.mydocker" <"$T/out")" 'what differs'

begin "the probe itself: on a host without a barrier it gets through"
  tool probe
  # With no container at all: were its answers the same here, the test above could not fail.
  run unshare -m --propagation private "$probe" "${host[@]}"
  exits 0
  "$expected/../tools/probe-compare" "$expected/probe.runc" "$expected/probe.mydocker" <"$T/out" >"$T/through"
  if active && [ "$(wc -l <"$T/through")" -lt 100 ]; then fail "only $(wc -l <"$T/through") of its lines differ" "$(<"$T/through")"; fi

# not_looser [ROW...]: as the default, but for these rows, which are a part of an extended regular expression each.
not_looser() {
  local differs
  differs=$("$expected/../tools/probe-compare" "$expected/probe.runc" "$expected/probe.mydocker" <"$T/out")
  for row; do differs=$(grep -vE "^($row)" <<<"$differs"); done
  same '' "$differs" 'what differs'
}

begin '--init: the same, and process 1 is nobody'"'"'s to look at'
  tool probe
  probe --init
  exits 0; quiet
  is '63 /proc/1/exe' EACCES
  # Process 1 is another: its root and its directory are as closed as its program.
  not_looser '63 /proc/1/exe' '56 /proc/1/(root|cwd)'
  for path in /proc/1/root /proc/1/root/.. /proc/1/cwd/../../..; do is "56 $path" EACCES; done

begin '-u: no capability, and what needs one is refused'
  tool probe
  probe -u 1000:1000
  exits 0; quiet
  is '01 CapEff' 0000000000000000; is '01 CapPrm' 0000000000000000; is '01 CapInh' 0000000000000000; is '01 CapAmb' 0000000000000000
  is '01 CapBnd' 00000000a80425fb; is '02 Seccomp' 2
  is '38 chroot' EPERM; is '38 setuid' EPERM; is '38 setgroups' EPERM; is '33 raw socket ICMP' EPERM; is '31 socket PACKET' EPERM
  is '51 block 254:0' 'mknod EPERM'; is '52 mem 1:1' 'mknod EPERM'
  is '09 keyctl' EPERM; is '14 unshare(NEWUSER)' EPERM; is '57 oom_score_adj lowered' EACCES
  is '62 /etc/hosts' EACCES

begin '--cap-drop ALL: no capability at all, the filter as before'
  tool probe
  probe --cap-drop ALL
  exits 0; quiet
  is '01 CapEff' 0000000000000000; is '01 CapBnd' 0000000000000000; is '02 Seccomp' 2
  is '38 chroot' EPERM; is '38 setuid' EPERM; is '33 raw socket ICMP' EPERM; is '52 null 1:3' 'mknod EPERM'
  is '64 set-user-ID program' EPERM

begin '--cap-add SYS_ADMIN: its calls, and nothing more'
  tool probe
  probe --cap-add SYS_ADMIN
  exits 0; quiet
  is '01 CapEff' 00000000a82425fb; is '02 Seccomp' 2
  is '13 mount' EFAULT; is '16 setns' EBADF
  # Not by this capability in docker's profile either.
  is '09 keyctl' EPERM; is '11 userfaultfd' EPERM; is '18 kexec_load (cap)' EPERM; is '19 init_module (cap)' EPERM; is '20 reboot (cap)' EPERM
  is '22 settimeofday' EPERM; is '28 io_uring_setup' EPERM; is '32 socket ALG' EPERM; is '32 socket VSOCK' EPERM
  is '51 block 254:0' 'mknod ok, open EPERM'; is '52 mem 1:1' 'mknod ok, open EPERM'; is '45 /proc/sys/kernel/core_pattern' EROFS

begin '--security-opt seccomp=unconfined: the capabilities, devices and masks hold by themselves'
  tool probe
  probe --security-opt seccomp=unconfined
  exits 0; quiet
  is '01 CapEff' 00000000a80425fb; is '02 Seccomp' 0; is '13 fsopen (cap)' EPERM; is '13 pivot_root (cap)' EPERM; is '14 unshare(NEWNS) (cap)' EPERM
  is '20 reboot (cap)' EPERM; is '21 swapoff (cap)' EPERM; is '25 sethostname (cap)' EPERM; is '37 adjtimex, setting' EPERM
  is "35 ptrace of another user's process" EPERM
  not_looser '02 ' '09 ' '1[0-9] ' '2[0-9] ' '30 ' '32 ' '39 ' '4[01] '

begin '--security-opt no-new-privileges: a set-user-ID program stays who it is'
  tool probe
  probe --security-opt no-new-privileges
  exits 0; quiet
  is '02 NoNewPrivs' 1
  is '64 set-user-ID program' 'uid 1000, CapEff 0000000000000000'
  not_looser '02 NoNewPrivs' '64 '

begin '--privileged: what mydocker has itself, and namespaces all the same'
  tool probe
  probe --privileged
  exits 0; quiet
  is '01 CapEff' "$(sed -n 's/^CapBnd:\t//p' /proc/self/status)"; is '01 CapInh' 0000000000000000; is '02 Seccomp' 0
  for name in mnt pid uts ipc net; do is "04 $name" 'its own'; done
  is '03 descriptors' '0 1 2'; is '60 other processes seen' no; is '08 mounts shared with the host' no; is '63 /proc/1/exe' probe

begin '--userns: the same, and root is nobody on the host'
  tool probe
  probe --userns 300000:300000:65536
  if [ "$code" != 0 ]; then skip "no user namespaces here: $err"; fi
  exits 0
  is '04 user' 'its own'
  # No node can be made there at all; the rest of what differs is refused, too.
  is '51 block 254:0' 'mknod EPERM'; is '52 mem 1:1' 'mknod EPERM'; is '52 null 1:3' 'mknod EPERM'
  # gid 5 is another on the host, and who may not even open is told so before it is looked whether the mount is read-only.
  not_looser '04 user' '5[12] ' '57 ' '55 /dev/pts' '.*mydocker EACCES$'

begin 'an ordinary user: the same with less, and nobody but himself outside'
  tool probe
  mkdir -p home && cp -a tree home/tree && chown -R 54321:54321 home
  as_user() {
    cd home && exec 9<. && exec setpriv --reuid 54321 --regid 54321 --clear-groups env -u MYDOCKER_ROOT HOME="$T/home" \
      timeout 120 "$MYDOCKER" run ./tree /bin/probe "${host[@]}"
  }
  run as_user
  if [ "$code" != 0 ]; then skip "no user namespaces here: $err"; fi
  exits 0
  is '04 user' 'its own'; is '01 CapEff' 00000000a80425fb; is '02 NoNewPrivs' 1; is '03 descriptors' '0 1 2'
  is '51 block 254:0' 'mknod EPERM'; is '52 mem 1:1' 'mknod EPERM'; is '38 setgroups' EPERM
  # Root is the only user, so what needs another one cannot be done; and no group 5 for terminals.
  not_looser '02 NoNewPrivs' '04 user' '5[12] ' '57 ' '55 /dev/pts' '35 ' '38 set' '64 ' '.*mydocker EACCES$'

detached=fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
for calls in "$detached" "$detached,openat2,clone3,close_range,pidfd_open,pidfd_send_signal,waitid"; do
  begin "on a kernel without $calls"
    tool probe
    if [ ! -x "$WITHOUT" ]; then skip 'no C compiler for tests/tools/without.c'; fi
    LIMIT=120 run bash -c 'exec 9<"$HOME"; exec "$@"' sh "$WITHOUT" "$calls" "$MYDOCKER" run ./tree /bin/probe "${host[@]}"
    exits 0; quiet
    # The test's own filter is a second one, and answers for these calls; pidfds are among what it takes away.
    is '02 Seccomp' 2
    not_looser '02 Seccomp_filters' '36 pidfd_open'
done

# What is executed in a container later may do what its command may, and no more: the same answers, whatever the flags.
same_by_exec() {
  local differs
  probe "$@"
  if [ "$code" != 0 ] && [ "$1" = --userns ]; then skip "no user namespaces here: $err"; fi
  exits 0
  mv "$T/out" "$T/by_run"
  start --name probed "$@" ./tree /bin/busybox sh -c 'echo ready; exec busybox sleep 99999'
  ready
  LIMIT=120 run sh -c 'exec 9<"$HOME"; exec "$@"' sh "$MYDOCKER" exec probed /bin/probe "${host[@]}"
  exits 0; quiet
  # There is another process now, whose program is another; with --init process 1 is closed, and so is what it says.
  differs=$(diff "$T/by_run" "$T/out" | grep '^[<>]' | grep -vE '^. (60 other processes seen|63 /proc/1/exe|63 /:|56 /proc/1/)')
  same '' "$differs" 'what differs'
  "$MYDOCKER" kill probed >/dev/null 2>&1
  finish
}

for flags in '' --init '-u 1000:1000' '--cap-drop ALL' '--cap-add SYS_ADMIN' '--cap-add SYS_PTRACE --cap-drop CHOWN' \
  '--security-opt seccomp=unconfined' '--security-opt no-new-privileges' --privileged '--userns 300000:300000:65536' \
  '--read-only --oom-score-adj 77 --ulimit nofile=99:100 -m 64m' '--net host --ipc host --uts host'; do
  begin "exec: the same answers as by run${flags:+ $flags}"
    tool probe && same_by_exec $flags
done
