# Known holes of container runtimes, each tried: the process, its descriptors, its terminal, its privileges.
# docs/security.md lists them with what each test shows without the fix.
. "$TESTS/tools/host.sh"

tool holes && cp "$tool_path" holes
umask 022
# fresh: a directory image with the tool; the host's canary beside it.
fresh() {
  rm -rf --one-file-system tree canary
  mkdir tree canary
  tar -C tree -xf busybox.tar
  cp holes tree/bin/holes
  echo canary >canary/file
}
fresh
on_terminal() { # SCRIPT COMMAND...: on a new terminal, which plays the script.
  local script=$1
  shift
  feed "$script"$'\n'
  run "$PTY" "$@"
}
with() { "$MYDOCKER" run --help | grep -q -e "$1"; }

# --- our own binary -------------------------------------------------------------------------------------------------

# ours PID: opens the program of a process for writing. What holds has to be more than that it is being executed just now
# (ETXTBSY): an attacker keeps a descriptor and waits for its end. So: another file than ours, or one that cannot be written.
ours() {
  local here there said
  here=$(stat -L -c %d:%i "$MYDOCKER")
  there=$(stat -L -c %d:%i "/proc/$1/exe" 2>/dev/null) || return 0
  [ "$here" = "$there" ] || return 0
  said=$("$T/holes" write "/proc/$1/exe")
  case $said in
    EROFS | EPERM | EACCES | ENOENT) ;;
    *) fail "our own binary is what runs as process $1, and opening it for writing is held up by nothing but: $said" ;;
  esac
}
# The container's processes, seen from outside.
inside() { cat /sys/fs/cgroup/{,pids/,memory/,unified/}"$1"/cgroup.procs 2>/dev/null | sort -u; }

for way in script link; do
  begin "CVE-2019-5736: an image whose command is a $way to /proc/self/exe, which is our own binary"
    fresh
    before=$(sha256sum <"$MYDOCKER")
    if [ "$way" = link ]; then ln -s /proc/self/exe tree/cmd; else printf '#!/proc/self/exe run\n' >tree/cmd; chmod 755 tree/cmd; fi
    # What runs inside is mydocker, which wants to import an image into a store whose lock we hold: so it lives while we look.
    cp busybox.tar tree/busybox.tar
    mkdir -p store.d/layers
    exec 8<store.d/layers
    flock 8
    words=(run true)
    if [ "$way" = script ]; then words=(); fi
    start -v ./store.d:/var/lib/mydocker ./tree /cmd "${words[@]}"
    waits() { gone "$pid" || { for one in $(pgrep -P "$pid"); do cat "/proc/$one/syscall"; done 2>/dev/null | grep -q "^73 "; }; }
    eventually 5 waits
    for one in $(pgrep -P "$pid"); do ours "$one"; done
    kill -9 $(pgrep -P "$pid") 2>/dev/null
    finish
    same "$before" "$(sha256sum <"$MYDOCKER")" 'our binary'
    exec 8<&-
    rm -rf store.d
done

begin 'CVE-2019-5736: --init, whose process 1 is ours'
  fresh
  before=$(sha256sum <"$MYDOCKER")
  start --init ./tree /bin/sh -c 'echo ready; holes write /proc/1/exe; sleep 1'
  ready
  for one in $(pgrep -P "$pid"); do ours "$one"; done
  finish
  exits 0
  if active && grep -qE '^(ok|ETXTBSY)$' "$T/out"; then fail 'from inside' "$out"; fi
  same "$before" "$(sha256sum <"$MYDOCKER")" 'our binary'

begin 'the same by a dynamic loader: we have none, and load nothing from the image'
  run perl -e 'open my $file, "<", $ARGV[0] or die; binmode $file; read $file, my $head, 64; my ($at, $size, $count) = (unpack("Q", substr $head, 32, 8), unpack("S", substr $head, 54, 2), unpack("S", substr $head, 56, 2));
    for my $i (0 .. $count - 1) { seek $file, $at + $i * $size, 0; read $file, my $header, $size; my $type = unpack "L", $header; print "segment of type $type\n" if $type == 2 || $type == 3 }' "$MYDOCKER"
  exits 0; prints ''
  mkdir -p tree/lib tree/etc
  printf '/lib/evil.so\n' >tree/etc/ld.so.preload
  mkfifo tree/lib/evil.so tree/etc/nsswitch.conf tree/etc/localtime
  LIMIT=10 run mydocker run -e LD_PRELOAD=/lib/evil.so -u app ./tree true
  exits 0; quiet

# --- descriptors and the working directory ----------------------------------------------------------------------------

begin 'CVE-2024-21626: -w /proc/self/fd/N, and links of the image to there, for every N that could be one of ours'
  fresh
  for n in {0..40} 100 255 1023; do ln -s "/proc/self/fd/$n" "tree/fd$n"; done
  for n in {0..31} 100; do
    for dir in "/proc/self/fd/$n" "/fd$n"; do
      run bash -c 'exec 9<. 100<.; exec "$@"' sh "$MYDOCKER" run -w "$dir" ./tree /bin/sh -c 'pwd; /bin/cat ../../../../../../../../canary/file canary/file'
      lacks canary
      if active && [ "$code" = 0 ]; then fail "-w $dir was entered" "$out"; fi
      if active && [ "$code" = 125 ]; then one_line; fi
    done
  done

begin 'CVE-2024-21626: no descriptor of ours or of the caller is left, however many he has'
  fresh
  for flags in '' --init '-u app' '--read-only' '-i'; do
    run bash -c 'ulimit -n 2048; exec 3<canary 7>canary/new 9<canary/file 100<canary 254<. 1023<canary; exec "$@"' sh \
      "$MYDOCKER" run $flags -v ./canary:/v -m 64m ./tree /bin/sh -c 'for f in /proc/self/fd/* /proc/1/fd/*; do echo "${f##*/} $(readlink $f)"; done'
    exits 0
    # sh holds one for the pattern; what matters is where each leads.
    lacks "$T"; lacks canary; lacks 'anon_inode:'; lacks /sys/fs/cgroup; lacks socket:
  done

begin 'the same without close_range'
  need strace
  run strace -f -qq -o /dev/null -e trace=close_range -e inject=close_range:error=ENOSYS bash -c 'exec 3<canary 100<canary; exec "$@"' sh \
    "$MYDOCKER" run ./tree /bin/sh -c 'for f in /proc/1/fd/*; do echo "${f##*/} $(readlink $f)"; done'
  exits 0; lacks "$T"; lacks canary; lacks 'anon_inode:'; lacks socket:

begin "the null device: not the host's, whose mode and owner the container's root could change for all"
  # One of our own stands for it, so that the test harms nobody if it fails.
  mknod -m 666 null c 1 3
  run sh -c '"$1" run busybox chmod 600 /proc/self/fd/1 >null; "$1" run -i busybox chown 5:5 /proc/self/fd/0 <null; "$1" run busybox chmod 600 /proc/self/fd/2 2>null' sh "$MYDOCKER"
  exits 0
  same '666 0:0' "$(stat -c '%a %u:%g' null)" "the node's mode and owner"
  rm null

# --- the process before its command ------------------------------------------------------------------------------------

begin "CVE-2016-9962: a container that sees the host's processes gets at none of ours before its command runs"
  need strace
  fresh
  # execve is held up for 300 ms, when all privileges are dropped and the host's descriptors are still there.
  start --pid host ./tree /bin/holes snoop 4
  ready
  for _ in 1 2 3; do
    strace -f -qq -o /dev/null -e trace=execve -e inject=execve:delay_enter=300000 "$MYDOCKER" run -v ./canary:/v ./tree /bin/true
  done
  finish
  exits 0
  prints_line 'looked: yes'
  lacks "got: $MYDOCKER"

begin 'CVE-2022-29162: nothing is inherited, whatever the caller has in his inheritable and ambient sets'
  need setpriv
  run setpriv --inh-caps +sys_admin,+net_admin --ambient-caps +sys_admin,+net_admin "$MYDOCKER" run busybox grep -E '^Cap(Inh|Amb)' /proc/self/status
  exits 0
  prints $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
  run setpriv --inh-caps +sys_admin,+net_admin --ambient-caps +sys_admin,+net_admin "$MYDOCKER" run -u app busybox grep -E '^Cap(Inh|Amb|Eff|Prm)' /proc/self/status
  exits 0
  prints $'CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000'

begin 'CVE-2022-2995: a file that only members of a group may not read'
  need setpriv
  fresh
  mkdir -m 755 vol; echo secret >vol/denied; chown 0:4 vol/denied; chmod 0604 vol/denied
  echo members >vol/members; chown 0:4 vol/members; chmod 0640 vol/members
  run setpriv --groups 4,24 "$MYDOCKER" run -u app -v ./vol:/vol busybox sh -c 'id -G; cat /vol/members; cat /vol/denied'
  prints $'1000 2000\nsecret'; says 'Permission denied'
  rm -rf vol

# --- the terminal -------------------------------------------------------------------------------------------------------

begin "CVE-2017-5226: what is typed into the terminal by TIOCSTI stays inside"
  if need_pty; then
    fresh
    : >canary/typed
    # With -t: into its own. The shell outside reads what is left in the host's terminal after the container.
    on_terminal 'wait' sh -c '"$1" run -it ./tree /bin/holes type "echo hole >canary/typed
"; exec </dev/tty; stty -icanon min 0 time 5; cat >canary/left' sh "$MYDOCKER"
    same '' "$(cat canary/typed canary/left)" 'what came to the terminal outside'
    if active && grep -q 'ETXTBSY' "$T/out"; then fail 'the tool'; fi
    # Without -t there is no terminal.
    on_terminal 'wait' sh -c '"$1" run -i ./tree /bin/holes type x; "$1" run ./tree /bin/holes type x; "$1" run -i ./tree /bin/sh -c "for n in 0 1 2; do /bin/holes type x <&\$n; done; /bin/holes type x </dev/tty"' sh "$MYDOCKER"
    lacks ok
    contains ENOTTY
  fi

begin "TIOCLINUX: a console is not passed on, with -t or without"
  if [ ! -c /dev/tty1 ] || ! { : <>/dev/tty1; } 2>/dev/null; then
    skip 'there is no console'
  else
    fresh
    run sh -c '"$1" run -i ./tree /bin/holes console </dev/tty1 2>/dev/tty1; "$1" run ./tree /bin/sh -c "/bin/holes console <&1; /bin/holes console <&2" 2>/dev/tty1' sh "$MYDOCKER"
    prints $'ENOTTY\nENOTTY\nENOTTY'
    # On the host it does answer: the test would notice.
    run sh -c './holes console </dev/tty1'
    if [ "$out" != ok ]; then skip "TIOCLINUX does not even answer on the host: $out"; fi
  fi

# --- what a namespace does not hide --------------------------------------------------------------------------------------

begin 'CVE-2020-15257: an abstract socket of the host is not there'
  fresh
  ./holes listen "hole-$$" >listening &
  listener=$!
  eventually 5 grep -q ready listening
  run ./holes connect "hole-$$"; prints ok
  run mydocker run ./tree /bin/holes connect "hole-$$"
  exits 0; prints ECONNREFUSED
  # With the host's network it is there, as in docker.
  run mydocker run --net host ./tree /bin/holes connect "hole-$$"
  exits 0; prints ok
  kill "$listener"; wait "$listener" 2>/dev/null

begin "the session keyring is not the caller's"
  fresh
  run ./holes session
  theirs=$out
  run mydocker run ./tree /bin/holes session
  if active && [ "$out" = "$theirs" ]; then fail "the keyring inside is the caller's" "$out"; fi
  if with seccomp; then
    run mydocker run --security-opt seccomp=unconfined ./tree /bin/holes session
    if active && [ "$out" = "$theirs" ]; then fail "the keyring inside is the caller's, without the filter" "$out"; fi
  fi

begin 'CVE-2022-0492: no way to a release_agent: no cgroup mount, no user namespace, nothing writable'
  fresh
  run mydocker run ./tree /bin/sh -c 'mkdir /x; mount -t cgroup -o rdma cgroup /x; mount -t cgroup2 none /x; mount -t cgroup -o memory none /x; unshare -Urm true; unshare -U true; unshare -m true; find / -name release_agent 2>/dev/null | while read -r f; do holes write "$f"; done; grep -c " /x " /proc/self/mounts'
  lacks ok
  prints_line 0
  same 6 "$(grep -ciE "^(mount|unshare): .*(not permitted|permission denied)" "$T/err")" 'the refusals'

begin 'mount, umount and remount: none'
  fresh
  mkdir -p vol
  run mydocker run -v ./vol:/vol:ro ./tree /bin/sh -c 'mkdir -p /x; mount -t tmpfs none /x && echo tmpfs; mount -t proc none /x && echo proc; mount -o bind / /x && echo bind; mount -o remount,rw /vol && echo remounted; mount -o remount,rw /sys && echo sys; umount /proc/keys && echo unmasked; umount /proc/sys && echo proc-sys; touch /vol/new && echo written'
  prints ''
  same '' "$(ls -A vol)" 'the volume'
  rm -rf vol
