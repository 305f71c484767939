# Hosts that are not as one expects: older kernels, closed descriptors, small limits, things that are not there, outer
# containers. The core passes there, or one line says why not and what to do.

mkdir -p h/dir
echo in dir >h/dir/f
"$MYDOCKER" run busybox true
needs_without() { if [ ! -x "$WITHOUT" ]; then skip 'no C compiler for tests/tools/without.c'; return 1; fi; }

# core COMMAND…: a container with all that it can have, started by the command, is as it shall be.
core() {
  run "$@" "$MYDOCKER" run -v ./h/dir:/mnt -v ./h/dir:/new/ro:ro -v named:/data --tmpfs /scratch:size=1m -u app -m 64m \
    --hostname odd --read-only -e A=b -w /data busybox sh -c 'id -un; hostname; pwd; cat /mnt/f /new/ro/f; touch /new/ro/x
      touch /scratch/x && echo scratch $A; umask; head -c 10 /proc/keys | wc -c; grep -c " /proc/sys ro" /proc/self/mountinfo; exit 7'
  exits 7
  prints $'app\nodd\n/data\nin dir\nin dir\nscratch b\n0022\n0\n1'
  same 'touch: /new/ro/x: Read-only file system' "$err" 'standard error'
  nothing_left
}
nothing_left() { same '' "$(ls -A "$MYDOCKER_ROOT/containers" 2>/dev/null)" 'the containers'; }

# --- kernels that lack calls

# Each call alone and more of them together: older_kernels.sh. Here what is not a whole call, and what might be used.
newer=clone3,openat2,close_range,mount_setattr,pidfd_open,pidfd_send_signal,statx,clone3:88,copy_file_range,waitid
for calls in clone3:88 clone3=EPERM fsopen open_tree statx,copy_file_range "$newer" "fsopen,fsconfig,fsmount,open_tree,move_mount,$newer"; do
  begin "a kernel without $calls"
    needs_without
    core "$WITHOUT" "$calls"
done

begin 'a terminal, an import and a failed command on a kernel without any of them'
  needs_without; need_pty
  feed 'expect / # 
send tty; exit 5\r
wait
'
  run "$PTY" -- "$WITHOUT" "$newer,fsopen,fsmount,open_tree,move_mount" "$MYDOCKER" run -it busybox /bin/sh
  exits 5; contains /dev/
  run "$WITHOUT" "$newer,fsopen,fsmount,open_tree,move_mount" "$MYDOCKER" run --root "$T/other" ./busybox.tar /no/such
  exits 127; one_line
  same '' "$(ls -A other/containers)" 'the containers'
  rm -rf other

begin 'few descriptors for the command, on a kernel without close_range'
  needs_without
  run "$WITHOUT" close_range "$MYDOCKER" run --ulimit nofile=6:6 -u app busybox sh -c 'ulimit -n
    for n in 3 4 5 6 7 8 9 10 11 12; do if [ -e /proc/$$/fd/$n ]; then echo "$n is open"; fi; done'
  exits 0; quiet; prints 6
  run "$WITHOUT" close_range "$MYDOCKER" run --init --ulimit nofile=6:6 -u app busybox sh -c 'ulimit -n; exit 4'
  exits 4; quiet; prints 6

# --- the caller's descriptors, mask and limits

begin 'descriptors 0, 1 and 2 are closed'
  run sh -c '"$0" run busybox sh -c "readlink /proc/self/fd/0; exit 3" <&- >&- 2>&-' "$MYDOCKER"
  exits 3; quiet; prints ''
  run sh -c '"$0" run -i busybox sh -c "cat; echo out; echo err >&2" <&-' "$MYDOCKER"
  exits 0; prints out; same err "$err"
  run sh -c '"$0" run busybox sh -c "echo out; echo err >&2" >&-' "$MYDOCKER"
  exits 0; prints ''; same err "$err"
  run sh -c '"$0" run busybox sh -c "echo out; echo err >&2" 2>&-' "$MYDOCKER"
  exits 0; prints out; quiet
  run sh -c '"$0" run --no-such-flag busybox true 2>&-' "$MYDOCKER"
  exits 125
  nothing_left

begin 'umask 0777: what is made has the modes it shall have'
  core sh -c 'umask 0777; exec "$@"' sh
  run sh -c 'umask 0777; "$0" run --root "$1" -v ./h/made:/made ./busybox.tar sh -c "umask; touch /made/x"' "$MYDOCKER" "$T/masked"
  exits 0; prints 0022
  same '755 644' "$(stat -c %a h/made h/made/x | paste -sd ' ')" 'the modes of what -v made'
  same 700 "$(stat -c %a masked)" "the store's mode"
  rm -rf masked

begin 'RLIMIT_NOFILE 16: mydocker raises it for itself, and the command has it'
  core sh -c 'ulimit -Sn 16; exec "$@"' sh
  run sh -c 'ulimit -Sn 16; hard=$(ulimit -Hn); "$0" run busybox sh -c "ulimit -n; ulimit -Hn"; echo $hard' "$MYDOCKER"
  exits 0; quiet
  same "16 ${out##*$'\n'} ${out##*$'\n'}" "$(paste -sd ' ' "$T/out")" 'soft, hard, and the hard one outside'
  run sh -c 'ulimit -Sn 16; "$0" run --ulimit nofile=20:30 busybox sh -c "ulimit -n; ulimit -Hn"' "$MYDOCKER"
  prints $'20\n30'

begin 'a hard limit below what a start needs: raised with CAP_SYS_RESOURCE, else one line'
  for limit in 3 5 8 12 16 24; do
    run sh -c 'ulimit -n "$1"; exec "$0" run -v named:/data busybox true' "$MYDOCKER" "$limit"
    if [ "$code" != 0 ]; then exits 125; one_line; says EMFILE; fi
    nothing_left
  done

begin 'RLIMIT_FSIZE 0: the soft one is raised and given back; the hard one stops an import without a trace'
  core sh -c 'ulimit -Sf 0; exec "$@"' sh
  run sh -c 'ulimit -Sf 0; exec "$0" run busybox sh -c "ulimit -f; echo x >/tmp/x"' "$MYDOCKER"
  # The command is PID 1, which no signal ends that it does not handle.
  same 0 "${out%%$'\n'*}" 'the limit inside'; exits 1; says 'File too large'
  # Through a pipe, since a message to a file would be over the limit too.
  run sh -c '{ (ulimit -f 0; "$0" run --root "$1" ./busybox.tar true; echo $?) 2>&1 | cat; }' "$MYDOCKER" "$T/small"
  if [ "${out##*$'\n'}" != 0 ]; then
    contains EFBIG; same 125 "${out##*$'\n'}" 'the exit code'
    same '' "$(ls -A small/layers small/images | grep -v ':$')" 'what was imported'
  fi
  run sh -c '{ (ulimit -f 0; "$0" run busybox true; echo $?) 2>&1 | cat; }' "$MYDOCKER"
  if [ "${out##*$'\n'}" != 0 ]; then contains EFBIG; contains 'hint: ulimit -f'; same 125 "${out##*$'\n'}" 'the exit code'; fi
  nothing_left
  rm -rf small

# --- what is not there, or cannot be written

private() { unshare -m --propagation private sh -c "$1"'; shift; exec "$@"' sh "$1" "${@:2}"; }

begin 'a / that is read-only'
  core private "mount --bind '$T' '$T' && mount -o remount,bind,ro /"

begin 'a store that is read-only: one line, and the way out'
  run private 'mount --bind "$MYDOCKER_ROOT" "$MYDOCKER_ROOT" && mount -o remount,bind,ro "$MYDOCKER_ROOT"' "$MYDOCKER" run busybox true
  exits 125; one_line; says EROFS; says --root

begin 'no /dev/ptmx, no /dev at all'
  core private 'mount -t tmpfs none /dev'
  need_pty
  feed 'expect / # 
send exit 5\r
wait
'
  run "$PTY" -- unshare -m --propagation private sh -c 'mount -t tmpfs none /dev; exec "$0" run -it busybox /bin/sh' "$MYDOCKER"
  exits 5

begin 'no /proc: one line, and the way out'
  run private 'mount -t tmpfs none /proc' "$MYDOCKER" run busybox true
  exits 125; one_line; says 'mount -t proc proc /proc'
  run private 'mount -t tmpfs none /proc' "$MYDOCKER" check
  exits 1; contains 'mount -t proc proc /proc'
  nothing_left

begin 'a /proc with hidepid=2'
  core private 'mount -t proc -o hidepid=2 proc /proc'

begin 'no /sys, and so no cgroups: without a limit it works, with one an error says what is missing'
  run private 'mount -t tmpfs none /sys' "$MYDOCKER" run busybox sh -c 'echo started'
  exits 0; prints started; quiet
  run private 'mount -t tmpfs none /sys' "$MYDOCKER" run -m 64m busybox true
  exits 125; one_line; says memory

begin 'cgroups that are read-only, as in an outer container: the same'
  ro='for at in $(grep -oE " /sys/fs/cgroup[^ ]*" /proc/self/mountinfo); do mount -o remount,bind,ro $at; done'
  run private "$ro" "$MYDOCKER" run busybox sh -c 'echo started'
  exits 0; prints started; quiet
  run private "$ro" "$MYDOCKER" run -m 64m busybox true
  exits 125; one_line; says EROFS

for kind in overlay tmpfs; do
  begin "/var/lib/mydocker on $kind"
    mkdir -p l m
    mount -t tmpfs none m
    if [ "$kind" = overlay ]; then mkdir m/u m/w m/m; mount -t overlay none -o "lowerdir=l,upperdir=m/u,workdir=m/w" m/m; at=$T/m/m; else at=$T/m; fi
    run private "mkdir -p '$at/store' && mount --bind '$at/store' /var/lib" env -u MYDOCKER_ROOT "$MYDOCKER" run ./busybox.tar sh -c 'rm -r /home; mkdir /home; echo x >/home/x; cat /home/x'
    if [ "$kind" = overlay ]; then exits 125; one_line; says 'on an overlay itself'; says --root; else exits 0; prints x; quiet; fi
    umount -R m
done

# --- more rights than the caller

begin 'set-user-ID, set-group-ID, file capabilities: refused, whatever is asked'
  need setpriv
  user() { setpriv --reuid 1000 --regid 1000 --clear-groups "$@"; }
  for how in 'chmod 4755' 'chmod 2755' 'setcap cap_sys_admin+ep'; do
    command -v "${how%% *}" >/dev/null || continue
    rm -f raised; cp "$MYDOCKER" raised; chmod 755 raised; $how raised
    for word in 'run ./busybox.tar id' check version; do
      run user "$T/raised" $word
      exits 125; one_line; says 'more rights than its caller'; prints ''
    done
  done
  rm -f raised; cp "$MYDOCKER" raised; chmod 4755 raised
  run ./raised run busybox sh -c 'echo root may'
  exits 0; prints 'root may'
  rm -f raised

# --- outer containers

# inside COMMAND…: `check` and `run` agree there.
inside() {
  run "$@" "$T/parts/mydocker" check --root "$T/home/store"
  local said=$code
  case $said in 0 | 1) ;; *) fail 'check failed' "$(came)" ;; esac
  cp "$T/out" "$T/checked"
  run "$@" "$T/parts/mydocker" run --root "$T/home/store" "$T/parts/busybox.tar" sh -c 'echo started'
  if [ "$said" = 0 ]; then exits 0; prints started; else exits 125; one_line; prints ''; fi
}
mkdir -p parts home && cp "$MYDOCKER" parts/mydocker && chmod 755 parts/mydocker && cp "$TAR" parts/busybox.tar && chmod 644 parts/busybox.tar
chown 1000:1000 home
user() { setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all env -u MYDOCKER_ROOT HOME="$T/home" "$@"; }

begin 'root of a user namespace'
  check user unshare -Ur true
  run user unshare -Ur "$T/parts/mydocker" run "$T/parts/busybox.tar" sh -c 'id -u; touch /tmp/x && echo started'
  exits 0; prints $'0\nstarted'; quiet
  inside user unshare -Urmpf --mount-proc sh -c 'mount -t tmpfs none "$0" && exec "$@"' "$T/home"
  run user unshare -Ur "$T/parts/mydocker" run -m 64m "$T/parts/busybox.tar" true
  exits 125; one_line; says --memory

begin 'an ordinary user on a kernel that has only the newer calls for mounts'
  needs_without
  for calls in openat2 close_range clone3 clone3=EPERM pidfd_open openat2,close_range,clone3,pidfd_open,pidfd_send_signal,statx; do
    run user "$WITHOUT" "$calls" "$T/parts/mydocker" run -v "$T/home:/h" "$T/parts/busybox.tar" sh -c 'id -u; touch /h/x && echo started'
    exits 0; prints $'0\nstarted'; quiet
  done
  run user "$WITHOUT" mount_setattr "$T/parts/mydocker" run "$T/parts/busybox.tar" true
  exits 125; one_line; says 'Linux 5.12'

for who in root user; do
  for how in '--dev-bind / / --proc /proc' '--unshare-all --ro-bind / / --proc /proc --dev /dev'; do
    begin "in bwrap $how, started by ${who}"
      need bwrap
      as=; if [ "$who" = user ]; then as=user; fi
      check $as bwrap $how true
      inside $as bwrap $how --tmpfs "$T/home"
      case $who$how in root--dev*) exits 0 ;; esac
  done
done

# A docker of our own. Its containers' cgroups have a parent of their own, to be removed at the end.
docker() { timeout 30 docker -H "unix://$T/docker.sock" "$@"; }
docker_pid=
if command -v docker dockerd >/dev/null; then
  dockerd --data-root "$T/docker" --exec-root "$T/docker.exec" --pidfile "$T/docker.pid" -H "unix://$T/docker.sock" --iptables=false \
    --bridge=none --cgroup-parent "/odd-hosts-$$" --default-ulimit nofile=1024:1024 >docker.log 2>&1 </dev/null &
  docker_pid=$!
  for try in $(seq 100); do if docker version >/dev/null 2>&1; then break; fi; sleep 0.1; done
  docker import "$T/parts/busybox.tar" odd >/dev/null 2>&1 || docker_pid_bad=1
fi
needs_docker() {
  need docker dockerd || return 1
  if [ -n "$docker_pid_bad" ]; then skip "dockerd does not work here: $(tail -n 1 docker.log)"; return 1; fi
}
in_docker() {
  local flags=$1
  shift
  docker run --rm --network none --tmpfs /store -v "$T/parts:/parts" $flags odd "$@"
}
unconfined='--security-opt seccomp=unconfined --security-opt apparmor=unconfined'

begin "in docker's container, as it is by default: cannot work, and the words say why"
  needs_docker
  run in_docker '' /parts/mydocker check --root /store
  exits 1; contains 'overlay: no: EPERM'; contains "CAP_SYS_ADMIN is missing; docker's --privileged"; lacks 'CONFIG_'
  run in_docker '' /parts/mydocker run --root /store /parts/busybox.tar true
  exits 125; one_line; says EPERM; says 'mydocker check'

# runc cannot give a capability that this machine lacks, so --privileged is put together here.
begin "in docker's container with all privileges: works, but for limits where cgroups are read-only"
  needs_docker
  all="--cap-add ALL $unconfined --security-opt systempaths=unconfined"
  if ! in_docker "$all" true >/dev/null 2>&1; then all="$all --cap-drop SYS_RESOURCE"; fi
  run in_docker "$all" sh -c '/parts/mydocker check --root /store && /parts/mydocker run --root /store /parts/busybox.tar echo started'
  exits 0; prints_line started; contains 'store: ok: /store'
  run in_docker "$all" /parts/mydocker run --root /store -m 64m /parts/busybox.tar true
  exits 125; one_line; says EROFS; says 'limits need a cgroup'
  run in_docker "$all -v /sys/fs/cgroup:/sys/fs/cgroup" /parts/mydocker run --root /store -m 64m /parts/busybox.tar echo started
  exits 0; prints started
  run in_docker "$all" /parts/mydocker run /parts/busybox.tar true
  exits 125; one_line; says 'on an overlay itself'

begin "in docker's container with CAP_SYS_ADMIN alone: the loopback needs one more"
  needs_docker
  run in_docker "--cap-add SYS_ADMIN $unconfined" /parts/mydocker check --root /store
  exits 1; contains 'net namespace: no: EPERM (Operation not permitted): CAP_NET_ADMIN'
  run in_docker "--cap-add SYS_ADMIN $unconfined" /parts/mydocker run --root /store /parts/busybox.tar true
  exits 125; one_line; says CAP_NET_ADMIN
  run in_docker "--cap-add SYS_ADMIN $unconfined" /parts/mydocker run --net host --root /store /parts/busybox.tar echo started
  exits 0; prints started

begin "in docker's container, an ordinary user: needs a whole /proc"
  needs_docker
  run in_docker "-u 1000 $unconfined --tmpfs /store:mode=1777" /parts/mydocker check --root /store/x
  exits 1; contains '/proc: no: EPERM'; contains systempaths=unconfined
  run in_docker "-u 1000 $unconfined --tmpfs /store:mode=1777" /parts/mydocker run --root /store/x /parts/busybox.tar true
  exits 125; one_line; says unmasked
  run in_docker "-u 1000 $unconfined --security-opt systempaths=unconfined --tmpfs /store:mode=1777" \
    sh -c '/parts/mydocker check --root /store/x && /parts/mydocker run --root /store/x /parts/busybox.tar echo started'
  exits 0; prints_line started

if [ -n "$docker_pid" ]; then
  kill "$docker_pid"; wait "$docker_pid" 2>/dev/null
  find /sys/fs/cgroup -depth -type d -path "*/odd-hosts-$$*" -exec rmdir {} \; 2>/dev/null
  for at in $(grep -o " $T/docker[^ ]*" /proc/self/mountinfo | sort -r); do umount -l "$at"; done
fi
