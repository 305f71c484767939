# What is set for the command besides limits: sysctls of its namespaces, its place when memory runs out, its groups, its
# keyring, its label.
. "$TESTS/tools/host.sh"
"$MYDOCKER" run true

# --- --sysctl -----------------------------------------------------------------------------------------------------------

begin 'sysctls of the namespaces are set, and the host has its own'
  show='cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax /proc/sys/kernel/sem /proc/sys/fs/mqueue/msg_max'
  before=$(sh -c "$show")
  run mydocker run --sysctl net.ipv4.ip_default_ttl=33 --sysctl kernel.shmmax=4096 --sysctl 'kernel.sem=100 3200 50 99' --sysctl=fs.mqueue.msg_max=17 busybox sh -c "$show"
  exits 0; quiet; prints $'33\n4096\n100\t3200\t50\t99\n17'
  same "$before" "$(sh -c "$show")" "the host's"
  run mydocker run --sysctl net.ipv4.ip_default_ttl=33 --sysctl net.ipv4.ip_default_ttl=34 -u app busybox cat /proc/sys/net/ipv4/ip_default_ttl
  exits 0; prints 34

begin 'by which calls, before /proc/sys is read-only'
  run mydocker run --explain --sysctl net.ipv4.ip_default_ttl=33 busybox true
  exits 0
  at() { grep -nF -e "$1" "$T/out" | head -n 1 | cut -d : -f 1; }
  set_at=$(at 'openat({proc}, "sys/net/ipv4/ip_default_ttl", O_WRONLY|O_CLOEXEC, 0); write(..., "33", 2)')
  check test "${set_at:-99999}" -lt "$(at 'move_mount({copy}, "", {proc}, "sys", MOVE_MOUNT_F_EMPTY_PATH)')"
  check test "${set_at:-0}" -gt "$(at 'move_mount({proc}')"

for sysctl in kernel.core_pattern=x kernel.hostname=x vm.drop_caches=1 fs.file-max=1 net/ipv4/ip_forward=1 kernel.shmmaxx=1 \
  net.ipv4.ip_forward kernel/shmmax=1 =1 ''; do
  begin "--sysctl '$sysctl' is not of a namespace, or none"
    run mydocker run --sysctl "$sysctl" busybox true
    exits 125; one_line; says "--sysctl $sysctl: is not allowed"
done

begin 'nor is one of a namespace that is shared with the host'
  run mydocker run --net host --sysctl net.ipv4.ip_default_ttl=33 busybox true
  exits 125; one_line; says '--sysctl net.ipv4.ip_default_ttl=33: is not allowed with --net host'
  for sysctl in kernel.shmmax=4096 fs.mqueue.msg_max=17; do
    run mydocker run --ipc host --sysctl "$sysctl" busybox true
    exits 125; one_line; says "--sysctl $sysctl: is not allowed with --ipc host"
  done
  run mydocker run --ipc host --sysctl net.ipv4.ip_default_ttl=33 busybox cat /proc/sys/net/ipv4/ip_default_ttl
  exits 0; prints 33

begin 'what the kernel refuses is an error that names it'
  run mydocker run --sysctl net.ipv4.no_such=1 busybox true
  exits 125; one_line; says 'set the sysctl on net.ipv4.no_such=1: ENOENT'
  run mydocker run --sysctl net.ipv4.ip_default_ttl=x busybox true
  exits 125; one_line; says 'set the sysctl on net.ipv4.ip_default_ttl=x: EINVAL'
  # No way up, whatever is made of the dots.
  run mydocker run --sysctl net./../../kernel.shmmax=4096 busybox true
  exits 125; one_line

# --- --oom-score-adj ----------------------------------------------------------------------------------------------------

begin "the OOM score adjustment is the container's own, 0 without the flag"
  run mydocker run --oom-score-adj 500 busybox sh -c 'cat /proc/self/oom_score_adj /proc/1/oom_score_adj'
  exits 0; quiet; prints $'500\n500'
  run sh -c 'echo 300 >/proc/self/oom_score_adj && exec "$@"' sh "$MYDOCKER" run --init busybox sh -c 'cat /proc/self/oom_score_adj'
  exits 0; prints 0
  # mydocker itself keeps what it had.
  mkfifo oom.fifo
  "$MYDOCKER" run --oom-score-adj 1000 -v "$T:/host" busybox sh -c 'cat /host/oom.fifo' &
  pid=$!
  timeout 20 sh -c 'echo >oom.fifo' && same "$(cat /proc/self/oom_score_adj)" "$(cat "/proc/$pid/oom_score_adj" 2>/dev/null || cat /proc/self/oom_score_adj)" "mydocker's own"
  wait "$pid"

begin 'less than the own one needs CAP_SYS_RESOURCE'
  if [[ $(setpriv --dump 2>/dev/null) == *sys_resource* ]]; then
    run mydocker run --oom-score-adj -5 busybox cat /proc/self/oom_score_adj
    exits 0; prints -5
  else
    run mydocker run --oom-score-adj -5 busybox true
    exits 125; one_line; says 'set the OOM score adjustment on -5: EACCES'; says CAP_SYS_RESOURCE
  fi

for score in 1001 -1001 '' x 1e3 0x10 010 -- +5 99999999999999999999; do
  begin "--oom-score-adj '$score' is refused"
    run mydocker run --oom-score-adj "$score" busybox true
    exits 125; one_line; says "--oom-score-adj $score: must be a number from -1000 to 1000"
done

# --- --group-add --------------------------------------------------------------------------------------------------------

begin 'groups besides: names of the image, numbers, once each'
  run mydocker run -u app --group-add daemon --group-add 77 --group-add extra --group-add 77 busybox id
  exits 0; quiet; prints 'uid=1000(app) gid=1000(app) groups=1(daemon),77,1000(app),2000(extra)'
  run mydocker run -u 1234:5 --group-add app busybox id -G
  prints '5 1000'
  run mydocker run --group-add 2147483647 busybox grep Groups: /proc/self/status
  prints $'Groups:\t0 2147483647 '
for group in nosuch -1 2147483648 '' 0x1; do
  begin "--group-add '$group' is refused"
    run mydocker run --group-add "$group" busybox id
    exits 125; one_line; says "$group"; prints ''
done

# --- --ulimit -----------------------------------------------------------------------------------------------------------

begin 'of two limits for the same resource the last one holds'
  run mydocker run --ulimit nofile=100:100 --ulimit core=0 --ulimit nofile=200:300 busybox sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
  exits 0; quiet; prints $'200\n300\n0'

# --- keyring ------------------------------------------------------------------------------------------------------------

begin "a session keyring of its own: the host's keys are not found"
  if tool keyring; then
    mkdir -p tree/bin && cp "$tool_path" tree/bin/keyring
    run "$tool_path" hold "$tool_path" look
    exits 0; prints 'found: secret'
    for flags in --security-opt=seccomp=unconfined --privileged '-u 1000 --security-opt=seccomp=unconfined'; do
      run "$tool_path" hold "$MYDOCKER" run $flags ./tree /bin/keyring look
      exits 0; prints 'no such key'
    done
    # As docker: the filter forbids the calls.
    run "$tool_path" hold "$MYDOCKER" run ./tree /bin/keyring look
    exits 0; prints 'Operation not permitted'
  fi

begin 'a quota of keys that is used up is said'
  need strace
  run strace -f -o /dev/null -e inject=keyctl:error=EDQUOT "$MYDOCKER" run busybox true
  exits 125; one_line; says 'create a session keyring: EDQUOT (Quota exceeded)'; says /proc/sys/kernel/keys
  run strace -f -o /dev/null -e inject=keyctl:error=ENOSYS "$MYDOCKER" run busybox echo fine
  exits 0; prints fine

# --- labels -------------------------------------------------------------------------------------------------------------

begin 'a label of a security module that is not there is refused, not ignored'
  if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then skip 'AppArmor is enabled here'; fi
  run mydocker run --security-opt apparmor=docker-default busybox true
  exits 125; one_line; says '--security-opt apparmor=docker-default: the kernel has no such security module'
  if [ -e /sys/fs/selinux/enforce ]; then skip 'SELinux is enabled here'; fi
  run mydocker run --security-opt label=type:spc_t --security-opt label:level:s0:c1,c2 busybox true
  exits 125; one_line; says '--security-opt label=system_u:system_r:spc_t:s0:c1,c2: the kernel has no such security module'
  run mydocker run --security-opt apparmor=unconfined --security-opt label=type:spc_t --security-opt label=disable busybox echo fine
  exits 0; quiet; prints fine
for option in apparmor= apparmor label= label=x label=kind:x; do
  begin "--security-opt $option is refused"
    run mydocker run --security-opt "$option" busybox true
    exits 125; one_line; says "--security-opt $option: is not known"
done
