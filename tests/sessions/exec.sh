# A command in a container that runs, as docker exec has it.
. "$TESTS/tools/host.sh"

# up FLAG...: a container called bird in the foreground; down: its end.
up() { start --name bird "$@" busybox.tar /bin/sh -c 'echo ready; exec sleep 271828'; ready; bird=$(pgrep -P "$pid"); }
refuses_root() { ! [ -e "/proc/$bird/root" ] && [ -e "/proc/$bird/status" ]; }
down() { kill -9 "$bird"; finish; }
mydocker run busybox.tar true # imported

begin 'it sees the container: its processes, its name, its files; its output and its exit code are the command'"'"'s'
  up --hostname aviary
  run mydocker exec bird sh -c 'echo out; echo err >&2; exit 4'
  exits 4; prints out; same err "$err" 'standard error'
  run mydocker exec bird ps -o pid,args
  exits 0; quiet; contains '1 sleep 271828'; contains 'ps -o pid,args'
  run mydocker exec bird hostname
  prints aviary
  run mydocker exec bird sh -c 'echo hello >/tmp/made'
  exits 0
  run mydocker exec bird cat /tmp/made
  prints hello
  # Two at once, by name, whole id and the beginning of it.
  id=$(ls "$MYDOCKER_ROOT/containers")
  "$MYDOCKER" exec "$id" sleep 271829 &
  eventually 10 running 271829 || fail 'it never ran'
  run mydocker exec "${id:0:7}" ps -o comm
  exits 0; prints $'COMMAND\nsleep\nsleep\nps'
  kill $(host_pid 271829)
  wait $!
  same 143 $? 'the exit code of the first'
  down; exits 137

begin 'exit codes: what a signal, and what cannot be executed'
  up
  run mydocker exec bird sh -c 'kill -TERM $$'; exits 143
  run mydocker exec bird sh -c 'kill -9 $$'; exits 137
  run mydocker exec bird nosuch; exits 127; one_line; says nosuch
  run mydocker exec bird /bin/nosuch; exits 127; one_line
  run mydocker exec bird /etc/passwd; exits 126; one_line; says 'has no x bit'
  run mydocker exec bird /etc; exits 126; one_line
  run mydocker exec bird echo -e -w; exits 0; prints -w
  run mydocker exec bird; exits 1; one_line
  run mydocker exec; exits 1; one_line
  down

begin 'no such container, one that has ended'
  run mydocker exec nobody true
  exits 1; one_line; says 'no such container: nobody'
  up
  dir=$(echo "$MYDOCKER_ROOT"/containers/*)
  down
  run mydocker exec bird true
  exits 1; one_line; says 'no such container: bird'
  id=$(mydocker create --name gone busybox true)
  run mydocker exec gone true
  exits 1; one_line; says 'container gone is not running'
  rm -rf "$MYDOCKER_ROOT/containers/$id" "$MYDOCKER_ROOT/names/gone"

begin 'nor in one that is ending: its process 1 has no root any more, and waits for another that is held'
  need strace
  start --name bird busybox.tar /bin/sh -c 'sleep 271830 & echo ready; exec sleep 271828'
  ready
  bird=$(pgrep -P "$pid")
  held=$(host_pid 271830)
  # A process that somebody traces is gone only when he has heard of it.
  strace -qq -o /dev/null -p "$held" &
  tracer=$!
  eventually 5 grep -q "^TracerPid:.$tracer\$" "/proc/$held/status" || fail 'it is not traced'
  kill -STOP $tracer
  kill -9 "$bird"
  eventually 5 refuses_root
  run mydocker exec bird true
  exits 1; one_line; says 'container bird is not running'
  kill -CONT $tracer
  wait $tracer
  finish; exits 137

begin '--init: the command is joined, and process 1 reaps what it leaves'
  up --init
  run mydocker exec bird ps -o pid,args
  exits 0; contains '2 sleep 271828'
  run mydocker exec -d bird sh -c 'exit 3'
  run mydocker exec bird sh -c 'for try in $(seq 50); do sleep 0.1; ps -o stat | grep -q Z || break; done; ps -o stat | grep -c Z'
  prints 0
  bird=$(pgrep -P "$bird")
  down

begin 'one that is still being made is not running: its process 1 may see the host'
  need strace
  echo host >canary
  strace -f -qq -o /dev/null -e trace=unshare,setns,pivot_root,execve -e inject=unshare,setns,pivot_root:delay_enter=250000 -e inject=execve:delay_enter=500000:when=2+ \
    "$MYDOCKER" run --name slow busybox.tar sleep 1 >slow.out 2>&1 &
  looked=0 early=0
  while kill -0 $! 2>/dev/null; do
    run mydocker exec slow cat "$T/canary"
    if [[ $out == *host* ]]; then fail "the host's file" "$(came)"; break; fi
    if [[ $err == *'is not running'* ]]; then early=$((early + 1)); fi
    looked=$((looked + 1))
  done
  wait $!
  if active && [ "$early" -lt 3 ]; then fail "it was hardly looked at in time: $early of $looked" "$(cat slow.out)"; fi

begin 'the environment: of the container, -e and --env-file over it, nothing of the caller'"'"'s'
  up -e COLOUR=red -e SHAPE=flat
  printf 'A=1\nB=two words\nSHAPE=square\n' >env
  run env SECRET=x TERM=dumb "$MYDOCKER" exec --env-file env -e SHAPE=round -e HERE bird /bin/busybox env
  exits 0
  same "A=1 B=two words COLOUR=red HOME=/root HOSTNAME=$(mydocker exec bird hostname) PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin SHAPE=round" "$(sort "$T/out" | paste -sd ' ')" 'the environment'
  run env HERE=there "$MYDOCKER" exec -e HERE bird sh -c 'echo $HERE'
  prints there
  run mydocker exec -t bird sh -c 'echo $TERM'
  contains xterm
  run mydocker exec -e PATH=/nowhere bird env
  exits 127
  down

begin '-w, and without it the directory of the container'
  up -w /home/app
  run mydocker exec bird pwd; prints /home/app
  run mydocker exec -w /tmp/../etc bird pwd; prints /etc
  run mydocker exec -w /nosuch bird pwd; exits 126; one_line; says /nosuch
  run mydocker exec -w nosuch bird pwd; exits 126; one_line
  run mydocker exec bird sh -c 'ln -s /etc /link; ls -d /nosuch'
  run mydocker exec -w /link bird pwd; prints /etc
  down

begin '-u, by the passwd and group that are in the container now'
  up
  run mydocker exec -u app bird sh -c 'id; echo $HOME; pwd'
  prints $'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)\n/home/app\n/'
  run mydocker exec -u 7:8 bird id; prints 'uid=7 gid=8 groups=8'
  run mydocker exec -u nosuch bird id; exits 126; one_line; says 'unable to find user nosuch: no matching entries in passwd file'
  run mydocker exec bird sh -c 'echo late:x:77:78::/late:/bin/sh >>/etc/passwd'
  run mydocker exec -u late bird sh -c 'id -u; echo $HOME'; prints $'77\n/late'
  # What the container puts there is not waited for, and leads nowhere.
  passwd=/proc/$bird/root/etc/passwd
  for odd in "mkfifo $passwd" "ln -s /proc/1/fd/0 $passwd" "mkdir $passwd" "mknod $passwd c 1 5" "ln -s $T/passwd $passwd"; do
    rm -rf "$passwd"
    echo root:x:0:0:::/ >"$T/passwd"; echo app:x:1000:1000::/:/ >>"$T/passwd"
    $odd
    LIMIT=5 run mydocker exec -u app bird id
    exits 126; one_line; prints ''
  done
  down
  up -u app
  run mydocker exec bird id -un; prints app
  run mydocker exec -u root bird id -un; prints root
  down

begin '-i: standard input and its end; without it there is none'
  up
  feed $'hello\nworld\n'
  run mydocker exec -i bird sh -c 'cat; echo end'
  prints $'hello\nworld\nend'
  feed 'not for you'
  run mydocker exec bird sh -c 'cat; readlink /proc/self/fd/0'
  prints /dev/null
  head -c 20000000 /dev/urandom >"$T/big"
  same "$(sha256sum <"$T/big")" "$(timeout 60 "$MYDOCKER" exec -i bird cat <"$T/big" | sha256sum)" 'the sum of 20 MB'
  rm "$T/big"
  run bash -c '"$MYDOCKER" exec bird sh -c "echo one; echo two >&2" >&- 2>&-'
  exits 0
  down

begin '-t: a terminal of the container'"'"'s own, of the size of the caller'"'"'s, whose keys are signals inside'
  if need_pty; then
    up
    run mydocker exec -t bird sh -c '[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && tty'
    exits 0; contains /dev/pts/
    run mydocker exec -it bird true
    exits 1; one_line; says 'the input device is not a TTY'
    feed $'wait\n'
    run "$PTY" "$MYDOCKER" exec -it bird sh -c 'stty size; ls /dev/pts; ps -o sid,tty,args | grep [s]tty; exit 5'
    exits 5; contains '24 80'
    feed $'expect ready\nsend \\x03\nexpect caught\nwait\n'
    run "$PTY" "$MYDOCKER" exec -it bird sh -c 'trap "echo caught; exit 3" INT; echo ready; while :; do sleep 0.1; done'
    exits 3
    feed $'expect #\nresize 77x33\nsleep 200\nsend stty size\\n\nexpect 33 77\nsend exit 6\\n\nwait\n'
    run "$PTY" "$MYDOCKER" exec -it bird sh
    exits 6
    run mydocker exec -t -u app bird sh -c 'echo $(stat -c %u:%g:%a $(tty))'
    contains 1000:5:620
    down
  fi

begin '-d: returns when the command is executed; it goes on by itself, and ends with the container'
  up
  run mydocker exec -d bird sh -c 'echo done >/tmp/file; exec sleep 314159'
  exits 0; quiet; prints ''
  eventually 5 mydocker exec bird test -s /tmp/file || fail 'it never ran'
  # Who waits for it is outside, and has nothing of the caller's.
  run mydocker exec bird sh -c 'grep PPid /proc/$(pidof sleep | tr " " "\n" | grep -vx 1 | head -n 1)/status'
  prints $'PPid:\t0'
  waiting=$(pgrep -f "$MYDOCKER exec -d bird")
  run readlink "/proc/$waiting/fd/0" "/proc/$waiting/fd/1" "/proc/$waiting/fd/2"
  prints $'/dev/null\n/dev/null\n/dev/null'
  run mydocker exec -d bird nosuch; exits 127; one_line
  run mydocker exec -d -w /nosuch bird true; exits 126; one_line
  run mydocker exec -d bird sh -c 'for n in 0 1 2; do readlink /proc/self/fd/$n; done >/tmp/links'
  eventually 5 mydocker exec bird test -s /tmp/links
  run mydocker exec bird cat /tmp/links; contains /dev/null; lacks pipe
  # The container's first process does not reap.
  run mydocker exec -d bird true
  eventually 5 sh -c '! "$1" exec bird grep -q "^State:.*Z" $("$1" exec bird sh -c "ls -d /proc/[0-9]*/status")' sh "$MYDOCKER" || fail 'a zombie'
  down
  refuse running 314159
  eventually 5 sh -c '[ ! -e "/proc/$1" ]' sh "$waiting" || fail 'who waited is still there'

begin '-d -t: a terminal, which is read though nobody looks'
  up
  run mydocker exec -d -t bird sh -c 'tty >/tmp/tty; head -c 1000000 /dev/zero; echo done >>/tmp/tty; exec sleep 314159'
  exits 0; quiet; prints ''
  eventually 5 mydocker exec bird grep -q done /tmp/tty || fail 'it waits for a reader'
  run mydocker exec bird head -n 1 /tmp/tty; contains /dev/pts/
  run mydocker exec -d -i -t bird sh -c 'cat; echo done >/tmp/end'
  sleep 0.3
  refuse mydocker exec bird test -e /tmp/end
  down
  refuse running 314159

begin 'the keys that detach: the command goes on, and somebody reads its terminal'
if need_pty; then
  up
  for keys in '' --detach-keys=x,y; do
    feed "expect # 
send (sleep 1; head -c 1000000 /dev/zero; echo done >/tmp/end)\\n
expect head
send $([ -n "$keys" ] && echo xy || echo '\x10\x11')
wait
"
    run "$PTY" -- "$MYDOCKER" exec -it $keys bird sh
    exits 1; contains 'read escape sequence'
    eventually 5 mydocker exec bird grep -q done /tmp/end || fail 'it waits for a reader'
    run mydocker exec bird rm /tmp/end
  done
  run "$PTY" -- "$MYDOCKER" exec -it --detach-keys xx bird sh; contains 'invalid detach keys'
  down
fi

begin 'the container ends: so does the command, with 137'
  up
  (eventually 20 running 271830; kill -9 "$bird") &
  run mydocker exec bird sleep 271830
  exits 137
  wait $! 2>/dev/null
  finish

begin 'mydocker exec ends: so does the command'
  up
  "$MYDOCKER" exec bird sleep 161803 &
  client=$!
  eventually 5 running 161803 || fail 'it never ran'
  kill -9 $client
  wait $client 2>/dev/null
  eventually 5 stopped 161803 || fail 'the command is still there'
  "$MYDOCKER" exec bird sh -c 'trap "exit 9" TERM; sleep 161803 & wait' &
  client=$!
  eventually 5 running 161803 || fail 'it never ran'
  kill -TERM $client
  wait $client
  same 9 $? 'the exit code'
  down

begin 'one with --pid host: what was executed ends with the container too'
  up --pid host
  run mydocker exec bird sh -c 'grep -q systemd /proc/1/comm; ps | grep -c .'
  exits 0
  run mydocker exec -d bird sleep 141421
  eventually 5 running 141421 || fail 'it never ran'
  down
  eventually 5 stopped 141421 || fail 'it is still there'

begin '--explain prints the steps and does nothing'
  up
  run mydocker exec --explain bird touch /made
  exits 0; contains 'setns({container}, CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID|CLONE_NEWNET)'; contains 'execve("/usr/local/sbin/touch"'
  run mydocker exec bird ls /made
  exits 1
  down
