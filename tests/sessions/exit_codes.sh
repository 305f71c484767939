# 125 mydocker failed, 126 the command cannot be invoked, 127 it was not found, 128+N it died of N, else its own.

"$MYDOCKER" run busybox true

begin 'the code of the command comes through'
  for n in 0 1 2 7 42 100 124 125 126 127 128 130 137 143 200 254 255; do
    run mydocker run busybox sh -c "exit $n"
    exits "$n"; quiet; prints ''
  done

begin 'killed from outside: 137'
  "$MYDOCKER" run busybox sh -c 'echo up; exec sleep 20' >up 2>err.txt &
  pid=$!
  for _ in $(seq 200); do if [ -s up ]; then break; fi; sleep 0.02; done
  # The process that is pid 1 of another namespace: its NSpid line ends with 1.
  inside=
  for child in $(strays | cut -d ' ' -f 1); do
    if grep -qE '^NSpid:.*\s1$' "/proc/$child/status" 2>/dev/null; then inside=$child; fi
  done
  if [ -z "$inside" ]; then fail 'the container was not found'; else kill -9 "$inside"; fi
  wait "$pid"
  same 137 "$?" 'the exit code'

begin 'killed by itself, below an init'
  for signal in 1 2 4 6 8 9 10 11 12 13 14 15 24 25 31 34 64; do
    run mydocker run --init busybox sh -c "kill -$signal \$\$"
    exits $((128 + signal))
  done

begin 'pid 1 is not killed by its own signals (pid_namespaces(7))'
  run mydocker run busybox sh -c 'kill -9 $$; kill -TERM $$; echo alive; exit 3'
  exits 3; prints alive

begin '125: our own errors'
  for args in '--wrong busybox true' '-v a:b:c:d busybox true' '-m wrong busybox true' '-u nosuch busybox true' \
    '--rootfs /nowhere true' 'nowhere.tar true' '--name a/b busybox true' '--env-file /nowhere busybox true' '-w rel busybox true'; do
    run mydocker run $args
    exits 125; one_line; prints ''
  done

begin '126: it is there and cannot be executed'
  for command in /etc/passwd /etc /; do
    run mydocker run busybox "$command"
    exits 126; one_line; says "$command"
  done

begin '127: it is not there'
  for command in nosuch /no/such ./nosuch bin/nosuch ''; do
    run mydocker run busybox "$command"
    exits 127; one_line; says "$command"
  done

begin 'the codes are the same with a user, a volume, --init and --read-only'
  for flags in '-u app' '-v ./vol:/vol' --init --read-only '--pid host'; do
    run mydocker run $flags busybox nosuch; exits 127; one_line
    run mydocker run $flags busybox /etc; exits 126; one_line
    run mydocker run $flags busybox sh -c 'exit 7'; exits 7
  done

begin 'closed standard descriptors do no harm'
  run sh -c "\"$MYDOCKER\" run busybox sh -c 'exit 5' <&- >&- 2>&-"
  exits 5
  run sh -c "\"$MYDOCKER\" run busybox sh -c 'echo hello; exit 6' >&-"
  exits 6
  run sh -c "\"$MYDOCKER\" run busybox echo hello <&- 2>&-"
  exits 0; prints hello
  same '' "$(grep -rl hello "$MYDOCKER_ROOT" 2>/dev/null | grep -v layers)" 'files of ours that got the output'

begin 'a reader that goes away ends the writer'
  # SIGPIPE does not kill a pid 1 that has no handler for it, but its write fails (pid_namespaces(7)).
  run bash -c "\"$MYDOCKER\" run busybox yes | head -n 1; echo \${PIPESTATUS[0]}"
  exits 0; prints $'y\n1'
  run bash -c "\"$MYDOCKER\" run --init busybox yes | head -n 1; echo \${PIPESTATUS[0]}"
  exits 0; prints $'y\n141'

begin 'an error goes to standard error alone'
  run mydocker run busybox nosuch; prints ''
  run mydocker run -v a:b:c:d busybox true; prints ''
