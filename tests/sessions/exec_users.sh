# exec where the container has a user namespace: an ordinary user's, and root's with --userns; and on kernels that lack calls.
. "$TESTS/tools/host.sh"
USER_ID=54321
home=$T/home
mkdir "$home" && chown "$USER_ID:$USER_ID" "$home"
ln busybox.tar "$home/busybox.tar"
store=$home/.local/share/mydocker

as() {
  cd "$home" && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
    env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$home" "$@"
}
user() { as timeout 30 "$MYDOCKER" exec "$@"; }
# up FLAG...: his container, in the background. down: its end.
up() {
  : >up.out
  (as "$MYDOCKER" run --name bird "$@" busybox.tar /bin/sh -c 'echo ready; exec sleep 271828') </dev/null >up.out 2>up.err &
  pid=$!
  eventually 20 grep -q ready up.out || skip "an ordinary user has no containers here: $(cat up.err)"
}
down() { host_pid 271828 | xargs -r kill -9; wait "$pid" 2>/dev/null; }

begin 'an ordinary user executes a command in his container'
  up
  run user bird sh -c 'id -u; hostname; ps -o pid,args; cat /proc/self/uid_map; grep -E "^(NoNewPrivs|CapEff|Seccomp):" /proc/self/status; exit 5'
  exits 5; quiet; contains '1 sleep 271828'; contains $'NoNewPrivs:\t1'; contains $'CapEff:\t00000000a80425fb'; contains $'Seccomp:\t2'
  feed hello
  run user -i bird cat; prints hello
  run user -d bird sleep 314159; exits 0
  eventually 5 running 314159 || fail 'it never ran'
  run user -u 1000 bird id; exits 1; one_line; says 'the container has no user with the id 1000'
  run user -w /tmp bird sh -c 'echo new >file; ls -l file'; exits 0; contains 'root     root'
  if need_pty; then
    feed $'wait\n'
    run as timeout 30 "$PTY" "$MYDOCKER" exec -it bird sh -c 'tty; stty size; exit 6'
    exits 6; contains /dev/pts/; contains '24 80'
  fi
  # Root of the host is nobody else in there, and has none of his groups.
  run setpriv --groups 0,4,24 "$MYDOCKER" exec --root "$store" bird sh -c 'id; cat /proc/self/uid_map; grep Groups /proc/self/status'
  exits 0; contains 'uid=0(root) gid=0(root)'; contains "$USER_ID"; lacks 4294967295; lacks nogroup; lacks 65534
  down
  refuse running 314159

begin 'an ordinary user: --init, whose process 1 nobody may look at'
  up --init
  run user bird sh -c 'ps -o pid,args; echo $$ >/dev/null'
  exits 0; contains '2 sleep 271828'
  down

begin 'an ordinary user: the probe answers as under run'
  tool probe || true
  mkdir -p "$home/tree"/{bin,etc,root,tmp} && chmod 1777 "$home/tree/tmp" && cp "$tool_path" "$home/tree/bin/probe" && cp /bin/busybox "$home/tree/bin"
  printf 'root:x:0:0:root:/root:/bin/sh\n' >"$home/tree/etc/passwd"; printf 'root:x:0:\n' >"$home/tree/etc/group"
  chown -R "$USER_ID:$USER_ID" "$home/tree"
  host=("$$" "$(hostname)")
  for name in mnt pid uts ipc net cgroup user time; do host+=("$(readlink "/proc/self/ns/$name")"); done
  LIMIT=120 run as "$MYDOCKER" run ./tree /bin/probe "${host[@]}"
  if [ "$code" != 0 ]; then skip "an ordinary user has no containers here: $err"; fi
  mv "$T/out" by_run
  (as "$MYDOCKER" run --name bird ./tree /bin/busybox sleep 271828) </dev/null >up.out 2>up.err &
  pid=$!
  eventually 10 running 271828
  LIMIT=120 run as "$MYDOCKER" exec bird /bin/probe "${host[@]}"
  exits 0; quiet
  same '' "$(diff by_run "$T/out" | grep '^[<>]' | grep -vE '^. (60 other processes seen|63 /proc/1/exe|63 /:|56 /proc/1/)')" 'what differs'
  down

begin '--userns: root of the container is nobody on the host'
  start --name bird --userns 300000:300000:65536 busybox.tar sh -c 'echo ready; exec sleep 271828'
  decided() { said ready || gone "$pid"; }
  eventually 20 decided
  if gone "$pid"; then skip "no user namespaces here: $(cat "$T/started.err")"; fi
  ready
  run setpriv --groups 0,4,24 "$MYDOCKER" exec bird sh -c 'id; cat /proc/self/uid_map; echo $(stat -c %u:%g /bin); touch /new; stat -c %u:%g /new'
  exits 0; quiet; contains 'uid=0(root) gid=0(root) groups=0(root)'; contains 300000; contains 0:0
  run mydocker exec -u app bird sh -c 'id -un; sleep 161803 & exec sleep 2' &
  eventually 10 running 161803 || fail 'it never ran'
  same '301000 301000 301000 301000' "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$(host_pid 161803 | head -n 1)/status")" 'the ids of the process'
  wait $!
  host_pid 161803 | xargs -r kill
  run mydocker exec -u 70000 bird id; exits 1; one_line; says 'the container has no user with the id 70000'
  run mydocker exec -d bird sleep 314159; exits 0
  eventually 5 running 314159 || fail 'it never ran'
  run mydocker exec -t bird sh -c '[ -t 0 ] && stat -c %u:%g $(tty)'
  exits 0; contains 0:5
  host_pid 271828 | xargs -r kill -9
  finish
  refuse running 314159

for calls in clone3 clone3=EPERM pidfd_open openat2,close_range clone3,openat2,close_range,fsopen,open_tree,move_mount,mount_setattr; do
  begin "a kernel without $calls"
    if [ ! -x "$WITHOUT" ]; then skip 'no C compiler for tests/tools/without.c'; fi
    start --name bird busybox.tar sh -c 'echo ready; exec sleep 271828'
    ready
    run bash -c 'exec 9<. 100<.; exec "$@"' sh "$WITHOUT" "$calls" "$MYDOCKER" exec bird sh -c 'id -un; for f in /proc/$$/fd/*; do readlink $f; done; exit 4'
    exits 4; contains root; lacks "$T"
    run "$WITHOUT" "$calls" "$MYDOCKER" exec -u app -w /tmp bird pwd
    exits 0; prints /tmp
    host_pid 271828 | xargs -r kill -9
    finish
done
