# What `run` in the foreground does besides: --timeout, --stats.
. "$TESTS/tools/host.sh"

begin '--timeout: SIGTERM, and 124 whatever the command says'
run mydocker run --timeout 1.5s /bin/sh -c 'trap "echo heard; exit 7" TERM; while :; do sleep 0.05; done'
exits 124
prints heard
quiet

begin '--timeout: nothing happens to a command that ends before'
run mydocker run --timeout 1h /bin/sh -c 'exit 9'
exits 9
run mydocker run --timeout 60 /bin/sh -c 'exit 10'
exits 10

begin '--timeout: a command that ignores SIGTERM is killed 10 s later'
before=$SECONDS
run mydocker run --timeout 100ms /bin/sleep 31500
exits 124
if active; then
  took=$((SECONDS - before))
  if [ $took -lt 9 ] || [ $took -gt 13 ]; then fail 'expected about 10 s' "$took"; fi
  eventually 5 stopped 31500 || fail 'the command lives'
fi

begin '--timeout: a background process, with --pid host too'
run mydocker run --timeout 300ms --pid host /bin/sh -c 'sleep 31501 & exec sleep 31502'
exits 124
if active; then
  eventually 5 stopped 31501 || fail 'the background process lives'
  eventually 5 stopped 31502 || fail 'the command lives'
fi

begin '--timeout with a terminal'
if need_pty; then
  feed 'wait'
  run "$PTY" -- "$MYDOCKER" run -it --init --timeout 500ms /bin/sleep 31503
  exits 124
fi

begin '--timeout: what is no time is refused'
for time in '' x 1y s 5mm 1.2.3s -1s 1h30 99999999999999999999s; do
  run mydocker run --timeout "$time" /bin/true
  exits 125
  one_line
done

# number KEY: what stands behind it in the line of --stats.
number() { sed -n "s/.*$1 \([0-9.]*\)s\{0,1\}.*/\1/p" "$T/err" | tail -n 1; }
# between LOW HIGH VALUE WHAT
between() {
  if active && ! perl -e 'exit !($ARGV[0] <= $ARGV[2] && $ARGV[2] <= $ARGV[1])' "$1" "$2" "${3:-x}"; then
    fail "expected $4 between $1 and $2" "$3" "$(came)"
  fi
}

begin '--stats says what was used, on standard error'
run mydocker run --stats /bin/sh -c 'sleep 0.5; dd if=/dev/zero of=/dev/null bs=32M count=1 2>/dev/null; exit 3'
exits 3
prints ''
between 0.5 5 "$(number wall)" 'wall seconds'
between 0 1 "$(number user)" 'user seconds'
between 32 60 "$(number memory)" 'MiB'

begin '--stats counts a background process that nobody waited for'
run mydocker run --stats /bin/sh -c '(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done) & sleep 1.5'
if active && [ -e /sys/fs/cgroup/cpu/cpuacct.usage ] || [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  between 0.1 2 "$(number user)" 'user seconds'
fi
# What it counted is there without a cgroup, too, for what was waited for.
run mydocker run --stats /bin/sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'
between 0.1 4 "$(number user)" 'user seconds'

begin 'without --stats nothing is said'
run mydocker run /bin/true
exits 0
quiet

begin '--diff lists on standard error what has changed'
run mydocker run --diff busybox sh -c 'echo new >/added; rm /etc/group; echo x >>/etc/passwd; echo out'
exits 0
prints out
says 'A /added'
says 'D /etc/group'
says 'C /etc/passwd'
lacks '/added'
run mydocker run --diff busybox true
exits 0
quiet
run mydocker run --keep --diff --name kept busybox sh -c 'echo new >/added'
exits 0
says 'A /added'
run mydocker rm kept
exits 0
run mydocker run --diff busybox /nosuch
exits 127
one_line
