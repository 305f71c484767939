# Containers that stay of an ordinary user: stop, kill, restart, wait, rename, rm, update and pause, without cgroups.
USER_ID=54322
home=$T/home
mkdir "$home" && chown "$USER_ID:$USER_ID" "$home"
store=$home/.local/share/mydocker
ln "$T/busybox.tar" "$home/busybox.tar"
as() {
  cd "$home" && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
    env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$home" "$@"
}
user() { as timeout 30 "$MYDOCKER" "$@"; }
rootless() { (as unshare -Ur true) 2>/dev/null || skip 'ordinary users may not make user namespaces here'; }
. "$TESTS/tools/host.sh"

begin 'stop, start, kill, wait, restart'
  rootless
  run user run -d --name r1 busybox sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'
  exits 0; id=$out
  if active; then eventually 10 grep -q ready "$store/containers/$id/log"; fi
  run user stop r1
  exits 0; prints r1
  run user wait r1
  prints 3
  run user restart -t 0 r1
  exits 0; prints r1
  run user kill r1
  exits 0
  run user wait r1
  prints 137

begin 'no process is left of a container that ignores SIGTERM'
  rootless
  run user run -d --name r2 busybox sh -c 'trap "" TERM; (setsid sleep 32201 &); sleep 32202; sleep 32203'
  if active; then eventually 10 running 32202; fi
  run user stop -t 1 r2
  exits 0
  if active; then for n in 32201 32202 32203; do stopped $n || fail "sleep $n lives"; done; fi

begin 'pause and update say that there is no cgroup'
  rootless
  run user start r1
  run user pause r1
  exits 1; one_line; says r1
  run user inspect --format '{{.State.Status}}' r1
  prints running
  run user update -m 64m --memory-swap 64m r1
  if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
  one_line

begin 'commit goes without a pause where there is no cgroup'
  rootless
  run user exec r1 sh -c 'echo word >/file'
  run user commit r1 changed
  exits 0
  run user run --rm changed cat /file
  prints word
  run user rmi changed
  exits 0

begin 'rename, rm'
  rootless
  run user rename r1 r3
  exits 0
  run user rm r3
  exits 1
  run user rm -f r3 r2
  exits 0
  run user ps -aq
  prints ''
  if active; then same '' "$(ls -A "$store/containers" "$store/names" | grep -v :)" 'containers/ and names/'; fi
