# stop, kill, wait, restart, rename, rm: docker's behaviour, flag by flag.
. "$TESTS/tools/host.sh"

# status NAME: docker's word. gone_with N: no process has that number in its command line.
status() { "$MYDOCKER" inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1" 2>&1; }
is() { if active; then same "$2" "$(status "$1")" "the state of $1"; fi; }
up() { if active; then run mydocker run -d "$@"; exits 0; id=$out; fi; }
supervisor() { perl -e 'print((split / /, readlink($ARGV[0]))[2])' "$MYDOCKER_ROOT/containers/$1/state"; }
at_most() { if active && [ $((SECONDS - since)) -gt "$1" ]; then fail "expected it within $1 s" "$((SECONDS - since))"; fi; }
at_least() { if active && [ $((SECONDS - since)) -lt "$1" ]; then fail "expected it to take $1 s" "$((SECONDS - since))"; fi; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }

begin 'stop: SIGTERM is enough for who hears it; its exit code is kept'
up --name one busybox sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
since=$SECONDS
run mydocker stop one
exits 0; prints one; quiet
at_most 5
is one 'exited 3'

begin 'stop of what does not run is fine'
run mydocker stop one
exits 0; prints one
run mydocker create --name never busybox true
run mydocker stop never
exits 0; prints never
is never 'created 0'

begin 'stop: several, one is missing: the others are stopped all the same, and it is 1'
up --name two busybox sleep 31701
run mydocker stop -t 0 never nosuch two
exits 1
prints $'never\ntwo'
says 'no such container: nosuch'
is two 'exited 137'
clear_all

begin 'stop -t: SIGKILL when it is over, --stop-timeout, and who has to wait waits beside the others'
up --name deaf1 busybox sleep 31702
up --name deaf2 --stop-timeout 2 busybox sleep 31703
since=$SECONDS
run mydocker stop deaf2
at_least 1; at_most 5
is deaf2 'exited 137'
run mydocker start deaf2
since=$SECONDS
run mydocker stop --time 3 deaf1 deaf2
exits 0; prints $'deaf1\ndeaf2'
at_least 2; at_most 5
if active; then stopped 31702 || fail 'a process lives'; stopped 31703 || fail 'a process lives'; fi

begin 'stop without -t takes 10 s, and no process is left, whoever it was'
run mydocker run -d --name deaf3 busybox sh -c 'trap "" TERM; (trap "" TERM HUP; sleep 31704) & (setsid sleep 31705 &) ; sleep 31706; sleep 31707'
if active; then eventually 10 running 31706; fi
since=$SECONDS
run mydocker stop deaf3
exits 0
at_least 9; at_most 13
if active; then for n in 31704 31705 31706; do stopped $n || fail "sleep $n lives when stop returns"; done; fi
is deaf3 'exited 137'
clear_all

begin 'stop -t -1 waits as long as it takes'
up --name slow busybox sh -c 'trap "sleep 12; exit 5" TERM; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
run mydocker stop -t -1 slow
exits 0
is slow 'exited 5'
clear_all

begin 'stop -s, --stop-signal'
up --name quits --stop-signal QUIT busybox sh -c 'trap "exit 4" QUIT; trap "exit 6" USR1; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
run mydocker stop quits
is quits 'exited 4'
run mydocker start quits
if active; then eventually 10 sh -c '[ "$(grep -c ready "$1")" = 2 ]' - "$MYDOCKER_ROOT/containers/$id/log" || fail 'it is not ready'; fi
run mydocker stop -s SIGUSR1 quits
is quits 'exited 6'
run mydocker stop -s NONSENSE quits
says 'NONSENSE'
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
run mydocker stop -t soon quits
says 'soon'
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
clear_all

begin 'stop: a container that has stopped itself (SIGSTOP), one with --init, one with --pid host'
up --name self --init busybox sh -c 'kill -STOP $$; sleep 31710'
up --name hosts --pid host busybox sh -c 'sleep 31711 & (setsid sleep 31712 &); exec sleep 31713'
up --name inits --init busybox sh -c 'sleep 31714 & trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; eventually 10 running 31713; fi
run mydocker stop -t 2 self hosts inits
exits 0
is inits 'exited 9'
if active; then
  for n in 31710 31711 31712 31713 31714; do stopped $n || fail "sleep $n lives when stop returns"; done
fi
clear_all

begin 'stop: a container that forks without end meanwhile'
up --name bomb --pids-limit 60 busybox sh -c 'trap "" TERM; f() { sleep 31715 & }; while :; do f; done 2>/dev/null'
if active; then sleep 1; fi
run mydocker stop -t 1 bomb
exits 0
if active; then stopped 31715 || fail 'a process lives when stop returns'; fi
clear_all

begin 'a container in somebody'\''s foreground is stopped, killed and removed as well'
start --name front /bin/sh -c 'trap "exit 12" TERM; echo ready; while :; do sleep 0.05; done'
ready
run mydocker stop front
exits 0; prints front
finish
exits 12
start --name front /bin/sh -c 'echo ready; sleep 31716'
ready
run mydocker kill front
exits 0
finish
exits 137
start --name front /bin/sh -c 'echo ready; sleep 31717'
ready
run mydocker rm front
exits 1
run mydocker rm -f front
exits 0; prints front
finish
exits 137
same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" | grep -v :)" 'containers/ and names/'

begin 'kill: SIGKILL and waits; another signal is only sent; what does not run is an error'
up --name victim busybox sh -c 'trap "echo heard" USR1; echo ready; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q ready "$MYDOCKER_ROOT/containers/$id/log"; fi
run mydocker kill -s USR1 victim
exits 0; prints victim
if active; then eventually 5 grep -q heard "$MYDOCKER_ROOT/containers/$id/log" || fail 'the signal did not arrive'; fi
is victim 'running 0'
run mydocker kill --signal 10 victim
exits 0
run mydocker kill -s 65 victim
says 65
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
run mydocker kill victim
exits 0; prints victim
is victim 'exited 137'
run mydocker kill victim
exits 1
says 'container victim is not running'
one_line
run mydocker kill nosuch
exits 1
says 'no such container: nosuch'
clear_all

begin 'wait: the exit code when it ends; at once where it has ended'
up --name w1 busybox sh -c 'sleep 1; exit 7'
run mydocker wait w1
exits 0; prints 7
run mydocker wait w1
exits 0; prints 7
run mydocker create --name w2 busybox true
run mydocker wait w2
exits 0; prints 0
run mydocker wait w1 nosuch w2
exits 1; prints $'7\n0'
says 'no such container: nosuch'

begin 'wait: a container that is removed at its end still has a code'
mkdir -p gate
for n in 1 2 3 4 5; do
  rm -f gate/open waiter
  up --rm --name w3 -v "$T/gate:/gate" busybox sh -c "until [ -e /gate/open ]; do sleep 0.0$n; done; exit 4$n"
  (eventually 20 polls_in waiter; touch gate/open) &
  run bash -c 'echo $$ >waiter; exec "$MYDOCKER" wait w3'
  exits 0; prints "4$n"
  if active; then eventually 10 test ! -e "$MYDOCKER_ROOT/containers/$id" || fail 'it is not removed'; fi
done

begin 'wait: a container in the foreground has the code that mydocker ends with'
start --name front /bin/sh -c 'echo ready; sleep 2; exit 33'
ready
run mydocker wait front
finish
exits 33
start --name front /bin/sh -c 'echo ready; sleep 2; exit 34'
ready
if active; then
  "$MYDOCKER" wait front >"$T/waited" 2>"$T/waited.err"; code=$?
  # Linux 6.15 tells it to others than the parent.
  if [ $code = 0 ]; then same 34 "$(<"$T/waited")"
  elif ! grep -q 'only who started it knows' "$T/waited.err"; then fail 'expected the exit code, or that it is not known' "$(<"$T/waited.err")"; fi
fi
finish
exits 34

begin 'wait ends with rm -f, and with the death of the supervisor'
up --name w4 busybox sleep 31720
if active; then
  "$MYDOCKER" wait w4 >"$T/waited" 2>&1 &
  waiter=$!
  eventually 20 polls "$waiter" || fail 'it does not wait'
fi
run mydocker rm -f w4
exits 0
if active; then
  eventually 5 gone "$waiter" || fail 'wait goes on'
  wait "$waiter"; same 137 "$(<"$T/waited")"
fi
up --name w5 busybox sleep 31721
if active; then
  "$MYDOCKER" wait w5 >"$T/waited" 2>&1 &
  waiter=$!
  eventually 20 polls "$waiter" || fail 'it does not wait'
  kill -9 "$(supervisor "$id")"
  eventually 5 gone "$waiter" || fail 'wait goes on'
  wait "$waiter"; same 255 "$(<"$T/waited")"
  eventually 5 stopped 31721 || fail 'the container lives without its supervisor'
fi
is w5 'exited 255'
run mydocker stop w5
exits 0
clear_all

begin 'restart: one that runs, one that does not, and one of run --rm'
up --name r1 busybox sh -c 'trap "exit 0" TERM; echo began; while :; do sleep 0.05; done'
if active; then eventually 10 grep -q began "$MYDOCKER_ROOT/containers/$id/log"; fi
before=$(supervisor "$id")
run mydocker restart r1
exits 0; prints r1
is r1 'running 0'
if active && [ "$before" = "$(supervisor "$id")" ]; then fail 'it was not restarted'; fi
if active; then eventually 10 sh -c '[ "$(grep -c began "$1")" = 2 ]' - "$MYDOCKER_ROOT/containers/$id/log" || fail 'it did not begin twice'; fi
run mydocker stop r1
run mydocker restart -t 1 r1 nosuch
exits 1; prints r1
is r1 'running 0'
up --rm --name r2 busybox sleep 31722
run mydocker restart -t 0 r2
exits 0; prints r2
is r2 'running 0'
run mydocker kill r2
exits 0
if active; then eventually 10 test ! -e "$MYDOCKER_ROOT/containers/$id" || fail 'one of run --rm stays after a restart'; fi
start --name front /bin/sh -c 'echo ready; sleep 31723'
ready
run mydocker restart front
exits 1
says front
is front 'running 0'
run mydocker kill front
finish
clear_all

begin 'rename: the new name is its name, the old one is free'
up --name old busybox sleep 31724
run mydocker rename old new
exits 0; prints ''; quiet
is new 'running 0'
run mydocker ps --format '{{.Names}}'
prints new
run mydocker stop old
exits 1
run mydocker run -d --name old busybox sleep 31725
exits 0
run mydocker rename new old
says 'is already in use by container'
says "$(readlink "$MYDOCKER_ROOT/names/old")"
one_line
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
is new 'running 0'
run mydocker rename new new
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
for bad in '' a -x '../x' 'a b' a/b; do
  run mydocker rename new "$bad"
  if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
done
is new 'running 0'
run mydocker rename nosuch other
says 'no such container: nosuch'
same $'new\nold' "$(ls "$MYDOCKER_ROOT/names")" 'names/'
clear_all
same '' "$(ls "$MYDOCKER_ROOT/names")" 'names/'

begin 'rename by many at once: it ends up with one name'
up --name n0 busybox sleep 31726
if active; then
  for n in {1..20}; do "$MYDOCKER" rename "$id" "n$n" 2>/dev/null & done
  wait
  same 1 "$(ls "$MYDOCKER_ROOT/names" | wc -l)" 'how many names there are'
  same "$(ls "$MYDOCKER_ROOT/names")" "$("$MYDOCKER" ps --format '{{.Names}}')" 'the name'
fi
clear_all
same '' "$(ls "$MYDOCKER_ROOT/names")" 'names/'

begin 'rm: what has ended; what runs is refused; -f kills'
up --name x1 busybox sleep 31727
run mydocker create --name x2 busybox true
run mydocker rm x1 x2 nosuch
exits 1; prints x2
says 'you cannot remove a running container x1. Stop the container before attempting removal or force remove'
says 'no such container: nosuch'
run mydocker rm -f x1 nosuch
exits 0; prints x1
says 'no such container: nosuch'
if active; then stopped 31727 || fail 'it lives'; fi
same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'containers/'
run mydocker rm
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi

begin 'rm keeps anonymous volumes as volumes of their own, rm -v does not'
up --name v1 -v /data busybox sh -c 'echo kept >/data/file'
up --name v2 -v /data busybox sh -c 'echo gone >/data/file'
run mydocker wait v1 v2
before=$(ls -A "$MYDOCKER_ROOT/volumes")
run mydocker rm -v v2
exits 0
same "$before" "$(ls -A "$MYDOCKER_ROOT/volumes")" 'volumes/'
run mydocker rm v1
exits 0
if active; then
  new=$(comm -13 <(echo "$before") <(ls -A "$MYDOCKER_ROOT/volumes"))
  same kept "$(cat "$MYDOCKER_ROOT/volumes/$new/_data/file" 2>&1)" 'what was in the volume'
fi
run mydocker volume ls -q
prints_line "$new"
run mydocker volume prune -f
exits 0
contains "$new"
same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'containers/'

begin 'rm never crosses a mount'
up --name x3 busybox true
if active; then
  "$MYDOCKER" wait x3 >/dev/null
  mkdir -p "$T/precious" "$MYDOCKER_ROOT/containers/$id/upper/at" && echo kept >"$T/precious/file"
  mount --bind "$T/precious" "$MYDOCKER_ROOT/containers/$id/upper/at"
fi
run mydocker rm x3
exits 1
says 'mounted'
if active; then
  same kept "$(<"$T/precious/file")" 'what is mounted there'
  umount "$MYDOCKER_ROOT/containers/$id/upper/at"
fi
run mydocker ps -a
exits 0
clear_all
same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" | grep -v :)" 'containers/ and names/'

begin 'rm, stop and kill by many at once'
for n in 1 2 3; do up --name "m$n" busybox sleep 31728; done
if active; then
  for n in {1..6}; do
    "$MYDOCKER" stop -t 1 m1 m2 m3 >/dev/null 2>&1 &
    "$MYDOCKER" rm -f m1 m2 m3 >/dev/null 2>&1 &
    "$MYDOCKER" kill m1 m2 m3 >/dev/null 2>&1 &
  done
  since=$SECONDS
  wait
  at_most 15
  clear_all
  stopped 31728 || fail 'a process lives'
fi
same '' "$(ls -A "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" | grep -v :)" 'containers/ and names/'

begin 'a supervisor that was killed, at whatever moment: no command hangs'
for action in stop kill rm wait pause restart; do
  up --name k1 busybox sleep 31729
  if active; then kill -9 "$(supervisor "$id")"; fi
  LIMIT=15 run mydocker $action k1
  if active && [ $action != restart ]; then eventually 5 stopped 31729 || fail "it lives after $action"; fi
  clear_all
done
up --name k2 busybox sleep 31730
if active; then
  kill -STOP "$(supervisor "$id")"
  since=$SECONDS
  "$MYDOCKER" stop -t 1 k2 >"$T/stopped" 2>&1 && fail 'it says that it is stopped'
  at_most 11
  kill -CONT "$(supervisor "$id")"
  eventually 5 stopped 31730 || fail 'it lives'
fi
clear_all

begin 'container prune: only what has ended'
up --name p1 busybox sleep 31731
run mydocker create --name p2 --label keep=yes busybox true
run mydocker create --name p3 busybox true
p3=$out
feed n
run mydocker container prune
exits 0
contains 'WARNING! This will remove all stopped containers.'
contains '[y/N]'
run mydocker container prune -f --filter 'label!=keep'
exits 0
prints_line 'Deleted Containers:'
prints_line "$p3"
contains 'Total reclaimed space: 0B'
run mydocker container prune -f --filter until=1h
exits 0; prints 'Total reclaimed space: 0B'
run mydocker ps -a --format '{{.Names}}'
prints $'p2\np1'
feed y
run mydocker container prune
exits 0
run mydocker ps -a --format '{{.Names}}'
prints p1
run mydocker container prune -f --filter nonsense=1
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
clear_all

begin 'system prune: containers that have ended, images without a name; -a those that nobody has, --volumes those too'
up --name s1 busybox sleep 31740
run mydocker create --name s2 busybox true
s2=$out
run mydocker volume create
volume=$out
run mydocker volume create named
feed N
run mydocker system prune
exits 0
prints "WARNING! This will remove:
  - all stopped containers
  - all dangling images

Are you sure you want to continue? [y/N] "
run mydocker system prune -f
exits 0
prints $'Deleted Containers:\n'"$s2"$'\n\nTotal reclaimed space: 0B'
run mydocker system prune -af --volumes
exits 0
contains $'Deleted Volumes:\n'"$volume"
lacks named
run mydocker system prune -f --volumes --filter until=1h
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
run mydocker ps -a --format '{{.Names}} {{.State}}'
prints 's1 running'
run mydocker volume rm named
clear_all
