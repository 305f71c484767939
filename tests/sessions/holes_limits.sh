# What a container may use up: its own share, and nothing of the host's. docs/security.md says where the host's users share a
# quota with the container's, as they do under docker.
. "$TESTS/tools/host.sh"

tool holes && cp "$tool_path" holes
mkdir tree
tar -C tree -xf busybox.tar
cp holes tree/bin/holes 2>/dev/null
# ended SECONDS: mydocker, told to end, ends in that time, and nothing of the container is left.
ended() {
  kill -TERM "$pid"
  finish "$1"
  if active && [ "$code" = 124 ]; then fail 'it did not end'; fi
}

begin 'processes: as many as the limit, then EAGAIN, and mydocker ends as ever'
  run mydocker run --pids-limit 30 ./tree /bin/holes fork
  exits 0; prints 'EAGAIN after 29'
  # The bomb, and an end to it.
  # In the background: a shell that cannot fork ends, and this one has to forks no more when the others have begun.
  start --pids-limit 60 ./tree /bin/sh -c 'trap "exit 3" TERM; bomb() { bomb | bomb & }; bomb 2>/dev/null & echo ready; while :; do :; done'
  ready
  run sh -c ':'; exits 0
  ended 10; exits 3

begin 'processes: with --init, whose process 1 is ours, and a command that ignores signals'
  start --init --pids-limit 60 ./tree /bin/sh -c 'trap "" TERM; bomb() { bomb | bomb & }; bomb 2>/dev/null & echo ready; while :; do :; done'
  ready
  kill -KILL "$pid"
  finish 10
  run mydocker run ./tree true; exits 0

begin 'memory: 137, whatever it is used for, and the host has it back'
  run mydocker run -m 16m ./tree /bin/tail /dev/zero; exits 137
  run mydocker run -m 16m ./tree /bin/sh -c 'tail /dev/zero & tail /dev/zero & wait; echo over'; exits 0; prints over
  # A tmpfs counts too: /dev/shm, /dev, and one of --tmpfs.
  for dir in /dev/shm /dev /t; do
    run mydocker run -m 16m --tmpfs /t:size=1g ./tree /bin/sh -c "head -c 200000000 /dev/zero >$dir/big"
    if active && [ "$code" = 0 ]; then fail "200 MB in 16 MiB: $dir"; fi
  done

begin 'a terminal whose output nobody reads, and whose input it does not read'
  if need_pty; then
    # The pty tool does not read for two seconds, while the command writes all the time; then it reads, and ends mydocker.
    feed $'expect ready\nhold 2000\nsignal TERM\nwait\n'
    run "$PTY" "$MYDOCKER" run -it ./tree /bin/sh -c 'trap "exit 3" TERM; echo ready; while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done'
    exits 3
    feed $'expect ready\nsend '"$(head -c 20000 /dev/zero | tr '\0' x)"$'\nsignal TERM\nwait\n'
    run "$PTY" "$MYDOCKER" run -it ./tree /bin/sh -c 'trap "exit 3" TERM; stty raw -echo; echo ready; while :; do sleep 0.1; done'
    exits 3
  fi

begin 'terminals: the container has those of its own devpts, and the host some of its own'
  start --ulimit nofile=100000:100000 ./tree /bin/sh -c '/bin/holes ptys 3 & sleep 1; echo ready; wait'
  if active && ! eventually 5 said ready; then
    # The caller's own limit may be lower.
    finish; start ./tree /bin/sh -c '/bin/holes ptys 3 & sleep 1; echo ready; wait'
  fi
  ready
  run perl -e 'open my $terminal, "+<", "/dev/ptmx" or die "$!\n"; print "one\n"'
  exits 0; prints one
  finish; exits 0

begin "inotify: another user of the container uses up his own quota, not root's of the host"
  run ./holes inotify; before=$out
  start -u 12345 ./tree /bin/sh -c '/bin/holes inotify 3 & sleep 1; echo ready; wait'
  ready
  # The host's root has a few more or less all the time.
  run ./holes inotify; exits 0
  if active && [ "${out##* }" -lt $((${before##* } - 20)) ]; then fail "root's quota is used up" "$before before, $out now"; fi
  finish; exits 0
  if active && ! grep -q '^EMFILE after' "$T/out"; then fail 'he did not come to the end of it' "$out"; fi

begin 'inotify: root of the container, who is root of the host, gives all back at the end'
  run ./holes inotify; before=$out
  run mydocker run ./tree /bin/holes inotify; exits 0
  all_back() { run ./holes inotify; [ "${out##* }" -ge $((${before##* } - 5)) ]; }
  eventually 10 all_back || fail 'expected all of it to be there again' "$before before, $out now"

begin "keys: none can be made, and a start costs the host's root none that stays"
  run mydocker run ./tree /bin/holes keys 100000
  exits 0; prints 'EPERM after 0'
  if [ ! -r /proc/key-users ]; then
    skip 'there is no /proc/key-users'
  else
    used() { awk '$1 == "0:" { split($4, keys, "/"); print keys[1] }' /proc/key-users; }
    before=$(used)
    for _ in {1..30}; do run mydocker run ./tree true; done
    # The kernel collects them a little later.
    few() { [ "$(used)" -le $((before + 5)) ]; }
    if active && ! eventually 10 few; then fail "keys of root: $before before 30 starts, $(used) after"; fi
  fi
