# The terminal, in a real pseudo-terminal. `pty` exits with 98 where the mode found at the end is not that of the
# beginning, so each exit code here says that raw mode was restored too.
. "$TESTS/tools/host.sh"

# on_terminal SCRIPT [-w COLSxROWS] COMMAND...: plays the script at the command.
on_terminal() {
  local script=$1 size=80x24
  shift
  if [ "$1" = -w ]; then size=$2; shift 2; fi
  need_pty || return 0
  feed "$script"
  run "$PTY" -w "$size" -- "$@"
}

begin 'the terminal has its size before the command starts'
on_terminal 'wait' -w 81x25 "$MYDOCKER" run -it /bin/stty size
exits 0
contains '25 81'

begin 'a resize reaches the command: the size and SIGWINCH'
on_terminal 'expect ready
resize 133x37
expect now 37 133
signal KILL' "$MYDOCKER" run -it /bin/sh -c 'trap "echo now \$(stty size)" WINCH; echo ready; while :; do sleep 0.1; done'
contains 'now 37 133'

begin 'several resizes in a row end at the last size'
on_terminal 'expect ready
resize 10x10
resize 20x20
resize 200x50
sleep 500
send go\n
expect 50 200' "$MYDOCKER" run -it /bin/sh -c 'echo ready; read x; stty size'
exits 0

begin 'the command has a controlling terminal in the container'\''s own devpts'
on_terminal 'wait' "$MYDOCKER" run -it /bin/sh -c 'tty; test -c /dev/console && echo console; echo through > /dev/tty; ls /dev/pts'
exits 0
contains '/dev/pts/0'
contains 'console'
contains 'through'

begin 'the interactive shell has job control and says nothing about it'
on_terminal 'expect #
send echo al""l well\n
expect all well
send exit 5\n' "$MYDOCKER" run -it /bin/sh
exits 5
lacks 'job control'

begin '^C interrupts the program in the foreground, not the shell'
on_terminal 'expect #
send sleep 1000\n
sleep 300
send \x03
expect #
send echo co""de $?\n
expect code 130
send exit\n' "$MYDOCKER" run -it /bin/sh
contains 'code 130'

begin '^C is SIGINT to a command that traps it'
on_terminal 'expect ready
send \x03
expect caught' "$MYDOCKER" run -it /bin/sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done'
exits 3

begin '^Z stops a job, fg goes on with it'
on_terminal 'expect #
send sleep 1000\n
sleep 300
send \x1a
expect Stopped
send jobs\n
expect sleep 1000
send fg\n
sleep 300
send \x03
expect #
send exit 0\n' "$MYDOCKER" run -it /bin/sh
exits 0

begin '^D ends the input'
on_terminal 'send one\n
expect one
sleep 100
send \x04' "$MYDOCKER" run -it /bin/cat
exits 0

begin '^\ is SIGQUIT'
on_terminal 'expect #
send sleep 1000\n
sleep 300
send \x1c
expect #
send echo co""de $?\n
expect code 131
send exit 0\n' "$MYDOCKER" run -it /bin/sh
exits 0

begin 'while a command runs, the terminal is raw; afterwards it is as before'
on_terminal 'expect ready
sh stty -F $PTY_SLAVE -a | grep -q -e "-icanon" && stty -F $PTY_SLAVE -a | grep -q -e "-echo "
send x\n
wait
sh stty -F $PTY_SLAVE -a | grep -q " icanon"' "$MYDOCKER" run -it /bin/sh -c 'echo ready; read x'
exits 0

begin 'the mode is restored where the command dies of a signal'
on_terminal 'wait' "$MYDOCKER" run -it --init /bin/sh -c 'kill -TERM $$'
exits 143

begin 'the mode is restored where the container is killed from outside'
on_terminal 'expect ready
sh . '"$TESTS"'/tools/host.sh; kill -9 $(host_pid 31410)
wait' "$MYDOCKER" run -it /bin/sh -c 'echo ready; exec sleep 31410'
exits 137

for name in TERM HUP INT QUIT; do
  begin "the mode is restored where mydocker gets SIG$name"
  on_terminal "expect ready
signal $name
expect heard
wait" "$MYDOCKER" run -it /bin/sh -c "trap 'echo heard; exit 9' $name; echo ready; while :; do sleep 0.1; done"
  exits 9
done

begin 'the mode is restored where the container cannot start'
on_terminal 'wait' "$MYDOCKER" run -it /no/such/command
exits 127
on_terminal 'wait' "$MYDOCKER" run -it -v a:b:c:d /bin/true
exits 125
on_terminal 'wait' "$MYDOCKER" run -it -u nosuchuser /bin/true
exits 125

begin 'a message about a command that is not there is not cut by the raw terminal'
on_terminal 'wait' "$MYDOCKER" run -it /no/such/command
exits 127
contains '/no/such/command'

begin 'when the terminal hangs up, an interactive container ends'
on_terminal 'expect #
send sleep 31411\n
sleep 300
close' "$MYDOCKER" run -it /bin/sh
if active; then eventually 10 stopped 31411 || fail 'the container outlived its terminal'; fi

# 64 MiB of bytes of every value; the sums are of what went in and what came out.
if [ ! -e "$T/data/big" ]; then
  mkdir -p "$T/data"
  head -c 67108864 /dev/urandom >"$T/data/big"
  sum=$(sha256sum <"$T/data/big")
fi

begin '64 MiB through the terminal come out whole when the command ends at once'
if need_pty; then
  got=$(echo wait | timeout 120 "$PTY" -- "$MYDOCKER" run -it -v "$T/data:/data" /bin/sh -c 'stty -opost; exec cat /data/big' | sha256sum)
  same "$sum" "$got" 'the sum of 64 MiB'
fi

begin '64 MiB through a slow terminal come out whole'
if need_pty; then
  got=$(printf 'sleep 20\nhold 1500\nsleep 20\nhold 500\nwait\n' |
    timeout 120 "$PTY" -- "$MYDOCKER" run -it -v "$T/data:/data" /bin/sh -c 'stty -opost; exec cat /data/big' | sha256sum)
  same "$sum" "$got" 'the sum of 64 MiB'
fi

begin '64 MiB through pipes come out whole, both ways'
same "$sum" "$(timeout 60 "$MYDOCKER" run -i /bin/cat <"$T/data/big" | sha256sum)" 'the sum of 64 MiB'
same "$sum" "$(cat "$T/data/big" | timeout 60 "$MYDOCKER" run -i /bin/cat | (sleep 1; sha256sum))" 'the sum of 64 MiB'

begin '64 MiB of standard input through a terminal-less -i come to a file in a volume whole'
timeout 60 "$MYDOCKER" run -i -v "$T/data:/data" /bin/sh -c 'cat >/data/copy' <"$T/data/big"
check cmp "$T/data/big" "$T/data/copy"
rm -f "$T/data/copy"

begin 'standard output and standard error stay apart without -t'
run mydocker run /bin/sh -c 'echo one; echo two >&2'
exits 0
prints one
same two "$err" 'standard error'

begin '-i passes standard input and its end'
feed $'a\nb\n'
run mydocker run -i /bin/sh -c 'cat; echo end'
exits 0
prints $'a\nb\nend'

begin '-i where standard input is closed'
run bash -c '"$MYDOCKER" run -i /bin/cat <&-'
exits 0
prints ''

begin 'without -i standard input is /dev/null'
feed 'not for you'
run mydocker run /bin/sh -c 'cat; readlink /proc/self/fd/0'
exits 0
lacks 'not for you'
contains /dev/null

begin '-t where standard input is no terminal: docker'\''s words'
run mydocker run -it /bin/true
exits 125
says 'the input device is not a TTY'
one_line
run mydocker run -t /bin/true
exits 125
says 'the input device is not a TTY'
feed x
run mydocker run -it /bin/true
exits 125
says 'the input device is not a TTY'

begin 'on a terminal but without -t: keys come as lines, ^D ends them, ^C is forwarded, ^Z does not stop mydocker alone'
on_terminal 'send abc\n
expect abc
sleep 200
send \x04' "$MYDOCKER" run -i /bin/cat
exits 0
on_terminal 'expect ready
send \x1a
sleep 200
send \x03
expect caught' "$MYDOCKER" run /bin/sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done'
exits 3

begin 'without -t the command has no terminal, even where mydocker has one'
on_terminal wait "$MYDOCKER" run -i /bin/sh -c 'tty; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; (: </dev/tty) 2>/dev/null || echo no controlling one'
exits 0
contains 'not a tty'
contains none
contains 'no controlling one'

begin 'closed standard streams'
run bash -c '"$MYDOCKER" run /bin/echo one <&-'
exits 0
prints one
run bash -c '"$MYDOCKER" run /bin/sh -c "echo two >&2" >&-'
exits 0
says two
run bash -c '"$MYDOCKER" run -v a:b:c:d /bin/true 2>&-'
exits 125
run bash -c '"$MYDOCKER" run -v "$PWD:/out" /bin/sh -c "echo three >/out/three" <&- >&- 2>&-'
exits 0
same three "$(cat "$T/three")" 'the file'

begin 'waiting costs no CPU time, also when the command has closed its streams'
for streams in '' '<&- >&- 2>&-'; do
  for flag in -it -i; do
    on_terminal "sleep 1000
sh test \$(awk '{ print \$14 + \$15 }' /proc/\$PTY_PID/stat) -lt 20
wait" "$MYDOCKER" run "$flag" /bin/sh -c "exec sleep 1.5 $streams"
    exits 0
  done
done

begin 'a reader that goes away ends the command'
code=$(timeout 20 bash -c '"$MYDOCKER" run /bin/yes | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"' 2>/dev/null)
if [ "$code" = '' ] || [ "$code" = 0 ]; then fail 'expected `yes` to end, with an error' "exit code: $code"; fi

begin 'a reader that goes away ends the command on a terminal too'
on_terminal 'expect over
wait' bash -c 'timeout --foreground -s KILL 15 "$MYDOCKER" run -it /bin/yes | head -n 1; echo "over, in time: $((SECONDS < 12))"'
exits 0
contains over
# PID 1 ignores the hang-up, so it is killed after the grace of 2 s, and not after the 15 s.
contains 'in time: 1'

begin 'output that nobody reads yet does not keep the terminal from being restored'
on_terminal 'hold 300
wait' "$MYDOCKER" run -it /bin/sh -c 'seq 1 20000'
exits 0
contains 20000

begin 'input typed ahead is not lost'
on_terminal 'send echo typed-a""head\n
expect typed-ahead
send exit 0\n' "$MYDOCKER" run -it /bin/sh
exits 0

begin 'a long line pasted into the terminal arrives whole'
long=$(printf 'x%.0s' {1..3000})
on_terminal "expect ready
send $long\\n
expect count 3001
wait" "$MYDOCKER" run -it /bin/sh -c 'stty -echo; echo ready; echo count $(head -n 1 | wc -c)'
exits 0

begin 'input larger than the terminal'\''s buffer reaches a slow reader'
on_terminal "expect ready
$(for i in {1..40}; do echo "send $(printf 'y%.0s' {1..999})\\n"; done)
expect count 40000
wait" "$MYDOCKER" run -it /bin/sh -c 'stty -echo; echo ready; sleep 1; echo count $(head -n 40 | wc -c)'
exits 0

begin 'mydocker stopped and continued leaves the container running'
on_terminal 'expect #
signal STOP
sleep 300
signal CONT
send echo still-h""ere\n
expect still-here
send exit 0\n' "$MYDOCKER" run -it /bin/sh
exits 0

begin 'the terminal works with output going to a file'
on_terminal 'expect done' sh -c "\"$MYDOCKER\" run -it /bin/echo hello >out.txt; echo done"
exits 0
same hello "$(tr -d '\r' <"$T/out.txt")" 'the file'

rm -rf "$T/data"
