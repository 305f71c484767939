# Being at a container that runs: `attach`, `start -a`, `run --keep`.
. "$TESTS/tools/host.sh"

# forget NAME...: they are removed, running or not.
forget() { "$MYDOCKER" rm -f "$@" >/dev/null 2>&1; }
logged() { [ "$("$MYDOCKER" logs "$1" 2>&1)" = "$2" ]; }
has_logged() { "$MYDOCKER" logs "$1" 2>&1 | grep -qF -e "$2"; }
is_running() { [ "$("$MYDOCKER" inspect --format '{{.State.Running}}' "$1")" = true ]; }
ended() { ! is_running "$1"; }
# root NAME: the container's root, from the host.
root() { echo "/proc/$("$MYDOCKER" inspect --format '{{.State.Pid}}' "$1")/root"; }
# detached ARG...: `run -d`, without its id.
detached() { "$MYDOCKER" run -d "$@" >/dev/null; }
# attached ARG...: `attach` in the background; $client is its pid.
attached() {
  "$MYDOCKER" attach "$@" </dev/null >"$T/attached.out" 2>"$T/attached.err" &
  client=$!
  is_attached $client
}
# is_attached PID...: it gets what comes from now on, and its signals are the container's.
is_attached() {
  local who
  for who; do eventually 20 polls "$who" || fail 'it is not attached'; done
}
# reap PID: its end, and its exit code.
reap() {
  eventually 20 gone "$1" || { fail 'no end'; kill -9 "$1"; }
  wait "$1" 2>/dev/null
}
# has_let_go PID: it has closed what it had open, even if nobody has reaped it.
has_let_go() { ! ls "/proc/$1/fd" 2>/dev/null | grep -q .; }
wait_for='until [ -e /tmp/go ]; do sleep 0.05; done'

begin 'attach shows what comes from now on, apart, and exits with the exit code'
detached --name bird busybox sh -c "echo before; $wait_for; echo out; echo err >&2; exit 6"
eventually 10 logged bird before
attached bird
touch "$(root bird)/tmp/go"
reap $client
same 6 $? 'the exit code'
same 'out err' "$(<attached.out) $(<attached.err)" 'what came'
forget bird

begin 'all who are attached get the same'
detached --name bird busybox sh -c "$wait_for; seq 1 5000; exit 2"
for i in 1 2 3 4 5; do
  "$MYDOCKER" attach --no-stdin bird </dev/null >"all.$i" 2>&1 &
  clients[i]=$!
done
is_attached "${clients[@]}"
touch "$(root bird)/tmp/go"
for i in 1 2 3 4 5; do
  reap "${clients[i]}"
  same 2 $? "the exit code of number $i"
  same "$(seq 1 5000 | sha256sum)" "$(sha256sum <"all.$i")" "what number $i got"
done
forget bird

begin 'input goes to the container, and its end is the end of its input'
detached -i --name bird busybox sh -c 'sha256sum; exit 3'
head -c 3000000 /dev/urandom >random
feed_file random
run mydocker attach bird
exits 3
prints "$(sha256sum <random)"
forget bird

begin 'who is killed takes nothing along'
detached -i --name bird busybox sh -c 'while read line; do echo "got $line"; done; echo end'
mkfifo keys
"$MYDOCKER" attach bird <keys >/dev/null 2>&1 &
client=$!
exec 9>keys
echo one >&9
eventually 10 logged bird 'got one' || fail 'the first line did not come'
kill -9 $client
reap $client
exec 9>&-
sleep 0.3
check is_running bird
feed $'two\n'
run mydocker attach bird
exits 0
same $'got one\ngot two\nend' "$("$MYDOCKER" logs bird)" 'the log'
forget bird

begin 'input that the container does not read keeps nothing back'
detached -i --name bird busybox sh -c 'trap "echo term; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
eventually 10 logged bird ready
head -c 1000000 /dev/zero >zeros
"$MYDOCKER" attach bird <zeros >attached.out 2>&1 &
client=$!
is_attached $client
# It has more than finds room.
sleep 0.3
kill -TERM $client
reap $client
same 9 $? 'the exit code'
same term "$(<attached.out)" 'what the container said'
forget bird

begin '--no-stdin: input is not read'
detached -i --name bird busybox sh -c "$wait_for; echo done; exit 2"
(eventually 20 polls_in attaching; touch "$(root bird)/tmp/go") &
feed 'input'
run bash -c 'echo $$ >attaching; exec "$MYDOCKER" attach --no-stdin bird'
exits 2
prints done
forget bird

begin 'signals go to the container'
detached --name bird busybox sh -c 'trap "echo usr1" USR1; trap "echo term; exit 4" TERM; echo ready; while :; do sleep 0.05; done'
eventually 10 logged bird ready
attached bird
kill -USR1 $client
eventually 5 grep -q usr1 attached.out || fail 'SIGUSR1 did not come'
kill -TERM $client
reap $client
same 4 $? 'the exit code'
same $'usr1\nterm' "$(<attached.out)" 'what the container said'
forget bird

begin '--sig-proxy=false: a signal ends attach alone'
detached --name bird busybox sh -c 'trap "echo term" TERM; echo ready; while :; do sleep 0.05; done'
eventually 10 logged bird ready
attached --sig-proxy=false bird
kill -TERM $client
reap $client
same 143 $? 'the exit code'
check is_running bird
logged bird ready || fail 'the container got it'
forget bird

begin "at a terminal: what is typed, its size, and the container's exit code"
if need_pty; then
  detached -it --name bird busybox sh
  feed 'send echo $((40+2)) $(stty size)\n
expect 42 31 101
resize 90x25
send stty size\n
expect 25 90
send exit 5\n
'
  run "$PTY" -w 101x31 -- "$MYDOCKER" attach bird
  exits 5
  forget bird
fi

begin 'ctrl-p ctrl-q detaches: the container goes on, and the terminal is as before'
if need_pty; then
  detached -it --name bird busybox sh
  feed 'send echo one$((1))\n
expect one1
send \x10\x11
wait
'
  run "$PTY" -- "$MYDOCKER" attach bird
  exits 1
  contains 'read escape sequence'
  check is_running bird
  feed 'send echo two$((2))\n
expect two2
send exit 7\n
'
  run "$PTY" -- "$MYDOCKER" attach bird
  exits 7
  forget bird
fi

begin '--detach-keys: other keys; what is none is refused'
if need_pty; then
  detached -it --name bird busybox cat
  feed 'send a\x10b\n
expect a^Pb
send x
send y
wait
'
  run "$PTY" -- "$MYDOCKER" attach --detach-keys x,y bird
  contains 'read escape sequence'
  check is_running bird
  for wrong in ctrl-1 ctrl- xx '' ctrl-p,; do
    feed wait
    run "$PTY" -- "$MYDOCKER" attach "--detach-keys=$wrong" bird
    contains 'invalid detach keys'
  done
  forget bird
fi

begin 'a signal to attach at a terminal ends attach alone, and the terminal is as before'
if need_pty; then
  detached -it --name bird busybox sh -c 'trap "echo heard" TERM; while :; do sleep 0.1; done'
  for signal in TERM HUP INT QUIT; do
    feed "sleep 500
signal $signal
wait
"
    run "$PTY" -- "$MYDOCKER" attach bird
    exits $((128 + $(kill -l $signal)))
  done
  check is_running bird
  logged bird '' || fail 'the container got it'
  forget bird
fi

begin 'a container with a terminal needs one'
detached -it --name bird busybox sh
run mydocker attach bird
says 'the input device is not a TTY'
one_line
run timeout 1 "$MYDOCKER" attach --no-stdin bird
exits 124
quiet
forget bird

begin 'without -i nobody types into a terminal'
if need_pty; then
  detached -t --name bird busybox sh -c "$wait_for; stty size; timeout 1 head -n 1; exit 4"
  feed 'send typed\n
sh . "$TESTS/tools/host.sh"; eventually 10 polls $PTY_PID
sh touch '"$(root bird)"'/tmp/go
'
  run "$PTY" -w 101x31 -- "$MYDOCKER" attach bird
  exits 4
  contains '31 101'
  same '' "$("$MYDOCKER" logs bird | grep typed)" 'what the container got'
  forget bird
fi

begin 'a client that reads late gets all, and the exit code'
"$MYDOCKER" create --name bird busybox sh -c 'seq 1 60000; exit 5' >/dev/null
run bash -c '("$MYDOCKER" start -a bird; echo "code $?" >code) | (sleep 4; cat)'
same "$(seq 1 60000 | sha256sum)" "$(sha256sum <"$T/out")" 'the output'
eventually 5 grep -qx 'code 5' code || fail 'expected 5' "$(<code)"
forget bird

begin "one in the foreground has its caller's streams"
start --name bird busybox sh -c 'echo ready; sleep 31522'
ready
run mydocker attach bird
one_line
says 'has its caller'
kill -9 $pid
finish

begin 'what does not run cannot be attached to'
"$MYDOCKER" create --name bird busybox true >/dev/null
run mydocker attach bird
says 'You cannot attach to a stopped container, start it first'
one_line
"$MYDOCKER" start -a bird
run mydocker attach bird
says 'You cannot attach to a stopped container, start it first'
forget bird
detached --name bird busybox sleep 31521
"$MYDOCKER" pause bird >/dev/null
run mydocker attach bird
says 'You cannot attach to a paused container, unpause it first'
one_line
forget bird
run mydocker attach nobody
says 'no such container: nobody'
run mydocker attach
one_line

begin 'start -a: all of its output from the first byte, and its exit code'
"$MYDOCKER" create --name bird busybox sh -c 'echo out; echo err >&2; seq 1 2000; exit 5' >/dev/null
for _ in 1 2 3; do
  run mydocker start -a bird
  exits 5
  same "$( (echo out; seq 1 2000) | sha256sum)" "$(sha256sum <"$T/out")" 'the output'
  same err "$err" 'standard error'
done
forget bird

begin 'start -a -i: its input, which ends with whoever gave it'
"$MYDOCKER" create -i --name bird busybox sh -c 'sha256sum; exit 4' >/dev/null
feed_file random
run mydocker start -a -i bird
exits 4
prints "$(sha256sum <random)"
"$MYDOCKER" start -a -i bird <keys >/dev/null 2>&1 &
client=$!
exec 9>keys
eventually 10 is_running bird
sleep 0.3
kill -9 $client
reap $client
exec 9>&-
eventually 5 ended bird || fail 'it waits for input'
forget bird

begin 'start -a of a command that is not there'
"$MYDOCKER" create --name bird busybox nosuch >/dev/null
run mydocker start -a bird
exits 127
one_line
forget bird

begin 'run --keep: as in the foreground, and the container stays with its log'
feed $'hello\n'
run mydocker run --keep -i --name bird busybox sh -c 'cat; echo err >&2; exit 8'
exits 8
prints hello
same err "$err" 'standard error'
run mydocker logs bird
prints hello
same err "$err" "the log's standard error"
forget bird

begin 'run --keep -it: a terminal, from which one can detach'
if need_pty; then
  feed 'send echo $((40+2)) $(stty size)\n
expect 42 31 101
send \x10\x11
wait
'
  run "$PTY" -w 101x31 -- "$MYDOCKER" run --keep -it --name bird busybox sh
  exits 0
  check is_running bird
  feed 'send exit 6\n
'
  run "$PTY" -- "$MYDOCKER" attach bird
  exits 6
  forget bird
fi

begin 'a client that is stopped does not keep the container from going on'
detached --name bird busybox sh -c "$wait_for; seq 1 200000; echo written >/done"
attached bird
"$MYDOCKER" attach --no-stdin bird >other 2>&1 &
other=$!
is_attached $other
kill -STOP $client
touch "$(root bird)/tmp/go"
before=$SECONDS
reap $other
same 0 $? "the other client's exit code"
if [ $((SECONDS - before)) -gt 20 ]; then fail 'expected it to go on after 10 s' "$((SECONDS - before)) s"; fi
same "$(seq 1 200000 | sha256sum)" "$(sha256sum <other)" 'what the other client got'
same "$(seq 1 200000 | sha256sum)" "$("$MYDOCKER" logs bird | sha256sum)" 'the log'
kill -CONT $client
reap $client
refuse test $? = 0
says_so=$(<attached.err)
[[ $says_so == *'supervisor has hung up'* ]] || fail 'expected it to be said' "$says_so"
forget bird

begin 'what was said last is heard, also by a client whose input ends while the container does'
# Who closes a socket with something unread leaves ECONNRESET to the other side, which the kernel says before what is still
# to be read: a client that said that its input has ended when nobody listened any more must still hear the rest.
detached -i --name bird busybox sh -c "trap 'echo hello; exit 7' TERM; $wait_for"
mkfifo ending
"$MYDOCKER" attach bird <ending >"$T/attached.out" 2>"$T/attached.err" &
client=$!
exec 9>ending
is_attached $client
pid=$("$MYDOCKER" inspect --format '{{.State.Pid}}' bird)
supervisor=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
kill -STOP "$supervisor"
kill -TERM "$pid"
eventually 5 grep -q '^State:.Z' "/proc/$pid/status"
exec 9>&-
sleep 0.3
kill -STOP $client
kill -CONT "$supervisor"
eventually 10 has_let_go "$supervisor"
kill -CONT $client
reap $client
same 7 $? 'its exit code'
same hello "$(<attached.out)" 'its output'
same '' "$(<attached.err)" 'its standard error'
forget bird

begin 'a client whose output goes nowhere ends as by SIGPIPE, and the container goes on'
detached --name bird busybox sh -c "$wait_for; while :; do echo again; sleep 0.05; done"
run bash -c '("$MYDOCKER" attach bird; echo $? >code) </dev/null | (sleep 0.5; touch "$1/tmp/go"; head -n 1)' sh "$(root bird)"
prints again
eventually 5 grep -qx 141 code || fail 'expected 141' "$(<code)"
check is_running bird
forget bird

begin 'the socket is for its owner alone, and goes with the run'
detached --name bird busybox sleep 31520
socket=$(echo "$MYDOCKER_ROOT"/containers/*/attach)
eventually 5 test -S "$socket"
same 600 "$(stat -c %a "$socket")" 'its mode'
pid=$("$MYDOCKER" inspect --format '{{.State.Pid}}' bird)
kill -9 "$pid"
eventually 5 ended bird
refuse test -e "$socket"
forget bird
