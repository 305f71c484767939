# mydocker check: what it says is what the kernel answers, and its exit code is what `run` would do.

cp "$MYDOCKER" here && chmod 755 here
missing() { awk -F ': ' '$2 == "no" { print $1 }' "$T/out" | paste -sd ' '; }

# needs_without: the tool that answers single system calls with an errno.
needs_without() { if [ ! -x "$WITHOUT" ]; then skip 'no C compiler for tests/tools/without.c'; return 1; fi; }

# agrees COMMAND…: `check` and `run`, each started by the command, come to the same.
agrees() {
  if ! active; then return 0; fi
  local said
  "$@" "$MYDOCKER" run ./busybox.tar /bin/true </dev/null >"$T/run" 2>&1
  said=$?
  run "$@" "$MYDOCKER" check
  if [ "$said" = 0 ]; then exits 0; else exits 1; fi
  if [ "$said" != "$code" ] && [ "$said" != 125 ]; then fail "run exited with $said" "$(cat "$T/run")"; fi
}

begin 'a line for each thing, and exit 0 where run works'
  agrees env
  quiet
  for name in 'mount namespace' 'pid namespace' 'uts namespace' 'ipc namespace' 'net namespace' 'cgroup namespace' \
    overlay /proc /sys seccomp; do prints_line "$name: ok"; done
  for name in 'user namespace' 'detached mounts' 'idmapped mounts' pidfd openat2 store memory cpu cpuset pids devices; do
    same 1 "$(grep -cE "^$name: (ok|no: )" "$T/out")" "the lines of $name"
  done

begin 'where the controllers are'
  run mydocker check
  for name in memory cpu cpuset pids devices; do
    place=$(perl -ne 'print "$1\n" if /^(?:\S+ ){4}(\S+) .* - cgroup \S+ (?:\S*,)?'"$name"'(?:,|$)/' /proc/self/mountinfo | head -n 1)
    if [ -n "$place" ]; then prints_line "$name: ok: $place"; fi
  done

begin 'nothing is changed: no store is made, no mount is seen'
  before=$(cat /proc/self/mountinfo)
  run mydocker check --root "$T/none/store"
  exits 0; prints_line "store: ok: $T/"
  refuse test -e "$T/none"
  same "$before" "$(cat /proc/self/mountinfo)" 'the mounts'

for calls in mount mount=EPERM mount=EACCES clone=EPERM,clone3=EPERM; do
  begin "$calls is refused: run cannot work"
    needs_without
    agrees "$WITHOUT" "$calls"
    exits 1; contains 'overlay: no: E'
    case $calls in *=EPERM) contains ': a seccomp filter' ;; esac
done

begin 'no seccomp filter can be installed: run works without one only'
  needs_without
  agrees "$WITHOUT" seccomp
  exits 1; same seccomp "$(missing)" 'what is missing'; contains '--security-opt seccomp=unconfined'
  run "$WITHOUT" seccomp "$MYDOCKER" run --security-opt seccomp=unconfined ./busybox.tar /bin/true
  exits 0

# What mydocker has another way for.
while read -r calls name; do
  begin "$calls: $name, and run works"
    needs_without
    agrees "$WITHOUT" "$calls"
    exits 0; quiet; same "$name" "$(missing)" 'what is missing'
done <<'END'
openat2 openat2
pidfd_open pidfd
pidfd_open=EPERM pidfd
fsopen detached mounts
mount_setattr detached mounts idmapped mounts
open_tree idmapped mounts
END

begin 'all of the newer calls missing: run works'
  needs_without
  agrees "$WITHOUT" openat2,pidfd_open,pidfd_send_signal,fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr,clone3,close_range,statx
  exits 0; contains 'no: ENOSYS (Function not implemented): '

begin 'without CAP_SYS_ADMIN: what is missing is said, and no way round'
  need setpriv
  agrees setpriv --bounding-set -sys_admin --inh-caps -sys_admin
  exits 1; contains 'mount namespace: no: EPERM (Operation not permitted): CAP_SYS_ADMIN is missing'

begin 'user.max_user_namespaces is 0: root of a user namespace needs another one'
  check unshare -Ur true
  run unshare -Ur sh -c "echo 0 >/proc/sys/user/max_user_namespaces; exec $T/here check"
  exits 1; contains 'ENOSPC (No space left on device)'; contains '/proc/sys/user/max_user_namespaces is 0'

begin 'a limit of namespaces is reached: which'
  check unshare -Ur true
  run unshare -Ur sh -c "echo 0 >/proc/sys/user/max_net_namespaces; exec $T/here check"
  exits 1; contains 'net namespace: no: ENOSPC (No space left on device): a limit in /proc/sys/user/max_*_namespaces'
  contains 'uts namespace: ok'

begin 'an ordinary user: what there is in a user namespace of his own'
  need setpriv
  mkdir -p home && chown 1000:1000 home && chmod 711 home
  user() { setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all env -u MYDOCKER_ROOT HOME="$T/home" "$T/here" "$@"; }
  run user check
  exits 0; quiet; prints_line 'overlay: ok'; prints_line "store: ok: $T/home/"
  run user run ./busybox.tar /bin/true
  exits 0; quiet

begin 'an ordinary user who may make no user namespace: which sysctl says so'
  check unshare -U --keep-caps true
  run unshare -U --keep-caps sh -c "echo 0 >/proc/sys/user/max_user_namespaces; exec $T/here check"
  exits 1; contains 'ENOSPC (No space left on device)'; contains '/proc/sys/user/max_user_namespaces is 0'

begin 'a store that an overlay holds: no, and the way out'
  mkdir -p l u w m
  mkdir -p "$T/tmpfs" && mount -t tmpfs none "$T/tmpfs" && mkdir "$T"/tmpfs/{u,w} &&
    mount -t overlay none -o "lowerdir=$T/l,upperdir=$T/tmpfs/u,workdir=$T/tmpfs/w" "$T/m"
  check mountpoint -q "$T/m"
  run mydocker check --root "$T/m/store"
  exits 1; contains "store: no: $T/m/: EINVAL (Invalid argument): on an overlay"
  run mydocker run --root "$T/m/store" ./busybox.tar /bin/true
  exits 125
  run mydocker check --root "$T/tmpfs/store"
  exits 0; prints_line "store: ok: $T/tmpfs/"
  umount "$T/m"; umount "$T/tmpfs"

begin 'in a chroot, where / is no mount'
  mkdir -p jail/{bin,proc,sys,dev,tmp} && cp here jail/bin/mydocker
  run unshare -m sh -c "mount -t proc proc '$T/jail/proc'; mount --rbind /sys '$T/jail/sys'; chroot '$T/jail' /bin/mydocker check"
  # The kernel makes no user namespace there (user_namespaces(7), EPERM).
  exits 0; contains 'user namespace: no: EPERM'; contains 'chroot'

begin 'its own errors exit with 125, its help with 0'
  run mydocker check --help
  exits 0; quiet; contains 'mydocker check'
  for arguments in x --nosuch '--root' '--root a b'; do
    run mydocker check $arguments
    exits 125; one_line; prints ''
  done
  run sh -c '"$0" check >/dev/full' "$MYDOCKER"
  exits 125; one_line
