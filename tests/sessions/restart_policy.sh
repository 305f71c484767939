# --restart: docker's policies and delays, and what ends them.
. "$TESTS/tools/host.sh"

state() { "$MYDOCKER" inspect --format "{{.$2}}" "$1" 2>&1; }
up() { if active; then run mydocker run -d "$@"; exits 0; id=$out; fi; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }
# begun NAME: how often it has said so.
begun() { "$MYDOCKER" logs "$1" 2>&1 | grep -c begun; }
began() { [ "$(begun "$1")" -ge "$2" ]; }
status_is() { [ "$(state "$1" State.Status)" = "$2" ]; }
# gaps NAME: the milliseconds between one beginning and the next.
gaps() {
  "$MYDOCKER" logs -t "$1" | perl -ne '/T(\d+):(\d+):([\d.]+)Z begun/ or next; my $now = ($1 * 3600 + $2 * 60 + $3) * 1000;
    printf "%d ", $now - $last if defined $last; $last = $now'
}

# delayed LONGER NAME ARG... -- DELAY...: a container has been started again after these milliseconds and at most LONGER more,
# in one of three tries: a busy machine makes a delay longer now and then, and none shorter. $gaps are the last ones.
delayed() {
  local longer=$1 name=$2 try delay more
  local args=()
  shift 2
  while [ "$1" != -- ]; do args+=("$1"); shift; done
  shift
  for try in 1 2 3; do
    if ! active; then return 0; fi
    "$MYDOCKER" run -d --name "$name" "${args[@]}" >/dev/null || fail 'it does not start'
    eventually 60 began "$name" $(($# + 1)) || { fail 'it is not started again' "$("$MYDOCKER" logs "$name")"; return 0; }
    more=0
    gaps=$(gaps "$name")
    set -- "$@"
    local i=0
    for gap in $gaps; do
      i=$((i + 1))
      delay=${!i}
      if [ -z "$delay" ]; then break; fi
      if [ "$gap" -lt "$delay" ]; then fail "expected delays of $*" "$gaps"; fi
      if [ "$gap" -gt $((delay + longer)) ]; then more=1; fi
    done
    if [ $more = 0 ]; then return 0; fi
    if [ $try -lt 3 ]; then "$MYDOCKER" rm -f "$name" >/dev/null; fi
  done
  fail "expected delays of $*" "$gaps"
}

begin 'no: it ends'
up --name none busybox sh -c 'echo begun; exit 1'
if active; then "$MYDOCKER" wait none >/dev/null; sleep 0.5; same 1 "$(begun none)" 'beginnings'; same exited "$(state none State.Status)"; fi
clear_all

begin 'always: again and again, whatever the exit code, 100 ms later, and twice as long each time'
delayed 900 always --restart always busybox sh -c 'echo begun; exit 0' -- 100 200 400 800
if active; then
  eventually 10 status_is always restarting || fail 'its state is never restarting'
fi

begin 'stop ends the waiting at once, and it is not started again'
if active; then
  since=$SECONDS
  eventually 10 status_is always restarting
  run mydocker rm always
  exits 1
  says 'you cannot remove a restarting container always'
  before=$(begun always)
  eventually 10 status_is always restarting
  run mydocker stop always
  exits 0
  if [ $((SECONDS - since)) -gt 8 ]; then fail 'stop took long' "$((SECONDS - since))"; fi
  same exited "$(state always State.Status)"
  now=$(begun always)
  sleep 2
  same "$now" "$(begun always)" 'beginnings after stop'
fi
run mydocker start always
if active; then
  eventually 10 began always $((now + 2)) || fail 'no restarts after a start'
fi
run mydocker rm -f always
exits 0
clear_all

begin 'on-failure: until it succeeds'
if active; then mkdir -p "$T/count"; fi
up --name until --restart on-failure -v "$T/count:/count" busybox sh -c 'echo begun; echo x >>/count/n; [ $(grep -c x /count/n) -ge 4 ]'
if active; then
  eventually 20 status_is until exited && sleep 0.5 && eventually 20 status_is until exited
  eventually 20 began until 4
  sleep 1.5
  same 4 "$(begun until)" 'beginnings'
  same 'exited 0 3' "$(state until State.Status) $(state until State.ExitCode) $(state until RestartCount)" 'its state'
fi
clear_all

begin 'on-failure:2: twice more'
up --name twice --restart on-failure:2 busybox sh -c 'echo begun; exit 3'
if active; then
  eventually 20 began twice 3
  sleep 2
  same 3 "$(begun twice)" 'beginnings'
  same 'exited 3 2' "$(state twice State.Status) $(state twice State.ExitCode) $(state twice RestartCount)" 'its state'
fi
clear_all

begin 'unless-stopped: as always, until somebody stops it'
up --name unless --restart unless-stopped busybox sh -c 'echo begun; sleep 32001'
if active; then
  eventually 10 began unless 1
  kill -9 $(host_pid 32001) $("$MYDOCKER" inspect --format '{{.State.Pid}}' unless)
  eventually 10 began unless 2 || fail 'it is not started again'
fi
run mydocker kill unless
if active; then sleep 1; same 2 "$(begun unless)" 'beginnings after kill'; fi
clear_all

begin 'a signal that is not to end it changes nothing about restarts'
up --name sig --restart always busybox sh -c 'trap "exit 0" USR1; echo begun; while :; do sleep 0.05; done'
if active; then eventually 10 began sig 1; fi
run mydocker kill -s USR1 sig
if active; then eventually 10 began sig 2 || fail 'it is not started again'; fi
clear_all

begin 'the delay begins anew when it has run for 10 s'
# Not begun anew it would be 800 ms after the fourth, and 1,600 ms then.
delayed 650 steady --restart always busybox sh -c 'echo begun; echo y >>/count; [ $(grep -c y /count) = 4 ] && sleep 10.2; exit 1' -- 100 200 400 10300 200
clear_all

begin 'wait hears of each end, not of the last'
up --name ends --restart always busybox sh -c 'sleep 0.7; exit 6'
run mydocker wait ends
exits 0; prints 6
run mydocker stop ends
exits 0
clear_all

begin 'a supervisor that waits is killed: it has ended, and no command hangs'
up --name lost --restart always busybox sh -c 'echo begun'
if active; then
  eventually 20 began lost 4
  eventually 10 status_is lost restarting
  kill -9 "$(perl -e 'print((split / /, readlink($ARGV[0]))[2])' "$MYDOCKER_ROOT/containers/$id/state")"
  sleep 0.2
  same exited "$(state lost State.Status)"
fi
LIMIT=5 run mydocker stop lost
exits 0
run mydocker rm lost
exits 0

begin '--rm and --restart do not go together'
run mydocker run -d --rm --restart always busybox true
exits 125
says 'conflicting options: cannot specify both --restart and --rm'
for bad in sometimes on-failure:x on-failure:-1 always:3; do
  run mydocker create --restart "$bad" busybox true
  exits 125
done

begin 'start --all: what is to be running when the machine comes up'
for policy in no always unless-stopped; do
  up --name "ran-$policy" --restart "$policy" busybox sleep 32002
  up --name "stopped-$policy" --restart "$policy" busybox sleep 32003
  run mydocker stop -t 0 "stopped-$policy"
done
if active; then
  for pid in $("$MYDOCKER" ps -q --no-trunc | while read -r id; do perl -e 'print((split / /, readlink($ARGV[0]))[2], "\n")' "$MYDOCKER_ROOT/containers/$id/state"; done); do
    kill -9 "$pid"
  done
  eventually 5 stopped 32002
fi
run mydocker start --all
exits 0
run mydocker ps --format '{{.Names}}'
if active; then same $'ran-always\nran-unless-stopped\nstopped-always' "$(sort <<<"$out")" 'what runs'; fi
run mydocker start --all
exits 0
clear_all

begin 'between two starts it is never exited'
up --name again --restart always busybox sh -c 'sleep 0.05'
if active; then
  # Whatever it is said to be, as fast as one can look, during some ends.
  seen=$(timeout 60 perl -e 'my ($state, %seen, $starts, $before) = @ARGV;
    until ($starts >= 5) { my ($is) = readlink($state) =~ /^(\w+)/ or next; $starts++ if $is eq "running" && $before ne $is; $seen{$before = $is} = 1 }
    print join " ", sort keys %seen' "$MYDOCKER_ROOT/containers/$id/state")
  same 'restarting running' "$seen" 'what it was'
fi
clear_all

begin 'a foreground container is removed at its end, so it cannot be restarted'
run mydocker run --restart always busybox true
exits 125; one_line; says '--keep'
run mydocker run --restart no busybox true
exits 0; quiet
