# Nothing is left, whatever happens; and nothing is deleted that is not the container's.
. "$TESTS/tools/host.sh"

# nothing_left WHAT: the machine is as it was at the beginning of this session.
nothing_left() {
  local left
  if ! active; then return 0; fi
  left=$(difference "$before" snapshot)
  if [ -n "$left" ]; then fail "something is left after $1:" "$left"; fi
}
containers() { ls -A "$MYDOCKER_ROOT/containers" 2>/dev/null; }

run mydocker run /bin/true
before=$(snapshot)

begin 'nothing is left after a command that ends'
run mydocker run --name gone -v "$T/vol:/vol" -m 32m --pids-limit 10 --cpus 0.5 /bin/sh -c 'echo x >/file; echo y >/vol/file'
exits 0
nothing_left 'success'
same y "$(<"$T/vol/file")" 'the file in the volume'

begin 'nothing is left after a command that fails, each in its way'
for command in 'exit 3' 'kill -9 $$' 'exec /no/such' 'exec /etc/passwd' 'while :; do :; done & exit 0' 'sleep 31440 & sleep 31440 & exit 1'; do
  run mydocker run --init -m 32m /bin/sh -c "$command"
  nothing_left "$command"
done
if active; then stopped 31440 || fail 'a background process lives'; fi

begin 'nothing is left after a start that fails, each in its way'
mkdir -p "$T/d" && : >"$T/f" && printf 'not a tar' >"$T/bad.tar"
while read -r expected words; do
  eval "run mydocker run -m 32m --name failing $words"
  exits "$expected"
  one_line
  nothing_left "$words"
done <<'WAYS'
127 /no/such/command
127 nosuchcommand
126 /etc/passwd
126 /etc
125 -v a:b:c:d /bin/true
125 -v $T/f:/etc /bin/true
125 -v $T/d:/etc/passwd /bin/true
125 -v $T/d:/x -v $T/f:/x/../bin /bin/true
125 -u nosuchuser /bin/true
125 --memory 1 /bin/true
125 --cpuset-cpus 4000 /bin/true
125 --cpus 0.000001 /bin/true
125 --ulimit nofile=99999999999:99999999999 /bin/true
125 --mount type=bind,src=$T/missing,dst=/m /bin/true
125 --env-file $T/missing /bin/true
125 --rootfs $T/missing /bin/true
125 ./missing.tar /bin/true
125 ./bad.tar /bin/true
125 -it /bin/true
125 --nonsense /bin/true
125 --hostname aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa /bin/true
125 --shm-size nonsense /bin/true
WAYS
check test ! -e "$T/missing"

# --- SIGKILL ----------------------------------------------------------------------------------------------------

# kill_at CALL WHEN ARG...: mydocker is killed as it makes CALL for the WHENth time (strace counts each call by itself).
kill_at() {
  local call=$1 when=$2
  shift 2
  timeout 30 strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=SIGKILL:when=$when" "$MYDOCKER" run "$@" </dev/null >/dev/null 2>&1
}

nobody_left() { [ -z "$(strays)" ]; }

begin 'SIGKILL of mydocker at 20 different moments: the next command sweeps what it left'
if need strace; then
  args=(--name killed -v "$T/vol:/vol" -m 32m --pids-limit 50 /bin/sh -c 'echo x >/file; sleep 0.05')
  while read -r call when; do
    kill_at "$call" "$when" "${args[@]}"
    if [ $? != 137 ]; then fail "mydocker was not killed at $call $when"; fi
    # What was killed in the middle of making a network namespace takes its time to end, and holds the lock until then.
    eventually 10 nobody_left || fail 'what was killed has not ended'
    run mydocker run /bin/true
    exits 0
    quiet
    nothing_left "SIGKILL at $call $when"
    same y "$(<"$T/vol/file")" 'the file in the volume'
  done <<'MOMENTS'
geteuid 1
clone3 1
mkdirat 1
mkdirat 2
mkdirat 4
mkdirat 6
flock 2
symlinkat 1
fsopen 1
fsconfig 8
fsmount 2
mknodat 3
open_tree 1
write 1
write 3
signalfd4 1
ppoll 3
wait4 1
recvmsg 1
unlinkat 1
unlinkat 3
unlinkat 5
unlinkat 7
MOMENTS
fi

begin 'SIGKILL of mydocker after a time: the next command sweeps what it left'
for pause in 0 0.0005 0.001 0.0015 0.002 0.003 0.004 0.005 0.007 0.009 0.012 0.015 0.02 0.025 0.03 0.04 0.05 0.07 0.1 0.15; do
  start -v "$T/vol:/vol" -m 32m --pids-limit 50 /bin/sh -c 'echo x >/file; sleep 31441'
  if active; then sleep "$pause"; kill -9 "$pid"; fi
  finish
  exits 137
  if active; then eventually 5 stopped 31441 || fail 'the container lives'; fi
done
run mydocker run /bin/true
exits 0
nothing_left '20 times SIGKILL'

begin 'a first run that is killed during the import leaves no image, and the next one imports'
cp "$TAR" "$T/again.tar"
printf '\0' >>"$T/again.tar"
if need strace; then
  calls=$(strace -qq -o "$T/strace" "$MYDOCKER" run --root "$T/r0" ./again.tar /bin/true </dev/null >/dev/null 2>&1; wc -l <"$T/strace")
  rm -rf --one-file-system "$T/r0"
  for part in 5 20 40 60 75 90; do
    kill_at $((calls * part / 100)) --root "$T/r1" ./again.tar /bin/true
    run mydocker run --root "$T/r1" ./again.tar /bin/echo imported
    exits 0
    prints imported
    same '' "$(ls -A "$T/r1/containers" 2>/dev/null)" 'containers/'
    same 1 "$(ls -d "$T"/r1/layers/*/ | wc -l)" 'the number of layers'
    rm -rf --one-file-system "$T/r1"
  done
fi
rm -f "$T/again.tar"

# --- a full disk ------------------------------------------------------------------------------------------------

# on_tmpfs OPTIONS: a small file system at $T/small.
on_tmpfs() { mkdir -p "$T/small" && mount -t tmpfs -o "$1" small "$T/small" || skip 'no tmpfs can be mounted'; }
off_tmpfs() { umount "$T/small"; }

begin 'an import onto a full disk leaves nothing'
on_tmpfs size=1m
run mydocker run --root "$T/small/root" ./busybox.tar /bin/true
exits 125
one_line
says 'No space left on device'
same '' "$(ls -A "$T/small/root/images" "$T/small/root/layers" "$T/small/root/containers" 2>/dev/null | grep -v :)" 'what is left'
off_tmpfs

begin 'an import onto a disk without inodes leaves nothing'
on_tmpfs size=20m,nr_inodes=60
run mydocker run --root "$T/small/root" ./busybox.tar /bin/true
exits 125
one_line
says 'No space left on device'
same '' "$(ls -A "$T/small/root/images" "$T/small/root/layers" "$T/small/root/containers" 2>/dev/null | grep -v :)" 'what is left'
off_tmpfs

begin 'a container that fills the disk: its error, its end, and the space is back'
on_tmpfs size=20m
run mydocker run --root "$T/small/root" ./busybox.tar /bin/true
exits 0
used=$(stat -f -c %f "$T/small")
run mydocker run --root "$T/small/root" ./busybox.tar /bin/sh -c 'dd if=/dev/zero of=/big bs=1M 2>/dev/null; echo code $?; df / | tail -n 1 >/dev/null; exit 8'
exits 8
prints 'code 1'
same "$used" "$(stat -f -c %f "$T/small")" 'the number of free blocks'
same '' "$(ls -A "$T/small/root/containers")" 'containers/'

begin 'a start on a full disk: success or one line, and nothing left'
cat /dev/zero >"$T/small/filler" 2>/dev/null
run mydocker run --root "$T/small/root" ./busybox.tar /bin/echo fits
if active; then
  case $code in
    0) prints fits ;;
    *) exits 125; one_line ;;
  esac
fi
same '' "$(ls -A "$T/small/root/containers")" 'containers/'
rm "$T/small/filler"
run mydocker run --root "$T/small/root" ./busybox.tar /bin/echo fits
exits 0
prints fits
off_tmpfs

# --- what is not the container's --------------------------------------------------------------------------------

precious() {
  rm -rf --one-file-system "$T/precious"
  mkdir -p "$T/precious/deep/er" && echo gold >"$T/precious/gold" && echo silver >"$T/precious/deep/er/silver" && chmod 700 "$T/precious/deep"
  # Empty directories too, with the names that a container's directory has.
  mkdir -p "$T/precious/work/work/incompat/volatile" "$T/precious/incompat/volatile" "$T/precious/upper" "$T/precious/merged"
  tree "$T/precious" >"$T/precious.before"
}
whole() { same "$(<"$T/precious.before")" "$(tree "$T/precious")" 'the precious directory'; }

begin 'a directory mounted from outside below every directory of a live container is whole when it ends'
precious
rm -f "$T/vol/end"
start --name mounted -v "$T/vol:/vol" /bin/sh -c 'mkdir -p /a/b /c; echo ready; while [ ! -e /vol/end ]; do sleep 0.1; done; exit 14'
ready
if active; then
  id=$(containers)
  places=$(find "$MYDOCKER_ROOT/containers/$id" -xdev -type d)
  n=0
  while read -r place; do
    mkdir "$place/precious" 2>/dev/null && mount --bind "$T/precious" "$place/precious" && n=$((n + 1))
  done <<<"$places"
  if [ "$n" -lt 3 ]; then fail 'expected to mount at three places at least' "$places"; fi
  touch "$T/vol/end"
fi
finish
exits 14
whole
if active && [[ $err != *precious* && $err != *mount* ]]; then fail 'expected a word about what could not be removed' "$(came)"; fi
run mydocker run /bin/true
exits 0
whole
if active; then
  grep -o " $T/root/[^ ]*" /proc/self/mountinfo | sort -r | while read -r place; do umount "$place"; done
fi
run mydocker run /bin/true
exits 0
quiet
whole
nothing_left 'the mounts are off and a next command has run'

begin 'a directory mounted from outside over every directory of a live container is whole when it ends'
precious
start /bin/sh -c 'mkdir -p /a/b /c; echo ready; exec sleep 31442'
ready
if active; then
  id=$(containers)
  # The deepest first: what is mounted over a directory hides those below.
  find "$MYDOCKER_ROOT/containers/$id" -xdev -depth -type d >"$T/places"
  n=0
  while read -r place; do mount --bind "$T/precious" "$place" && n=$((n + 1)); done <"$T/places"
  if [ "$n" -lt 3 ]; then fail 'expected to mount over three places at least' "$(<"$T/places")"; fi
  # Its lock is hidden by the mount now: that makes it no dead one.
  run mydocker run /bin/true
  exits 0
  running 31442 || fail 'another command swept a container that runs'
  kill -9 $(host_pid 31442) || kill -9 "$pid"
fi
finish
exits 137
whole
run mydocker run /bin/true
exits 0
whole
if active; then tac "$T/places" | while read -r place; do umount "$place"; done; fi
run mydocker run /bin/true
exits 0
whole
nothing_left 'the mounts are off and a next command has run'

begin 'a directory mounted over the container'\''s own is whole after SIGKILL of mydocker and a sweep'
precious
start /bin/sh -c 'mkdir -p /a/b; echo ready; exec sleep 31443'
ready
if active; then
  id=$(containers)
  find "$MYDOCKER_ROOT/containers/$id" -xdev -depth -type d >"$T/places"
  while read -r place; do mount --bind "$T/precious" "$place"; done <"$T/places"
  kill -9 "$pid"
  eventually 5 stopped 31443 || fail 'the container lives'
fi
finish
run mydocker run /bin/true
exits 0
whole
if active; then tac "$T/places" | while read -r place; do umount "$place"; done; fi
run mydocker run /bin/true
exits 0
whole
nothing_left 'the mounts are off and a next command has run'

begin 'links in the container to what is outside are deleted, what they name is not'
precious
run mydocker run -v "$T/precious:/precious" /bin/sh -c "ln -s $T/precious /l1; ln -s /precious/deep /l2; mkdir /d; ln -s ../../../../../../..$T/precious /d/l3"
exits 0
whole
nothing_left 'links'

begin 'a volume is whole after the end, at whatever place it was'
precious
run mydocker run -v "$T/precious:/a/b/c" -v "$T/precious:/tmp" -v "$T/precious:/bin/x" --tmpfs /t /bin/sh -c 'mkdir /t/t; cd /a/b/c; rm -rf /a/b 2>/dev/null; test -d /a/b/c'
exits 0
# `rm -rf /a/b` inside does delete what the volume holds: it is the container's own act. So the volume is made again.
precious
run mydocker run -v "$T/precious:/a/b/c:ro" -v "$T/precious:/tmp:ro" /bin/sh -c 'rm -rf /a /tmp/* 2>/dev/null; exit 0'
exits 0
whole
nothing_left 'volumes'

# --- what is hard to remove -------------------------------------------------------------------------------------

begin 'a tree 5000 levels deep is removed'
LIMIT=200 run mydocker run /bin/sh -c 'p=$(yes d | head -n 500 | tr "\n" /); for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p $p && cd -P $p 2>/dev/null || exit 1; done; echo made'
exits 0
prints made
quiet
nothing_left 'a deep tree'

begin 'a directory of 20000 files is removed'
LIMIT=200 run mydocker run /bin/sh -c 'mkdir /w; cd /w; for i in $(seq 20000); do : >f$i; done; echo made'
exits 0
prints made
nothing_left 'a wide tree'

begin 'what the container made unreadable, sticky or odd is removed'
run mydocker run /bin/sh -c 'mkdir -p /a/b /c; echo >/a/b/f; chmod 000 /a/b/f /a/b /a; chmod 1000 /c; mkfifo /p; mknod /n c 1 3; ln -s / /l; ln -s . /s
  : >"$(printf "new\nline")"; : >"$(printf "\001\377 x")"; mkdir -- "-rf"; : >/.hidden; rm /bin/ls; rm -rf /home; mkdir /home; mv /var /war 2>/dev/null; chown 1000:1000 /c'
exits 0
nothing_left 'odd files'

begin 'what an ordinary user inside made is removed'
run mydocker run -u 1000:1000 /bin/sh -c 'mkdir -p /tmp/a/b; echo >/tmp/a/b/f; chmod 000 /tmp/a/b /tmp/a'
exits 0
nothing_left 'a user'\''s files'

begin 'what cannot be removed is said, and removed by a later command when it can be'
start /bin/sh -c 'mkdir /keep; echo x >/keep/still; echo ready; exec sleep 31444'
ready
if active; then
  file=$(find "$MYDOCKER_ROOT/containers" -name still)
  chattr +i "$file" 2>/dev/null || skip 'this file system has no immutable files'
fi
if active; then
  kill -9 $(host_pid 31444)
  finish
  exits 137
  if [ -e "$file" ]; then
    case $err in *still* | *keep* | *containers/*) ;; *) fail 'expected a word about what could not be removed' "$(came)" ;; esac
    chattr -i "$file"
    run mydocker run /bin/true
    exits 0
  fi
  nothing_left 'an immutable file'
else
  [ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
fi

begin 'the background processes of a --pid host container end with it'
run mydocker run --pid host -m 32m /bin/sh -c 'sleep 31445 & (sleep 31445 & ) ; exit 6'
exits 6
if active; then eventually 5 stopped 31445 || fail 'a background process lives' "$(host_pid 31445)"; fi
nothing_left '--pid host'

begin 'processes that fork as fast as they can end with the container'
start --pid host --pids-limit 100 /bin/sh -c 'f() { sleep 31446 & f; }; echo ready; (f) 2>/dev/null & sleep 0.5; exit 5'
finish 60
exits 5
if active; then eventually 5 stopped 31446 || fail 'a background process lives'; fi
nothing_left 'a fork storm'

begin 'a process that holds a file of the container open does not keep it from being removed'
run mydocker run /bin/sh -c 'exec 9>/open; sleep 31447 & exit 0'
exits 0
nothing_left 'an open file'

begin 'a foreign file in containers/ is left alone'
mkdir -p "$MYDOCKER_ROOT/containers"
echo mine >"$MYDOCKER_ROOT/containers/README"
run mydocker run /bin/true
exits 0
same mine "$(cat "$MYDOCKER_ROOT/containers/README" 2>/dev/null)" 'the file'
rm -f "$MYDOCKER_ROOT/containers/README"

rm -rf --one-file-system "$T/precious" "$T/vol"
