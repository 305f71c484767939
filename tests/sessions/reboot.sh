# The machine loses its power: every process of ours is gone at once, and /run is empty.
. "$TESTS/tools/host.sh"

up() { if active; then run mydocker run -d "$@"; exits 0; id=$out; fi; }
field() { "$MYDOCKER" inspect --format "{{.$2}}" "$1" 2>&1; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }
# power_loss: SIGKILL to all supervisors and all processes of containers, none of which gets to do anything.
power_loss() {
  local pids
  pids=$(strays | cut -d ' ' -f 1)
  if [ -n "$pids" ]; then kill -STOP $pids 2>/dev/null; kill -9 $pids 2>/dev/null; fi
  eventually 5 sh -c '! ls -d /proc/'"$(echo $pids | sed 's/ /  \/proc\//g')"' >/dev/null 2>&1' || true
  # The kernel's own: cgroups end with the machine. Frozen ones first, or their processes would not die.
  for state in /sys/fs/cgroup/freezer/mydocker-*/freezer.state; do
    case $state in *"*"*) ;; *) for c in $ids; do case $state in *"$c"*) echo THAWED >"$state" ;; esac; done ;; esac
  done
  for c in $ids; do
    for dir in /sys/fs/cgroup/{,*/}mydocker-"$c"; do if [ -d "$dir" ]; then eventually 5 rmdir "$dir" 2>/dev/null; fi; done
  done
  rm -rf /run/mydocker
}

begin 'whatever a container did then, it has ended; what it had written is there'
run mydocker run busybox true
ids=
up --name runs --restart always busybox sh -c 'echo written >/file; sleep 32101'; ids="$ids $id"
up --name frozen busybox sleep 32102; ids="$ids $id"
run mydocker pause frozen
up --name again --restart on-failure busybox false; ids="$ids $id"
up --name ended busybox sh -c 'exit 9'; ids="$ids $id"
up --rm --name goes busybox sleep 32103; ids="$ids $id"; goes=$id
run mydocker create --name never busybox true
start --name front /bin/sh -c 'echo ready; sleep 32104'
ready
if active; then
  "$MYDOCKER" wait ended >/dev/null
  sleep 0.7
  ids="$ids $(ls "$MYDOCKER_ROOT/containers")"
  power_loss
  wait "$pid" 2>/dev/null
fi
LIMIT=10 run mydocker ps -a --format '{{.Names}} {{.State}}'
exits 0
if active; then same $'again exited\nended exited\nfrozen exited\nnever created\nruns exited' "$(sort <<<"$out")" 'the containers'; fi
if active; then
  same '255 255 9' "$(field runs State.ExitCode) $(field frozen State.ExitCode) $(field ended State.ExitCode)" 'exit codes'
  refuse test -e "$MYDOCKER_ROOT/containers/$goes"
  for n in 32101 32102 32103 32104; do stopped $n || fail "sleep $n lives"; done
fi

begin 'they can be started, and what they had written is there'
run mydocker start frozen
exits 0
run mydocker start --all
exits 0
run mydocker ps --format '{{.Names}}'
if active; then same $'frozen\nruns' "$(sort <<<"$out")" 'what runs'; fi
if active; then same written "$(cat "$MYDOCKER_ROOT/containers/$(readlink "$MYDOCKER_ROOT/names/runs")/upper/file")"; fi
run mydocker run -d --name front busybox true
exits 0

begin 'and removed'
if active; then ids=$(ls "$MYDOCKER_ROOT/containers"); power_loss; fi
run mydocker rm never ended again runs frozen front
exits 0
same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" | grep -v :)" 'containers/ and names/'

begin 'no image is half there: an import that was cut off at any moment'
"$MYDOCKER" images >/dev/null 2>&1 || skip 'there is no images'
if active; then
  mkdir -p big && for n in {1..300}; do head -c 20000 /dev/urandom >"big/f$n"; done
  tar -cf big.tar big
  for pause in 0.005 0.02 0.05 0.08 0.12 0.2; do
    "$MYDOCKER" import big.tar half:1 >/dev/null 2>&1 &
    pid=$!
    sleep "$pause"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    listed=$("$MYDOCKER" images --format '{{.Repository}}' 2>&1 | grep -c half)
    if [ "$listed" = 1 ]; then
      same 300 "$("$MYDOCKER" run half:1 /bin/busybox true 2>/dev/null; ls "$MYDOCKER_ROOT"/layers/*/big 2>/dev/null | wc -l)" "files of an image that is listed after $pause s"
      "$MYDOCKER" rmi half:1 >/dev/null 2>&1
    fi
  done
fi
run mydocker import big.tar whole:1
exits 0
run mydocker images --format '{{.Repository}}'
contains whole
clear_all
