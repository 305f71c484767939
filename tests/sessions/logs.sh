# What a container has written, and where `logs` shows it.
. "$TESTS/tools/host.sh"

# ran ARG...: a container that stays, and has ended.
ran() { "$MYDOCKER" create "$@" >/dev/null && "$MYDOCKER" start -a "$2" </dev/null >/dev/null 2>&1; }
# forget NAME...: they are removed, running or not.
forget() { "$MYDOCKER" rm -f "$@" >/dev/null 2>&1; }
ended() { [ "$("$MYDOCKER" inspect --format '{{.State.Status}}' "$1")" = exited ]; }
logged() { [ "$("$MYDOCKER" logs "$1" 2>&1)" = "$2" ]; }

begin 'standard output and standard error each go to their own'
ran --name bird busybox sh -c 'echo one; echo two >&2; echo three; exit 3'
run mydocker logs bird
exits 0
prints $'one\nthree'
same two "$err" 'standard error'
forget bird

begin 'a line without its end is shown without one, and an empty line is a line'
ran --name bird busybox printf 'one\n\ntwo'
run sh -c '"$MYDOCKER" logs bird | od -An -c | tr -d " \n"'
prints 'one\n\ntwo'
forget bird

begin 'parts of a line that come one after the other are one line, at the time of its end'
ran --name bird busybox sh -c 'printf a; sleep 0.2; printf b; sleep 0.2; echo c; echo d'
run mydocker logs -n 2 bird
prints $'abc\nd'
run sh -c '"$MYDOCKER" logs -t bird | wc -l'
prints 2
forget bird

begin 'a line longer than 16 KiB is whole, and counts as one'
ran --name bird busybox sh -c 'echo before; head -c 100000 /dev/zero | tr "\0" x; echo; echo after'
run sh -c '"$MYDOCKER" logs bird | wc -lc'
same '3 100014' "$(echo $out)" 'lines and bytes'
run sh -c '"$MYDOCKER" logs -n 2 bird | wc -lc'
same '2 100007' "$(echo $out)" 'lines and bytes of the last two'
run sh -c '"$MYDOCKER" logs -t bird | grep -c "^2"'
prints 3
forget bird

begin '--tail counts the lines of both streams, across files'
ran --name bird --log-opt max-size=500 --log-opt max-file=20 busybox sh -c 'for i in $(seq 1 60); do echo $i; done; sleep 0.3; echo error >&2; sleep 0.3; echo last'
check test -e "$(echo "$MYDOCKER_ROOT"/containers/*/log.3)"
run mydocker logs bird
same "$(seq 1 60; echo last)" "$out" 'all lines'
for count in 1 2 3 12 40 61; do
  run mydocker logs --tail "$count" bird
  same "$( (seq 1 60; echo error; echo last) | tail -n "$count" | grep -v error)" "$out" "the last $count"
done
run mydocker logs -n 2 bird
same error "$err"
run mydocker logs --tail 0 bird
prints ''
quiet
for all in all 62 1000 -1; do
  run mydocker logs --tail "$all" bird
  same 61 "$(wc -l <"$T/out")" "lines with --tail $all"
done
forget bird

begin '-t puts the time before each line: UTC, nine digits'
before=$(date -u +%s.%N)
ran --name bird busybox sh -c 'echo one; echo two >&2'
run mydocker logs -t bird
exits 0
if active; then
  for line in "$out" "$err"; do
    time=${line%% *}
    [[ $time =~ ^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\.[0-9]{9}Z$ ]] || fail 'expected a time' "$line"
    perl -e 'exit !($ARGV[0] - 0.001 <= $ARGV[1] && $ARGV[1] <= $ARGV[0] + 20)' "$before" "$(date -u -d "$time" +%s.%N)" || fail 'expected a time of now' "$line"
  done
  same 'one two' "${out#* } ${err#* }" 'the lines behind it'
fi
forget bird

begin '--since and --until: a time of RFC 3339 or a part of it, seconds, or a duration'
"$MYDOCKER" run -d --name bird busybox sh -c 'echo early; until [ -e /tmp/go ]; do sleep 0.05; done; sleep 0.2; echo late' >/dev/null
eventually 20 logged bird early
sleep 0.2
between=$(date -u +%s.%N)
touch "/proc/$("$MYDOCKER" inspect -f '{{.State.Pid}}' bird)/root/tmp/go"
eventually 20 ended bird
day=$(date -u -d "@$between" +%Y-%m-%dT%H:%M:%S.%N)
for time in "$between" "$(date -u -d "@$between" +%Y-%m-%dT%H:%M:%S.%NZ)" "$day" "$(TZ=UTC-2 date -d "@$between" +%Y-%m-%dT%H:%M:%S.%N+02:00)"; do
  run mydocker logs --since "$time" bird
  prints late
  run mydocker logs --until "$time" bird
  prints early
done
run mydocker logs --since 1h bird
prints $'early\nlate'
run mydocker logs --until 1h30m bird
prints ''
run mydocker logs --since "${day%%T*}" --until "$between" bird
prints early
run mydocker logs --since 2100-01-01 bird
prints ''
run mydocker logs -n 1 --since 1h bird
prints late
run mydocker logs -n 1 --until "$between" bird
prints ''
for wrong in whenever 2026-13-01 10x '' -; do
  run mydocker logs --since "$wrong" bird
  same no "$([ "$code" = 0 ] && echo yes || echo no)" "success with --since '$wrong'"
  one_line
  says 'failed to parse value as time or duration'
done
forget bird

begin '-f shows what is there, then what comes, and ends with the container'
"$MYDOCKER" run -d --name bird busybox sh -c 'for i in 1 2 3 4; do echo $i; echo e$i >&2; sleep 0.3; done; printf end' >/dev/null
run mydocker logs -f bird
exits 0
prints $'1\n2\n3\n4\nend'
same $'e1\ne2\ne3\ne4' "$err" 'standard error'
run mydocker logs -f bird
prints $'1\n2\n3\n4\nend'
run mydocker logs -f --tail 1 bird
prints end
forget bird

begin '-f --tail 0 shows only what comes; each line when it comes'
"$MYDOCKER" run -d --name bird busybox sh -c 'echo before; until [ -e /tmp/go ]; do sleep 0.05; done; echo after; sleep 31510' >/dev/null
eventually 10 logged bird before
"$MYDOCKER" logs -f -n 0 bird >"$T/followed" &
follower=$!
eventually 20 polls "$follower" || fail 'it does not wait'
same '' "$(<"$T/followed")" 'what came before'
pid=$(sed 's/^running \([0-9]*\) .*/\1/' <(readlink "$MYDOCKER_ROOT"/containers/*/state))
touch "/proc/$pid/root/tmp/go"
eventually 5 grep -q after "$T/followed" || fail 'the line did not come' "$(<"$T/followed")"
same after "$(<"$T/followed")" 'what came'

begin 'a follower that waits costs no CPU time'
if active; then
  ticks() { awk '{ print $14 + $15 }' "/proc/$follower/stat"; }
  before=$(ticks)
  sleep 2
  same "$before" "$(ticks)" 'ticks of CPU time before and after two seconds'
fi

begin 'a container that is removed ends its followers'
forget bird
eventually 5 gone "$follower" || fail 'it still follows'
wait "$follower"
same 0 $? 'its exit code'

begin 'a container whose supervisor is killed ends its followers'
"$MYDOCKER" run -d --name bird busybox sh -c 'echo here; exec sleep 31511' >/dev/null
eventually 10 logged bird here
"$MYDOCKER" logs -f bird >"$T/followed" &
follower=$!
eventually 20 polls "$follower" || fail 'it does not wait'
supervisor=$(readlink "$MYDOCKER_ROOT"/containers/*/state | cut -d ' ' -f 3)
kill -9 "$supervisor"
eventually 5 gone "$follower" || fail 'it still follows'
wait "$follower"
same here "$(<"$T/followed")" 'what it showed'
eventually 5 stopped 31511 || fail 'the command lives'
forget bird

begin 'a reader that goes away ends it, as SIGPIPE would'
ran --name bird busybox seq 1 100000
run bash -c 'trap "" PIPE; "$MYDOCKER" logs bird 2>"$T/said" | head -n 1; echo ${PIPESTATUS[0]}'
prints $'1\n141'
same '' "$(<"$T/said")" 'what it says'
run bash -c '"$MYDOCKER" logs bird 2>"$T/said" | head -n 1; echo ${PIPESTATUS[0]}'
prints $'1\n141'
forget bird
"$MYDOCKER" run -d --name bird busybox sh -c 'echo once; exec sleep 31512' >/dev/null
eventually 10 logged bird once
# It hears of it without having to write.
run timeout 5 bash -c '"$MYDOCKER" logs -f bird | head -n 1; echo ${PIPESTATUS[0]}'
prints $'once\n141'
forget bird

begin 'output that cannot be written is an error'
ran --name bird busybox echo lost
run sh -c '"$MYDOCKER" logs bird >/dev/full'
same no "$([ "$code" = 0 ] && echo yes || echo no)" 'success'
says ENOSPC
one_line
forget bird

begin "a terminal's log is as it was written to the terminal"
"$MYDOCKER" run -d -t --name bird busybox sh -c 'echo out; echo err >&2; printf "\033[1mbold"' >/dev/null
eventually 20 ended bird
run sh -c '"$MYDOCKER" logs bird 2>/dev/null | od -An -c | tr -d " \n"'
prints 'out\r\nerr\r\n033[1mbold'
forget bird

begin 'a second run goes on in the same log'
ran --name bird busybox echo hello
run mydocker start -a bird
prints hello
run mydocker logs bird
prints $'hello\nhello'
forget bird

begin 'one that was never started has an empty log'
"$MYDOCKER" create --name bird busybox true >/dev/null
for follow in '' -f; do
  run mydocker logs $follow bird
  exits 0
  prints ''
  quiet
done
forget bird

begin 'without a log it is said'
ran --name bird --log-driver none busybox echo hello
run mydocker logs bird
says 'has no log'
check test -z "$(ls "$MYDOCKER_ROOT"/containers/*/log 2>/dev/null)"
forget bird
run mydocker logs nobody
says 'no such container: nobody'
one_line

begin 'what a log may be is checked before anything is made'
for wrong in max-size=0 max-size=x max-file=0 max-file= size=1m; do
  run mydocker create --log-opt "$wrong" busybox true
  same no "$([ "$code" = 0 ] && echo yes || echo no)" "success with $wrong"
  one_line
  says "${wrong%%=*}"
done
run mydocker create --log-driver syslog busybox true
exits 125
says log-driver
same '' "$(ls "$MYDOCKER_ROOT/containers")" 'containers'

begin 'lines are in the file as CRI has them, and only its owner reads it'
ran --name bird busybox sh -c 'echo out; echo err >&2; printf part'
if active; then
  file=$(echo "$MYDOCKER_ROOT"/containers/*/log)
  same 'stderr F err|stdout F out|stdout P part|' "$(cut -d ' ' -f 2- "$file" | sort | tr '\n' '|')" 'the lines'
  same 600 "$(stat -c %a "$file")" 'its mode'
fi
forget bird
