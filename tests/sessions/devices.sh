# Which devices a container may use: docker's list, but for the host's console and the maker of network interfaces.
. "$TESTS/tools/host.sh"
. "$TESTS/tools/cgroup_hosts.sh"

# A block device that the host's root can open, or nothing would be shown by a container that can't: the largest disk,
# or a loop device where an outer rule forbids that.
for disk in $(awk 'NR > 2 { print $3, $1 ":" $2 }' /proc/partitions | sort -rn | cut -d ' ' -f 2) 7:0 7:1; do
  major=${disk%:*} minor=${disk#*:}
  rm -f disk && mknod disk b "$major" "$minor" && (: <disk) 2>/dev/null && break
  disk=
done
rm -f disk
"$MYDOCKER" run /bin/true

# use: a script that makes nodes and opens them.
use='node() { rm -f /tmp/node; mknod /tmp/node "$@" && (: </tmp/node) 2>&1 && echo "$* opened"; }'

for host in v1 v2; do
  begin "cgroup $host: the host's disk can be given a node, but not be read or written"
    has $host
    if [ -z "$disk" ]; then skip 'no block device that even the host could open'; fi
    run on $host "$MYDOCKER" run /bin/sh -c "mknod /disk b $major $minor && ls /disk; (: </disk); (: >/disk)"
    refuse test "$code" = 0
    prints /disk
    same 2 "$(grep -c 'Operation not permitted' "$T/err")" 'refusals'
    # The test itself: so it is opened where it may be.
    run on $host "$MYDOCKER" run --privileged /bin/sh -c "mknod /disk b $major $minor && : </disk"
    exits 0; quiet

  begin "cgroup $host: nor memory, the kernel's log, the host's console, network interfaces, FUSE, loops, KVM, terminals"
    has $host
    run on $host "$MYDOCKER" run /bin/sh -c "mkdir -p /tmp; $use; node c 1 1; node c 1 2; node c 1 11; node c 5 1; node c 10 200
      node c 10 229; node c 10 232; node c 10 237; node c 4 0; node b 7 0; node c 10 1; node b 1 3"
    lacks opened
    same 12 "$(grep -c 'Operation not permitted' "$T/out")" 'refusals'

  begin "cgroup $host: what every container has works, and so does a node of it made anew"
    has $host
    run on $host "$MYDOCKER" run /bin/sh -c "mkdir -p /tmp; $use
      echo x >/dev/null; head -c 2 /dev/zero | tr '\\0' z; head -c 3 /dev/random | wc -c; head -c 3 /dev/urandom | wc -c
      (echo x >/dev/full); : <>/dev/ptmx; (: </dev/tty); node c 1 3; node c 1 5; node c 1 9"
    exits 0; prints $'zz3\n3\nc 1 3 opened\nc 1 5 opened\nc 1 9 opened'
    says 'No space left on device'
    # No terminal, but it is the device that says so.
    says 'No such device or address'

  begin "cgroup $host: a node that a volume or the image has is of no use either"
    has $host
    mkdir -p nodes tree && mknod nodes/disk b "$major" "$minor" && mknod nodes/null c 1 3
    tar -C tree -xf busybox.tar && cp -a nodes tree/nodes
    run on $host "$MYDOCKER" run -v ./nodes:/mnt ./tree /bin/sh -c 'for at in mnt nodes; do echo x >/$at/null && echo $at; head -c 1 /$at/disk; done'
    prints $'mnt\nnodes'
    same 2 "$(grep -c 'Operation not permitted' "$T/err")" 'refusals'
    rm -rf nodes tree

  begin "cgroup $host: --userns: a volume's node is root's there too, and no way to the device"
    has $host
    if [ -z "$disk" ]; then skip 'no block device that even the host could open'; fi
    mkdir -p nodes && mknod nodes/disk b "$major" "$minor" && mknod -m 666 nodes/null c 1 3
    run on $host "$MYDOCKER" run --userns 100000:100000:65536 -v ./nodes:/mnt /bin/sh -c 'echo x >/mnt/null && echo written; : </mnt/disk'
    refuse test "$code" = 0
    if [[ $err != *idmapped* ]]; then prints written; says 'Operation not permitted'; fi
    rm -rf nodes

  begin "cgroup $host: the container cannot give itself more"
    has $host
    run on $host "$MYDOCKER" run /bin/sh -c 'for file in $(find / -xdev -name "devices.*") /sys/fs/cgroup/devices/devices.allow; do (echo a >$file) && echo $file; done; true'
    prints ''

  begin "cgroup $host: with a limit, a terminal, a user: they start as before"
    has $host
    need_pty
    run on $host "$PTY" "$MYDOCKER" run -it -u app /bin/sh -c 'echo to >/dev/tty; tty; echo $?'
    exits 0; contains to; contains /dev/pts/0
done

# --- --device

for host in v1 v2; do
  begin "cgroup $host: --device gives one device: at its own place, at another, for reading only"
    has $host
    if [ -z "$disk" ]; then skip 'no block device that even the host could open'; fi
    mkdir -p nodes && mknod -m 640 nodes/disk b "$major" "$minor" && chown 7:8 nodes/disk
    run on $host "$MYDOCKER" run --device "$T/nodes/disk:/dev/my/disk" /bin/sh -c 'stat -c "%F %t:%T %a %u:%g" /dev/my/disk; (: </dev/my/disk) && (: >>/dev/my/disk) && echo both'
    exits 0; quiet; prints "block special file $(printf '%x:%x' "$major" "$minor") 640 7:8"$'\nboth'
    run on $host "$MYDOCKER" run --device ./nodes/disk:/disk:r /bin/sh -c ': </disk && echo read; : >>/disk'
    exits 1; prints read; says 'Operation not permitted'
    run on $host "$MYDOCKER" run --device "$T/nodes/disk:r" --read-only -u 9:8 /bin/sh -c "(: <$T/nodes/disk) && echo read; : >>$T/nodes/disk"
    exits 1; prints read; says 'Permission denied'
    run on $host "$MYDOCKER" run --device "$T/nodes/disk:m" /bin/sh -c ": <$T/nodes/disk"
    exits 1; says 'Operation not permitted'

  begin "cgroup $host: --device of a directory gives the devices in it, and below"
    has $host
    if [ -z "$disk" ]; then skip 'no block device that even the host could open'; fi
    mkdir -p nodes/sub && mknod nodes/full c 1 7 && mknod nodes/sub/log b "$major" "$minor" && ln -s /dev/null nodes/link && echo x >nodes/file
    run on $host "$MYDOCKER" run --device "$T/nodes:/dev/all" /bin/sh -c 'cd /dev/all && find . ! -type d | sort; : <sub/log'
    exits 0; quiet; prints $'./disk\n./full\n./sub/log'
    rm -rf nodes

  begin "cgroup $host: --device-cgroup-rule allows what is made inside"
    has $host
    if [ -z "$disk" ]; then skip 'no block device that even the host could open'; fi
    for rule in "b $major:$minor r" "b $major:* rw" 'b *:* rwm' 'a *:* rwm'; do
      run on $host "$MYDOCKER" run --device-cgroup-rule "$rule" /bin/sh -c "mknod /disk b $major $minor && : </disk"
      exits 0; quiet
    done
    run on $host "$MYDOCKER" run --device-cgroup-rule "c $major:$minor rwm" --device-cgroup-rule "b 99:* rwm" /bin/sh -c "mknod /disk b $major $minor && : </disk"
    exits 1; says 'Operation not permitted'

  begin "cgroup $host: --privileged has the host's devices, and /proc and /sys as they are"
    has $host
    run on $host "$MYDOCKER" run --privileged /bin/sh -c 'for at in /sys /proc/sys /proc/sysrq-trigger; do awk -v at=$at "\$5 == at { print \$5, \$6 }" /proc/self/mountinfo; done
      cd /dev && find . \( -type c -o -type b \) | grep -v "^./pts/" | sort'
    exits 0
    prints "/sys rw,nosuid,nodev,noexec,relatime
$({ echo ./ptmx; cd /dev && find . -name pts -prune -o -name shm -prune -o -name mqueue -prune -o -name console -prune -o \( -type c -o -type b \) -print; } | grep -v '^./ptmx' | sort -u)"
    run on $host "$MYDOCKER" run --privileged /bin/sh -c 'head -c 1 /proc/keys | wc -c; ls /sys/firmware | wc -l; cat /proc/sys/vm/swappiness >/proc/sys/vm/swappiness && echo written'
    exits 0; contains written
done

begin 'in a user namespace --privileged binds the host'"'"'s devices, and whose they are decides'
  run mydocker run --privileged --userns 100000:100000:65536 /bin/sh -c 'stat -c %t:%T /dev/zero /dev/loop0 /dev/kmsg; : </dev/loop0'
  if [[ $err != *idmapped* ]]; then
    prints_line 1:5; refuse test "$code" = 0
    if [ -e /dev/loop0 ]; then prints_line 7:0; says 'Permission denied'; fi
  fi

begin 'words that --device and --device-cgroup-rule refuse'
  mkdir -p empty; echo x >file
  for word in "$T/none" "$T/file" "$T/empty" /dev/null:dev/null /dev/null:/x:q /dev/null:/x:rwmm /dev/null:/x:r:w /dev/null:/x: '' :/x; do
    run mydocker run --device "$word" /bin/true
    exits 125; one_line; says device; prints ''
  done
  for word in '' c 'c 1:3' '1:3 rwm' 'c 1:3 ' 'c 1:3 x' 'c 1:3 rwmr' 'c 1 rwm' 'c 1:3  rwm' 'd 1:3 rwm' 'c -1:3 rwm' 'c 1:99999999 rwm' 'c 1:3 rwm,b *:* rwm' 'ab 1:3 rwm'; do
    run mydocker run --device-cgroup-rule "$word" /bin/true
    exits 125; one_line; says device-cgroup-rule; prints ''
  done

begin '--device stays in the container: not through a link of the image, not in a volume'
  mkdir -p h tree && tar -C tree -xf busybox.tar && ln -s "$T/h" tree/link && ln -s /proc/self/fd tree/fds
  run mydocker run --device /dev/null:/link/x --device /dev/zero:/v/zero -v ./h:/v ./tree /bin/sh -c 'ls /v'
  exits 0; prints ''; same '' "$(ls -A h)" 'what was made on the host'
  run mydocker run --device /dev/null:/fds/x ./tree /bin/true
  exits 125; one_line
  rm -rf h tree

begin 'in a user namespace --device is bound'
  run mydocker run --userns 100000:100000:65536 --device /dev/zero:/dev/other /bin/sh -c 'stat -c %t:%T /dev/other; head -c 3 /dev/other | wc -c'
  if [[ $err != *idmapped* ]]; then exits 0; prints $'1:5\n3'; fi

begin 'without cgroups --privileged may still make and use every device'
  run on none "$MYDOCKER" run --privileged /bin/sh -c "mknod /disk b ${major:-7} ${minor:-0} && : </disk"
  exits 0; quiet

begin 'with clone3, pidfds and detached mounts missing: the same'
  need strace
  calls=clone3,fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
  for host in v1 v2; do
    has $host
    run on $host strace -f -qq -o trace -e "trace=$calls" -e "inject=$calls:error=ENOSYS" "$MYDOCKER" run /bin/sh -c "mknod /disk b $major $minor && head -c 1 /disk"
    exits 1; says 'Operation not permitted'
  done

# Where nothing can say which devices are allowed, there are none to be had: a stricter default than docker's, which fails.
# nothing COMMAND…: a host without cgroups. forbidden COMMAND…: one with cgroup v2 whose bpf(2) is not allowed.
nothing() { on none "$@"; }
forbidden() { on v2 strace -f -qq -o trace -e trace=bpf -e inject=bpf:error="$1" "${@:2}"; }
for host in nothing 'forbidden EPERM' 'forbidden EINVAL' 'forbidden ENOSYS'; do
  begin "$host: no node can be made, those that are there cannot be opened, /dev works"
    if [ "$host" != nothing ]; then need strace; has v2; fi
    mkdir -p nodes tree && mknod nodes/disk b "$major" "$minor" && mknod nodes/null c 1 3
    tar -C tree -xf busybox.tar && cp -a nodes tree/nodes
    run $host "$MYDOCKER" run -v ./nodes:/mnt ./tree /bin/sh -c "mkfifo /fifo && echo fifo; mknod /disk b $major $minor; mknod /dev/disk b $major $minor
      for file in /mnt/disk /nodes/disk /mnt/null /nodes/null; do head -c 1 \$file; done; echo x >/dev/null && head -c 2 /dev/zero | wc -c"
    exits 0; prints $'fifo\n2'
    same 2 "$(grep -c 'Operation not permitted' "$T/err")" 'nodes that were not made'
    same 4 "$(grep -c 'Permission denied' "$T/err")" 'nodes that were not opened'
    calls=fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
    if [ "$host" = nothing ] && need strace; then
      run nothing strace -f -qq -o trace -e "trace=$calls" -e "inject=$calls:error=ENOSYS" "$MYDOCKER" run -v ./nodes:/mnt ./tree /bin/sh -c '
        for file in /mnt/disk /nodes/disk /mnt/null /nodes/null; do head -c 1 $file; done; mknod /dev/disk b 7 0'
      same 4 "$(grep -c 'Permission denied' "$T/err")" 'nodes that were not opened by mount(2)'
      says 'Operation not permitted'
    fi
    rm -rf nodes tree

  begin "$host: --cap-add MKNOD is refused there"
    if [ "$host" != nothing ]; then need strace; has v2; fi
    run $host "$MYDOCKER" run --cap-add MKNOD /bin/true
    exits 125; one_line; says MKNOD; says --privileged

  begin "$host: --device works, rules and halves of access do not"
    if [ "$host" != nothing ]; then need strace; has v2; fi
    run $host "$MYDOCKER" run --device /dev/full:/dev/x /bin/sh -c 'head -c 2 /dev/x | wc -c'
    exits 0; prints 2
    run $host "$MYDOCKER" run --device /dev/full:/dev/x:r /bin/true
    exits 125; one_line; says 'c 1:7 r'
    run $host "$MYDOCKER" run --device-cgroup-rule 'b *:* rwm' /bin/true
    exits 125; one_line; says 'b *:* rwm'

  begin "$host: check says so, and that run works"
    if [ "$host" != nothing ]; then need strace; has v2; fi
    run $host "$MYDOCKER" check
    exits 0; contains $'\ndevices: no: '; contains 'only those of /dev'
done

begin 'check: where there are rules for devices'
  for host in v1 v2; do
    has $host
    run on $host "$MYDOCKER" check
    exits 0; contains $'\ndevices: ok: '
  done
