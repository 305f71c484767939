# pause and unpause: nothing of a container runs, whatever it does meanwhile, and everything that ends one ends it.
. "$TESTS/tools/host.sh"

status() { "$MYDOCKER" inspect --format '{{.State.Status}}' "$1" 2>&1; }
is() { if active; then same "$2" "$(status "$1")" "the state of $1"; fi; }
up() { if active; then run mydocker run -d "$@"; exits 0; id=$out; fi; }
supervisor() { perl -e 'print((split / /, readlink($ARGV[0]))[2])' "$MYDOCKER_ROOT/containers/$1/state"; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }
# ticks NUMBER: the processor time of the processes with that number, all together.
ticks() { host_pid "$1" | while read -r pid; do cut -d ' ' -f 14,15 "/proc/$pid/stat" 2>/dev/null; done | awk '{ sum += $1 + $2 } END { if (NR) print sum }'; }
# still NUMBER: it uses no processor for a while.
still() {
  local before after
  before=$(ticks "$1"); sleep 0.5; after=$(ticks "$1")
  [ -n "$before" ] && [ "$before" = "$after" ]
}
freezers() { ls -d /sys/fs/cgroup/freezer/mydocker-"$id" 2>/dev/null; }

begin 'pause: nothing runs; ps and inspect say so; unpause goes on'
up --name p1 busybox sh -c 'i=0; while :; do i=$((i+1)); done' 31800
if active; then still 31800 && fail 'it stands still by itself'; fi
run mydocker pause p1
exits 0; prints p1; quiet
if active; then still 31800 || fail 'it runs while it is paused'; fi
is p1 paused
run mydocker ps --format '{{.Status}}'
contains '(Paused)'
run mydocker ps -q --filter status=paused
contains "${id:0:12}"
run mydocker pause p1
exits 1
says 'container p1 is already paused'
run mydocker unpause p1
exits 0; prints p1
is p1 running
if active; then still 31800 && fail 'it does not go on'; fi
same '' "$(freezers)" 'the cgroup of the freezer'
run mydocker unpause p1
exits 1
says 'container p1 is not paused'
run mydocker pause nosuch p1
exits 1; prints p1
says 'no such container: nosuch'
run mydocker unpause p1
clear_all

begin 'what does not run is not paused'
run mydocker create --name p2 busybox true
run mydocker pause p2
exits 1
says 'container p2 is not running'
run mydocker unpause p2
exits 1
says 'container p2 is not paused'
clear_all

begin 'no fork slips out'
up --name forks --pids-limit 200 busybox sh -c 'while :; do sh -c "sh -c : 31801; :" 31801 & sh -c : 31801; done 2>/dev/null' 31801
if active; then
  sleep 0.5
  for n in 1 2 3 4 5; do
    "$MYDOCKER" pause forks >/dev/null || fail "pause failed in round $n"
    before=$(cat /sys/fs/cgroup/{freezer,}/mydocker-"$id"/cgroup.procs 2>/dev/null | sort | paste -sd ' ')
    sleep 0.3
    after=$(cat /sys/fs/cgroup/{freezer,}/mydocker-"$id"/cgroup.procs 2>/dev/null | sort | paste -sd ' ')
    same "$before" "$after" "the processes while it is paused, round $n"
    everyone=$(cat /sys/fs/cgroup/{memory,}/mydocker-"$id"/cgroup.procs 2>/dev/null | sort | paste -sd ' ')
    same "$everyone" "$after" 'all and those that are frozen'
    "$MYDOCKER" unpause forks >/dev/null || fail "unpause failed in round $n"
    sleep 0.1
  done
fi
run mydocker kill forks
exits 0
if active; then stopped 31801 || eventually 2 stopped 31801 || fail 'a process lives'; fi
clear_all

for way in 'stop -t 1' 'stop -t 10' 'kill' 'kill -s TERM' 'rm -f' 'restart -t 1'; do
  begin "a paused container: $way"
  up --name p3 busybox sh -c 'trap "exit 5" TERM; echo ready; while :; do sleep 0.05; done' 31802
  if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
  run mydocker pause p3
  since=$SECONDS
  LIMIT=15 run mydocker $way p3
  exits 0; prints p3
  if active && [ $((SECONDS - since)) -gt 5 ]; then fail "$way of a paused container took long" "$((SECONDS - since))"; fi
  case $way in
    stop*) is p3 exited; if active; then same 5 "$("$MYDOCKER" wait p3)" 'the exit code: it could end by itself'; fi ;;
    kill) if active; then same 137 "$("$MYDOCKER" wait p3)"; fi ;;
    kill*) if active; then same 5 "$("$MYDOCKER" wait p3)"; fi ;;
    restart*) is p3 running ;;
  esac
  clear_all
  if active; then stopped 31802 || fail 'it lives'; fi
  same '' "$(freezers)" 'the cgroup of the freezer'
done

begin 'rm of a paused container is refused as docker does'
up --name p4 busybox sleep 31803
run mydocker pause p4
run mydocker rm p4
exits 1
says 'you cannot remove a paused container p4. Unpause and then stop the container before attempting removal or force remove'
is p4 paused
clear_all

begin 'another signal waits until it goes on'
up --name p5 busybox sh -c 'trap "echo heard" USR1; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
run mydocker pause p5
run mydocker kill -s USR1 p5
exits 0
is p5 paused
if active; then sleep 0.3; grep -q heard "$MYDOCKER_ROOT/containers/$id/log" && fail 'it runs while it is paused'; fi
run mydocker unpause p5
if active; then eventually 5 grep -q heard "$MYDOCKER_ROOT/containers/$id/log" || fail 'the signal is lost'; fi
clear_all

begin 'the supervisor of a paused container is killed: the next command takes it all away'
up --name p6 busybox sh -c 'sleep 31805; :'
run mydocker pause p6
if active; then kill -9 "$(supervisor "$id")"; sleep 0.3; fi
LIMIT=12 run mydocker ps -a --format '{{.Status}}'
contains 'Exited (255)'
if active; then eventually 5 stopped 31805 || fail 'it lives'; fi
same '' "$(freezers)" 'the cgroup of the freezer'
run mydocker rm p6
exits 0
clear_all

begin 'a paused container in the foreground, and one with --pid host'
start --name f1 --pid host /bin/sh -c 'sleep 31806 & echo ready; exec sleep 31807'
ready
run mydocker pause f1
exits 0
is f1 paused
run mydocker stop -t 1 f1
exits 0
finish
# It is nobody's PID 1, which SIGTERM would not end.
exits 143
if active; then stopped 31806 || fail 'it lives'; stopped 31807 || fail 'it lives'; fi
same '' "$(ls /sys/fs/cgroup/freezer 2>/dev/null | grep mydocker-"$id")" 'the cgroup of the freezer'

begin 'pause and unpause by many at once, while it is stopped'
for round in 1 2 3; do
  up --name p7 busybox sh -c 'while :; do sleep 0.01; done'
  if active; then
    for n in {1..5}; do
      "$MYDOCKER" pause p7 >/dev/null 2>&1 &
      "$MYDOCKER" unpause p7 >/dev/null 2>&1 &
    done
    since=$SECONDS
    "$MYDOCKER" stop -t 2 p7 >/dev/null || fail 'stop failed'
    wait
    if [ $((SECONDS - since)) -gt 12 ]; then fail 'it took long' "$((SECONDS - since))"; fi
    is p7 exited
    same '' "$(freezers)" 'the cgroup of the freezer'
  fi
  clear_all
done

begin 'pause and unpause are killed at any moment: the container can be stopped, and nothing of the freezer stays'
for round in {1..12}; do
  up --rm --name p8 busybox sh -c 'while :; do sleep 0.01 & sleep 0.01; done'
  if active; then
    timeout -s KILL "0.0$((round % 6 + 1))" "$MYDOCKER" pause p8 >/dev/null 2>&1
    timeout -s KILL "0.0$((round % 5 + 1))" "$MYDOCKER" unpause p8 >/dev/null 2>&1
    "$MYDOCKER" stop -t 0 p8 >/dev/null || fail 'stop failed'
    same '' "$(freezers)" 'the cgroup of the freezer'
  fi
done
