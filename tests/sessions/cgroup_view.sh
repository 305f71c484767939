# What a container sees below /sys/fs/cgroup: its own cgroup and no other, and nothing to write to.
. "$TESTS/tools/host.sh"
. "$TESTS/tools/cgroup_hosts.sh"
"$MYDOCKER" run /bin/true

# at PATH: a script that prints how that is mounted, and what of the hierarchy is its root.
at() { echo "awk '\$5 == \"$1\" { for (i = 7; \$i != \"-\"; i++); print \$4, \$6, \$(i+1) }' /proc/self/mountinfo"; }

begin 'version 1: no cgroup is made that would do nothing'
  has v1
  run mydocker run --explain /bin/true
  lacks /pids/; lacks /cpuset/
  run mydocker run --explain --pids-limit 9 /bin/true
  if [ -e /sys/fs/cgroup/pids/tasks ]; then contains /sys/fs/cgroup/pids/mydocker-; fi

begin 'version 2: the cgroup itself, read-only, with its limit where a runtime looks for it'
  has v2
  run on v2 "$MYDOCKER" run /bin/sh -c "grep ^0 /proc/self/cgroup; $(at /sys/fs/cgroup); grep -cx 1 /sys/fs/cgroup/cgroup.procs; cd /sys/fs/cgroup && find . -mindepth 1 -type d"
  prints $'0::/\n/ ro,nosuid,nodev,noexec,relatime cgroup2\n1'

begin 'version 1: those that have a limit, each read-only, with the limit'
  has v1
  if [ "$(stat -f -c %T /sys/fs/cgroup/memory 2>/dev/null)" != cgroupfs ]; then skip 'no memory controller of version 1'; fi
  run mydocker run -m 64m /bin/sh -c "$(at /sys/fs/cgroup); $(at /sys/fs/cgroup/memory); ls /sys/fs/cgroup; cat /sys/fs/cgroup/memory/memory.limit_in_bytes; grep -cx 1 /sys/fs/cgroup/memory/tasks"
  exits 0; quiet
  prints $'/cgroup ro,nosuid,nodev,noexec,relatime tmpfs\n/ ro,nosuid,nodev,noexec,relatime cgroup\nmemory\n67108864\n1'
  run mydocker run -m 64m --cpus 0.5 --pids-limit 9 --read-only /bin/sh -c 'cd /sys/fs/cgroup; ls; cat cpu/cpu.cfs_quota_us pids/pids.max'
  exits 0; prints $'cpu\nmemory\npids\n50000\n9'
  run mydocker run /bin/ls -A /sys/fs/cgroup
  exits 0; prints ''

# CVE-2022-0492 needs a release_agent, which is in a hierarchy's root; a limit that can be raised is none.
for host in v1 v2; do
  begin "version ${host#v}: nothing in it can be written, made or removed, by no way in; there is no release_agent"
    has $host
    # (No limit on the emulated host: it has the controllers on version 1.)
    flags=; if [ $host = v1 ]; then flags='-m 64m --pids-limit 20'; fi
    run on $host "$MYDOCKER" run $flags /bin/sh -c 'cd /sys/fs/cgroup && find . -type f | wc -l
      find . -name release_agent
      for file in $(find . -type f); do (echo 1 >$file) 2>/dev/null && echo "wrote $file"; done
      for dir in $(find . -type d); do mkdir $dir/new 2>/dev/null && echo "made $dir/new"; rmdir $dir 2>/dev/null && echo "removed $dir"; done
      mount -o remount,rw,bind . 2>/dev/null && echo remounted
      ls .. | wc -l; ls -d ../cgroup/*mydocker* 2>/dev/null'
    lacks wrote; lacks made; lacks removed; lacks remounted; lacks release_agent; lacks mydocker
    refuse test "$(head -n 1 "$T/out")" -lt 10
    same 2 "$(wc -l <"$T/out")" 'the lines'

  begin "version ${host#v}: --privileged may write"
    has $host
    flags=; if [ $host = v1 ]; then flags='-m 64m'; fi
    run on $host "$MYDOCKER" run --privileged $flags /bin/sh -c 'cd /sys/fs/cgroup && if [ -e memory ]; then cd memory; fi; mkdir new && rmdir new && echo 0 >tasks 2>/dev/null || echo 0 >cgroup.procs && echo written'
    exits 0; prints written

  begin "version ${host#v}: a volume may lie over it; nothing of it is left on the host"
    has $host
    mkdir -p h && echo x >h/file
    run on $host "$MYDOCKER" run -v ./h:/sys/fs/cgroup /bin/ls /sys/fs/cgroup
    exits 0; prints file
    rm -rf h

  begin "version ${host#v}: in a user namespace, with a terminal, without new calls"
    has $host
    flags=; if [ $host = v1 ]; then flags='-m 64m'; fi
    run on $host "$MYDOCKER" run $flags --userns 100000:100000:65536 /bin/sh -c 'grep -cx 1 $(find /sys/fs/cgroup -name cgroup.procs); (echo 0 >$(find /sys/fs/cgroup -name cgroup.procs)) 2>/dev/null || echo refused'
    if [[ $err != *idmapped* ]]; then exits 0; prints $'1\nrefused'; fi
    need strace || continue
    calls=clone3,fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
    run on $host strace -f -qq -o trace -e "trace=$calls" -e "inject=$calls:error=ENOSYS" "$MYDOCKER" run /bin/sh -c "$(at /sys/fs/cgroup)"
    exits 0
    if [ $host = v2 ]; then prints '/ ro,nosuid,nodev,noexec,relatime cgroup2'; else prints ''; fi
done
