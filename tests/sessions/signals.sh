# Signals: what mydocker gets is forwarded, PID 1 starts with a clean slate, and no container outlives its mydocker.
. "$TESTS/tools/host.sh"

begin 'every signal that can be caught is forwarded'
start /bin/sh -c 'for s in HUP INT QUIT USR1 USR2 PIPE ALRM TERM CONT TSTP URG WINCH PWR 34 40 64; do
    trap "echo got $s" $s; done; trap "exit 42" XCPU; echo ready; while :; do sleep 0.05; done'
ready
if active; then
  for s in HUP INT QUIT USR1 USR2 ALRM TERM CONT TSTP URG WINCH PWR 34 40 64; do
    kill -s "$s" "$pid"
    eventually 5 said "got $s" || fail "SIG$s did not arrive" "$(<"$T/started.out")"
  done
  kill -s XCPU "$pid"
fi
finish
exits 42
quiet

begin 'a signal arrives once'
start /bin/sh -c 'trap "echo got" USR1; trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
ready
if active; then
  kill -s USR1 "$pid"
  eventually 5 said got
  sleep 0.3
  kill -s TERM "$pid"
fi
finish
prints $'ready\ngot'

begin 'a signal sent before the command starts is not lost'
# Blocked or caught from the first instruction on: the default action would end mydocker and say 143.
for pause in 0 0.002 0.004 0.006; do
  start /bin/sh -c 'trap "exit 7" TERM; echo ready; sleep 0.3; while :; do sleep 0.05; done'
  if active; then
    sleep "$pause"
    kill -s TERM "$pid"
    # Until its trap is set, PID 1 does not hear it.
    again() { gone "$pid" || { kill -s TERM "$pid" 2>/dev/null; gone "$pid"; }; }
    sleep 0.5
    eventually 20 again
  fi
  finish
  # 143: it came before anything was to be forwarded to, and mydocker ended as by default.
  if active && [ "$code" != 7 ] && [ "$code" != 143 ]; then fail 'expected exit code 7 or 143' "$code" "$err"; fi
done

begin 'a command without a handler goes by --init as it would outside'
start --init /bin/sleep 31420
if active; then
  eventually 10 running 31420 || fail 'no sleep 31420'
  kill -s TERM "$pid"
fi
finish
exits 143

begin 'the exit code of a command that a signal ends is 128 and its number'
for s in 1 2 3 6 9 15; do
  # Not by the shell itself: busybox's ignores SIGQUIT.
  run mydocker run --init /bin/sh -c "exec kill -$s \$\$"
  exits $((128 + s))
done
start /bin/sleep 31421
if active; then
  eventually 10 running 31421 && kill -9 $(host_pid 31421)
fi
finish
exits 137

begin 'the exit code of the command is passed on'
for n in 0 1 2 124 125 126 127 128 200 255; do
  run mydocker run /bin/sh -c "exit $n"
  exits $n
done

begin 'PID 1 has default dispositions and an empty mask'
clean='ShdPnd:	0000000000000000
SigBlk:	0000000000000000
SigIgn:	0000000000000000
SigCgt:	0000000000000000'
run mydocker run /bin/grep -E '^(ShdPnd|SigBlk|SigIgn|SigCgt):' /proc/1/status
exits 0
prints "$clean"

begin 'PID 1 has default dispositions where mydocker was started with signals ignored and blocked'
run perl -e 'use POSIX; for (keys %SIG) { $SIG{$_} = "IGNORE" unless /^(KILL|STOP|NUM\d+|__.*)$/ }
  sigprocmask(SIG_BLOCK, POSIX::SigSet->new(1 .. 31)); exec @ARGV' \
  "$MYDOCKER" run /bin/grep -E '^(ShdPnd|SigBlk|SigIgn|SigCgt):' /proc/1/status
exits 0
prints "$clean"

begin 'the exit code comes through where SIGCHLD was ignored'
run perl -e '$SIG{CHLD} = "IGNORE"; exec @ARGV' "$MYDOCKER" run /bin/sh -c 'exit 33'
exits 33

begin 'the command is the leader of a session of its own'
run mydocker run /bin/sh -c 'read -r pid comm state ppid pgrp sid rest </proc/self/stat; echo $pid $pgrp $sid'
exits 0
prints '1 1 1'

begin 'SIGKILL of mydocker takes the container along'
start /bin/sh -c 'sleep 31422 & echo ready; exec sleep 31423'
ready
if active; then
  kill -9 "$pid"
  eventually 5 stopped 31422 || fail 'the background process lives'
  eventually 5 stopped 31423 || fail 'the command lives'
fi
finish
exits 137
run mydocker run /bin/true
exits 0
same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'containers/'

begin 'SIGKILL of mydocker takes a container along whose command is another user'
# Changing the user clears the signal that is asked for at the parent's death: it has to be asked for last.
start -u 1000:1000 /bin/sh -c 'echo ready; exec sleep 31424'
ready
if active; then
  kill -9 "$pid"
  eventually 5 stopped 31424 || fail 'the command lives'
fi
finish
run mydocker run /bin/true

begin 'SIGKILL of mydocker takes a container with --pid host along'
start --pid host /bin/sh -c 'echo ready; exec sleep 31425'
ready
if active; then
  kill -9 "$pid"
  eventually 5 stopped 31425 || fail 'the command lives'
fi
finish
run mydocker run /bin/true

begin 'SIGKILL of mydocker takes a container with --pid host and --init along'
start --pid host --init /bin/sh -c 'echo ready; exec sleep 31427'
ready
if active; then
  kill -9 "$pid"
  eventually 5 stopped 31427 || fail 'the command lives'
fi
finish
run mydocker run /bin/true
if active; then eventually 5 stopped 31427 || fail 'the command lives after a sweep'; fi

begin '--init is PID 1, and reaps'
run mydocker run --init /bin/sh -c 'echo $$; for i in 1 2 3 4 5; do (sleep 0.1 & exec sleep 0); done; zombies() { for p in /proc/[0-9]*; do grep -H "^State:.Z" $p/status; done; }
  sleep 0.4; for try in $(seq 50); do sleep 0.1; [ -n "$(zombies)" ] || break; done; zombies; exit 0'
exits 0
lacks Z
if active && [ "$(head -n 1 "$T/out")" = 1 ]; then fail 'the command is PID 1 itself'; fi

begin '--init forwards signals and the exit code'
start --init /bin/sh -c 'trap "echo heard; exit 21" USR2; echo ready; while :; do sleep 0.05; done'
ready
if active; then kill -s USR2 "$pid"; fi
finish
exits 21
prints $'ready\nheard'

begin '--init ends with its command, whatever else runs'
run mydocker run --init /bin/sh -c 'sleep 31426 & exit 4'
exits 4
if active; then eventually 5 stopped 31426 || fail 'a background process lives'; fi

begin '--init gives the command default dispositions and an empty mask'
run mydocker run --init /bin/grep -E '^(ShdPnd|SigBlk|SigIgn|SigCgt):' /proc/self/status
prints "$clean"

begin '--init with a terminal keeps job control'
if need_pty; then
  feed 'expect #
send sleep 1000\n
sleep 300
send \x03
expect #
send echo co""de $?\n
expect code 130
send exit 6\n'
  run "$PTY" -- "$MYDOCKER" run -it --init /bin/sh
  exits 6
  lacks 'job control'
fi

begin '--init: a command that cannot be executed'
run mydocker run --init /no/such/command
exits 127
one_line
run mydocker run --init /etc/passwd
exits 126
one_line

begin 'without --init the command itself is PID 1'
run mydocker run /bin/sh -c 'echo $$'
prints 1

begin '--stop-signal is accepted by name and number, anything else is not'
for s in SIGTERM TERM SIGINT 15 SIGRTMIN+3; do
  run mydocker run --stop-signal "$s" /bin/true
  exits 0
done
run mydocker run --stop-signal SIGNONSENSE /bin/true
exits 125
says SIGNONSENSE
one_line

begin 'mydocker stopped by SIGSTOP and continued ends with its container'
start /bin/sh -c 'echo ready; sleep 0.5; exit 17'
ready
if active; then kill -s STOP "$pid"; sleep 0.8; kill -s CONT "$pid"; fi
finish
exits 17

begin 'a storm of signals does no harm'
start /bin/sh -c 'trap : USR1 WINCH; trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
ready
if active; then
  for i in {1..500}; do kill -s USR1 "$pid"; kill -s WINCH "$pid"; done
  kill -s TERM "$pid"
fi
finish
exits 0
