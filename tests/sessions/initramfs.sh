# mydocker as an appliance has it: the root is the initramfs itself, nothing but busybox, cgroup v2, no disk.
# The machine is emulated; it is booted once, and each `guest` line is typed into it.
. "$TESTS/initramfs/guest.sh"
guest_boot

begin 'the guest is what this session is about: a root that cannot be pivoted, and cgroup v2'
  in_guest
  run guest 'cut -d " " -f 5,9 /proc/self/mountinfo | head -n 1'
  prints '/ rootfs'
  run guest 'unshare -m sh -c "mkdir /p && mount -t tmpfs p /p && mkdir /p/old && cd /p && pivot_root . old"; rmdir /p'
  says 'Invalid argument'
  run guest 'cat /sys/fs/cgroup/cgroup.controllers'
  contains cpuset; contains cpu; contains memory; contains pids
  run guest "$guest_snapshot"
  before=$out

begin 'the session: a command, and its volume afterwards'
  in_guest
  run guest "mydocker run -v /volume:/tmp /bin/sh -c 'echo KubeExplorer > tmp/hello.txt ; ls /tmp ; cat /tmp/hello.txt'"
  exits 0; prints $'hello.txt\nKubeExplorer'
  run guest 'ls -A /volume; cat /volume/hello.txt'
  prints $'hello.txt\nKubeExplorer'
  run guest "mydocker run -v /volume:/tmp /bin/sh -c 'cat /tmp/hello.txt ; echo KubeExplorer222 > /tmp/hello.txt'"
  exits 0; prints 'KubeExplorer'; quiet
  run guest 'cat /volume/hello.txt'
  prints 'KubeExplorer222'

begin 'standard input goes in, both outputs come out'
  in_guest
  run guest "echo to the container | mydocker run -i /bin/sh -c 'cat; echo aside >&2'"
  exits 0; prints 'to the container'; same aside "$err" 'standard error'

begin 'exit codes: of the command, of a signal, not found, not executable, wrongly asked'
  in_guest
  run guest "mydocker run /bin/sh -c 'exit 7'"; exits 7; quiet
  run guest "mydocker run /bin/sh -c 'kill -9 \$\$; sleep 1'"; exits 0
  run guest "mydocker run --init /bin/sh -c 'kill -TERM \$\$'"; exits 143
  run guest 'mydocker run /no/such/program'; exits 127; one_line; says /no/such/program
  run guest 'mydocker run /etc'; exits 126; one_line; says /etc
  run guest 'mydocker run -v a:b:c:d /bin/true'; exits 125; one_line; says a:b:c:d

begin 'the container sees its image, and nothing of the initramfs'
  in_guest
  run guest 'ls /; mydocker run /bin/ls /'
  contains init
  run guest 'mydocker run /bin/ls /'
  exits 0; lacks init; lacks lib; prints_line bin; prints_line proc; prints_line dev
  run guest 'mydocker run /bin/cat /proc/self/mountinfo'
  exits 0; lacks devtmpfs
  # Files of the initramfs may be mounted (those of the store in /etc, volumes), its root nowhere.
  refuse grep -q '^[0-9]* [0-9]* [0-9:]* / .* - rootfs ' "$T/out"
  # Since Linux 6.8 the lines are in the order of the mounts' ids.
  same overlay "$(sed -n 's/^[0-9]* [0-9]* [0-9:]* [^ ]* \/ .* - \([^ ]*\) .*/\1/p' "$T/out")" 'the file system of /'
  run guest "mydocker run /bin/sh -c 'ls -di / /.. /proc/1/root/. /proc/1/root/.. /proc/self/root/../.. | cut -d / -f 1 | sort -u | wc -l'"
  prints 1
  run guest "mydocker run /bin/sh -c 'readlink /proc/1/root; readlink /proc/1/cwd; cd ../../../..; pwd'"
  prints $'/\n/\n/'

begin 'no way up leads out of the moved root'
  in_guest escape
  run guest 'touch /mark; mydocker run -v /bin/escape:/escape:ro /escape /mark'
  stays_inside

begin 'the same program does find its way out of a mere chroot'
  in_guest escape
  run guest 'mkdir -p /jail/tmp /jail/proc; cp /bin/escape /jail; mount -t proc proc /jail/proc
    chroot /jail /escape /mark | head -n 3; umount /jail/proc && rm -r /jail'
  prints_line 'plain: inside'; prints_line 'chroot: OUT'; prints_line 'descriptor: OUT'

begin 'without CAP_SYS_ADMIN the root cannot be taken away'
  in_guest escape
  run guest "mydocker run /bin/sh -c 'grep CapEff /proc/self/status'"
  if active && (((0x${out##*[[:space:]]} >> 21) & 1)); then
    skip 'a container still has CAP_SYS_ADMIN'
  fi
  run guest 'mydocker run -v /bin/escape:/escape:ro /escape /mark'
  exits 0; prints_line 'umount: EPERM'; lacks OUT

begin 'in a chroot there is more above than the first mount: no way out to that either, or a refusal'
  in_guest escape
  run guest 'touch /mark; echo $?'
  prints 0
  run guest_jail mydocker run -v /bin/escape:/escape:ro /escape /mark
  if [ "$code" = 125 ]; then one_line; prints ''; else stays_inside; fi

begin 'no descriptor of ours is open inside'
  in_guest
  run guest 'exec 8</ 9</root; mydocker run /bin/sh -c "ls /proc/1/fd; :"'
  exits 0; prints $'0\n1\n2'

begin 'limits are in force while it runs: read back from outside'
  in_guest
  run guest 'mydocker run -m 32m --memory-swap 48m --cpus 0.5 --cpuset-cpus 1 --pids-limit 20 -v /volume:/tmp \
      /bin/sh -c "echo \$\$ >/tmp/up; nproc; cat /proc/self/cgroup; exec sleep 1234" >/run/out 2>&1 &
    pid=$(await sleep)
    cgroup=/sys/fs/cgroup$(cut -d : -f 3 /proc/$pid/cgroup)
    for file in memory.max memory.swap.max cpu.max cpuset.cpus.effective pids.max; do echo "$file $(cat $cgroup/$file)"; done
    echo "processes $(wc -l <$cgroup/cgroup.procs)"
    kill -9 $pid; wait $!; echo "exit $?"; cat /run/out; test -d $cgroup || echo removed'
  prints_line 'memory.max 33554432'
  prints_line 'memory.swap.max 16777216'
  prints_line 'cpu.max 50000 100000'
  prints_line 'cpuset.cpus.effective 1'
  prints_line 'pids.max 20'
  prints_line 'processes 1'
  prints_line 'exit 137'
  prints_line removed
  # Inside: one CPU, and the container's cgroup is the root of what it sees.
  prints_line 1; prints_line 0::/

begin 'more memory than the limit: killed, 137'
  in_guest
  run guest 'mydocker run -m 16m --memory-swap 16m /bin/tail /dev/zero'
  exits 137
  run guest 'mydocker run -m 16m --memory-swap 16m /bin/echo and the next one is well'
  exits 0; prints 'and the next one is well'

begin 'what a container writes to its root is memory here, and counts'
  in_guest
  run guest 'mydocker run -m 16m --memory-swap 16m /bin/dd if=/dev/zero of=/big bs=1M count=64'
  exits 137

begin 'more processes than the limit: fork fails inside, and only there'
  in_guest
  run guest "mydocker run --pids-limit 1 /bin/sh -c 'true & echo went on'"
  lacks 'went on'; says "can't fork"
  run guest "mydocker run --pids-limit 1 /bin/echo one is enough"
  exits 0; prints 'one is enough'

begin 'a terminal'
  in_guest pty
  run guest "printf '%s\n' 'expect / # ' 'send tty; echo \$((6*7)); exit 5\\n' wait | pty -- mydocker run -it /bin/sh"
  exits 5; contains /dev/; contains 42

begin 'mydocker killed: its container goes along, and the next one sweeps'
  in_guest
  run guest 'mydocker run -v /volume:/tmp /bin/sleep 4321 & pid=$(await sleep)
    kill -9 $!; wait $!; for try in $(seq 100); do pidof sleep >/dev/null || break; usleep 100000; done
    pidof sleep || echo gone; mydocker run /bin/true; echo $?; cat /volume/hello.txt'
  prints $'gone\n0\nKubeExplorer222'

begin 'nothing is left of all this but the volume'
  in_guest
  run guest 'rm /mark /run/out'
  run guest "$guest_snapshot"
  # The kernel takes namespaces apart a little after their last process.
  for try in 1 2 3; do if [ "$before" != "$out" ]; then sleep 0.3; run guest "$guest_snapshot"; fi; done
  if active && [ "$before" != "$out" ]; then
    fail 'expected nothing new (>) and nothing gone (<):' "$(diff <(echo "$before") <(echo "$out") | grep '^[<>]')"
  fi
  run guest 'ls -A /volume'
  prints $'hello.txt\nup'
guest_halt

begin 'what the initramfs cannot be made of is said in one line'
  if [ "$guest_why" != "$guest_halted" ]; then skip "$guest_why"; fi
  export OUT=$T/none
  run env MODULES=nosuch "$TESTS/initramfs/build"
  exits 1; prints ''; says 'has no module nosuch'; same 1 "$(wc -l <"$T/err")" 'the number of lines'
  run env BUSYBOX=/bin/bash "$TESTS/initramfs/build"
  exits 1; prints ''; says 'not static'
  run env MYDOCKER="$T/nothing" "$TESTS/initramfs/build"
  exits 1; says 'run make first'
  refuse test -e "$OUT"
  unset OUT

begin 'the second time needs no network, and modules come after those they depend on'
  if [ "$guest_why" != "$guest_halted" ]; then skip "$guest_why"; fi
  run unshare -n env OUT="$T/more.cpio" MODULES='overlay bridge' "$TESTS/initramfs/build"
  exits 0; quiet; contains 'overlay.ko llc.ko stp.ko bridge.ko'

begin 'make initramfs: the image boots where its last line says, to a shell that can run containers'
  if [ "$guest_why" != "$guest_halted" ]; then skip "$guest_why"; else need_pty; fi
  run env OUT="$T/initramfs.cpio.gz" "$TESTS/initramfs/build"
  exits 0; quiet
  for part in mydocker busybox busybox.tar 'kernel modules' init initramfs.cpio.gz; do contains "  $part "; done
  try=$(sed -n 's/^try: *//p' "$T/out")
  # The emulated machine needs its time before the terminal says anything.
  feed "sleep 2000
patience 60
expect mydocker run
expect #
send mydocker run -it -v /root/volume:/tmp /bin/sh\\n
expect / #
send echo \$((6*7)) > tmp/answer ; exit\\n
expect #
send cat /root/volume/answer ; exit\\n
expect 42
wait
"
  LIMIT=90 run "$PTY" -- sh -c "exec $try"
  exits 0; contains 'Power down'
