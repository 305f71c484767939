# Known holes of exec, each tried. docs/security.md lists them.
. "$TESTS/tools/host.sh"

tool holes && cp "$tool_path" holes
mkdir tree canary
tar -C tree -xf busybox.tar
cp holes tree/bin/holes
echo canary >canary/file
up() { start --name bird "$@" ./tree /bin/sh -c 'echo ready; exec sleep 271828'; ready; bird=$(pgrep -P "$pid"); }
down() { "$MYDOCKER" kill bird >/dev/null; finish; }

# --- the process before its command ------------------------------------------------------------------------------------

# Looks at whoever turns up: where his descriptors, his root and his directory lead, his program, and whether a word of the
# caller's environment is in his memory.
cat >tree/bin/look <<'END'
#!/bin/sh
echo ready
while :; do
  for dir in /proc/[0-9]*; do
    case $dir in /proc/1 | /proc/$$) continue ;; esac
    for link in $dir/fd/* $dir/root $dir/cwd $dir/exe; do
      to=$(readlink $link 2>/dev/null) && echo "${link#$dir/} $to"
    done
    if cat $dir/environ 2>/dev/null | grep -q canary; then echo "its environment"; fi
    holes memory ${dir#/proc/} canary-of-the-environment 2>/dev/null
  done
done
END
chmod 755 tree/bin/look

for flags in '' '--cap-add SYS_PTRACE' '--privileged' '--init --cap-add SYS_PTRACE'; do
  begin "CVE-2016-9962: what a container${flags:+ with $flags} gets at in a command that is about to begin"
    need strace && tool holes
    start --name bird $flags ./tree /bin/look
    ready
    # Held up where it is a member of the container and has not executed anything.
    for call in setsid execve; do
      exec 7<canary/file 9<canary
      CANARY=canary-of-the-environment strace -f -qq -o /dev/null -e trace=$call -e inject=$call:delay_enter=700000 \
        "$MYDOCKER" exec bird /bin/true 7<canary/file 9<canary
      exec 7<&- 9<&-
    done
    "$MYDOCKER" kill bird >/dev/null
    finish
    if [ -n "$flags" ] && active && ! grep -q '^exe /memfd:mydocker' "$T/out"; then fail 'it was never seen' "$(sort -u "$T/out")"; fi
    if [ -n "$flags" ]; then contains 'its whole memory was read'; fi
    lacks canary; lacks "$T"; lacks "$MYDOCKER"; lacks 'anon_inode'; lacks /sys/fs/cgroup; lacks 'in its memory'; lacks 'its environment'
    # Its streams, and the socket by which it would say what has failed.
    links=$(grep -E '^fd/[0-9]+ ' "$T/out" | sed 's/[0-9]*$//; s/\[.*//; s/^fd.* //' | sort -u | paste -sd ' ')
    if active && [ -n "$(grep -vE '^(/dev/null|pipe:|socket:|/bin/look|/proc.*|/dev/pts.*)?( |$)' <<<"${links// /$'\n'}")" ]; then fail 'what its descriptors lead to' "$links"; fi
done

begin 'CVE-2016-9962: with --pid host, where mydocker itself is seen'
  need strace && tool holes
  start --pid host --name bird ./tree /bin/holes snoop 4
  ready
  for _ in 1 2 3; do
    strace -f -qq -o /dev/null -e trace=execve -e inject=execve:delay_enter=300000 "$MYDOCKER" exec bird /bin/true
  done
  finish
  exits 0; prints_line 'looked: yes'; lacks "got: $MYDOCKER"; lacks memfd

begin 'CVE-2019-5736: a command that is /proc/self/exe, as a script or a link, is not mydocker'
  up
  before=$(sha256sum <"$MYDOCKER")
  run mydocker exec bird sh -c 'printf "#!/proc/self/exe run\n" >/script; chmod 755 /script; ln -s /proc/self/exe /link'
  exits 0
  for way in /script /link; do
    run mydocker exec bird $way --help
    exits 126; one_line; prints ''
  done
  same "$before" "$(sha256sum <"$MYDOCKER")" 'our binary'
  down

begin 'CVE-2024-21626: -w /proc/self/fd/N, and a link to there, for every N that could be one of ours'
  up
  run mydocker exec bird sh -c 'for n in $(seq 0 63); do ln -s /proc/self/fd/$n /fd$n; done'
  for n in {0..24} 63; do
    for dir in "/proc/self/fd/$n" "/fd$n"; do
      run bash -c 'exec 9<. 20<.; exec "$@"' sh "$MYDOCKER" exec -w "$dir" bird /bin/sh -c 'pwd; /bin/cat ../../../../../../../canary/file canary/file'
      exits 126; one_line; prints ''
    done
  done
  down

begin 'no descriptor of ours or of the caller is left'
  up
  for flags in '' -i -d; do
    run bash -c 'ulimit -n 2048; exec 3<canary 7>canary/new 9<canary/file 100<canary 254<. 1023<canary; exec "$@"' sh \
      "$MYDOCKER" exec $flags bird /bin/sh -c 'for f in /proc/$$/fd/*; do echo "${f##*/} $(readlink $f)"; done | tee /tmp/fds'
    exits 0
    if [ "$flags" = -d ]; then
      sleep 0.5
      run mydocker exec bird cat /tmp/fds
    fi
    same '0 1 2' "$(grep -vE '^[0-9]+ (/proc/.*|)$' "$T/out" | cut -d ' ' -f 1 | grep -v '^1[0-9]$' | paste -sd ' ')" 'the descriptors'
    lacks "$T"; lacks canary; lacks 'anon_inode:'; lacks /sys/fs/cgroup; lacks socket:; lacks memfd
  done
  down

begin 'CVE-2022-29162 and CVE-2022-2995: neither capabilities nor groups are inherited'
  need setpriv
  up
  for user in root app; do
    run setpriv --inh-caps +sys_admin,+net_admin --ambient-caps +sys_admin,+net_admin --groups 4,24 "$MYDOCKER" exec -u $user bird grep -E '^(Cap(Inh|Amb)|Groups)' /proc/self/status
    exits 0; lacks 24; contains $'CapInh:\t0000000000000000'; contains $'CapAmb:\t0000000000000000'
  done
  down

begin "the session keyring is not the caller's"
  up
  run ./holes session
  theirs=$out
  run mydocker exec bird /bin/holes session
  if active && [ "$out" = "$theirs" ]; then fail "the keyring inside is the caller's" "$out"; fi
  down

begin 'CVE-2017-5226: without -t there is no terminal to type into, and with it the container'"'"'s'
  if need_pty; then
    up
    feed $'wait\n'
    run "$PTY" sh -c '"$1" exec -i bird /bin/holes type x; "$1" exec bird /bin/holes type x; "$1" exec -i bird /bin/sh -c "for n in 0 1 2; do /bin/holes type x <&\$n; done; /bin/holes type x </dev/tty"' sh "$MYDOCKER"
    lacks ok; contains ENOTTY
    : >canary/typed
    feed $'wait\n'
    run "$PTY" sh -c '"$1" exec -it bird /bin/holes type "echo hole >canary/typed
"; exec </dev/tty; stty -icanon min 0 time 5; cat >canary/left' sh "$MYDOCKER"
    same '' "$(cat canary/typed canary/left)" 'what came to the terminal outside'
    down
  fi

begin "the null device: not the host's, whose mode and owner the container's root could change for all"
  up
  mknod -m 666 null c 1 3
  run sh -c '"$1" exec bird chmod 600 /proc/self/fd/1 >null; "$1" exec -i bird chown 5:5 /proc/self/fd/0 <null; "$1" exec bird chmod 600 /proc/self/fd/2 2>null' sh "$MYDOCKER"
  exits 0
  same '666 0:0' "$(stat -c '%a %u:%g' null)" "the node's mode and owner"
  rm null
  down

# --- what the container has put in the place of things -----------------------------------------------------------------------

begin 'the null device of the container: replaced by something that blocks, that others hold, or that is another one'
  up
  null=/proc/$bird/root/dev/null
  for odd in "mkfifo $null" "mkdir $null" "mknod $null c 1 5" "ln -s /etc/passwd $null" "ln -s /proc/self/fd/3 $null" "touch $null" true; do
    rm -rf "$null"
    $odd
    LIMIT=5 run mydocker exec bird /bin/true
    exits 1; one_line; says /dev/null
    LIMIT=5 run mydocker exec -d bird /bin/true
    exits 1; one_line; says /dev/null
    # It can still be repaired from inside.
    feed ''
    LIMIT=5 run mydocker exec -i bird /bin/true
    exits 0
  done
  feed ''
  run mydocker exec -i bird sh -c 'rm -rf /dev/null; mknod -m 666 /dev/null c 1 3'
  exits 0
  run mydocker exec bird true
  exits 0
  down

begin 'terminals: a container whose root may mount puts something else where they are made'
  up --privileged
  run mydocker exec bird sh -c 'mount -t tmpfs tmpfs /dev/pts && mkfifo /dev/pts/ptmx'
  exits 0
  LIMIT=5 run mydocker exec -t bird true
  exits 1; one_line; prints ''
  run mydocker exec bird sh -c 'rm /dev/pts/ptmx; ln -s /etc/passwd /dev/pts/ptmx'
  LIMIT=5 run mydocker exec -t bird true
  exits 1; one_line
  down

# --- limits ---------------------------------------------------------------------------------------------------------------

begin 'its cgroups are those of the container, and so are its limits'
  up -m 32m --memory-swap 32m
  "$MYDOCKER" exec bird sleep 161803 &
  client=$!
  eventually 5 running 161803
  same "$(cat "/proc/$bird/cgroup")" "$(cat "/proc/$(host_pid 161803)/cgroup")" 'the cgroups'
  for name in mnt pid uts ipc net cgroup user; do
    same "$(readlink "/proc/$bird/ns/$name")" "$(readlink "/proc/$(host_pid 161803)/ns/$name")" "the $name namespace"
  done
  run mydocker exec bird sh -c 'exec tail /dev/zero'
  exits 137
  run mydocker exec bird true
  exits 0
  kill $client
  wait $client
  down
  up --pids-limit 4
  run mydocker exec bird sh -c 'for n in 1 2 3 4 5 6; do sleep 0.1 & done; wait'
  says 'fork'
  down
