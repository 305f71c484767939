# User namespaces in the emulated machine: Debian's kernel, cgroup v2 that can be delegated, a disk with ext4.
. "$TESTS/initramfs/guest.sh"
mkdir "$T/machine"
# A machine of our own, since it has one module more.
guest_machine() { T_ALL=$T/machine MODULES='overlay loop' guest_boot; }
guest_machine && guest_switch_root && guest '
  dd if=/dev/zero of=/disk bs=1M count=64 2>/dev/null; losetup /dev/loop0 /disk; mke2fs /dev/loop0 >/dev/null
  mkdir /srv; mount -t ext4 /dev/loop0 /srv; chmod 755 / /srv; mkdir /srv/app /srv/root
  mv /root/busybox.tar /srv/app; chmod 644 /srv/app/busybox.tar; chown 1000:1000 /srv/app
  echo app:x:1000:1000::/srv/app:/bin/sh >>/etc/passwd; echo app:x:1000: >>/etc/group
  mount --make-rshared /
  cat >/bin/as <<"END"
#!/bin/sh
# as COMMAND: the ordinary user types it at home.
cd /srv/app && exec su app -c "$1"
END
  cat >/bin/delegated <<"END"
#!/bin/sh
# delegated COMMAND: the same in a cgroup that is his, as systemd-run --user --scope -p Delegate=yes gives one.
echo $$ >/sys/fs/cgroup/user/app/cgroup.procs && exec as "exec $1"
END
  chmod 755 /bin/as /bin/delegated
  mkdir /sys/fs/cgroup/user
  for at in /sys/fs/cgroup /sys/fs/cgroup/user; do echo "+memory +pids +cpu" >$at/cgroup.subtree_control; done
  mkdir /sys/fs/cgroup/user/app
  chown 1000 /sys/fs/cgroup/user/app /sys/fs/cgroup/user/app/cgroup.procs /sys/fs/cgroup/user/app/cgroup.subtree_control'

begin '--userns where layers have to be attached to be an overlay'"'"'s'
  in_guest
  run guest 'cd /srv/app; mydocker run --root /srv/root/store --userns 100000:200000:65536 -v /srv/root/volume:/v /bin/sh -c "
    cat /proc/self/uid_map; rm -r /home; mkdir /home; touch /home/x /v/root; stat -c %u:%g /bin /v/root; id -u"; echo $?
    stat -c %u:%g /srv/root/volume/root; ls /srv/root/store/containers'
  exits 0; quiet; same '0 100000 65536 0:0 0:0 0 0 0:0' "$(echo $out)"

begin 'limits with --userns: born in its cgroup'
  in_guest
  run guest 'cd /srv/app; mydocker run --root /srv/root/store --userns 100000:200000:65536 -m 16m --memory-swap 16m /bin/tail /dev/zero'
  exits 137
  run guest 'cd /srv/app; mydocker run --root /srv/root/store --userns 100000:200000:65536 -m 16m --pids-limit 9 /bin/cat /proc/self/cgroup'
  exits 0; prints 0::/; quiet

begin 'a store that cannot be idmapped: a clear error'
  in_guest
  run guest 'cd /srv/app; mydocker run --root /tmp/store --userns 100000:200000:65536 /bin/true; echo $?; ls /tmp/store/containers'
  prints 125; one_line; says idmapped

begin 'an ordinary user, on ext4'
  in_guest
  run guest 'as "mydocker run -v /srv/app/volume:/v /bin/sh -c \"
    rm -r /home; mkdir /home; touch /home/x /v/x; id -u\"; echo \$?; stat -c %u /srv/app/volume/x; ls /srv/app/.local/share/mydocker/containers"'
  exits 0; quiet; same '0 0 1000' "$(echo $out)"

begin 'his limits are refused where the cgroup is not his, with the way out'
  in_guest
  run guest 'as "mydocker run -m 16m /bin/true"'
  exits 125; one_line; says --memory; says systemd-run

begin 'in a cgroup that was delegated to him his limits hold'
  in_guest
  run guest 'delegated "mydocker run -m 16m --memory-swap 16m /bin/tail /dev/zero"'
  exits 137
  run guest 'delegated "mydocker run -m 16m --pids-limit 7 --cpus 0.5 /bin/sleep 1234" & pid=$(await sleep)
    cd /sys/fs/cgroup$(cut -d : -f 3 /proc/$pid/cgroup); pwd; cat memory.max pids.max cpu.max; kill -9 $pid; wait $!; exit 0'
  exits 0; contains /user/app/mydocker-; contains 16777216; contains $'\n7\n'; contains '50000 100000'

begin 'and afterwards it is as it was: no process, no cgroup below, nothing enabled'
  in_guest
  run guest 'find /sys/fs/cgroup/user -type d; cat /sys/fs/cgroup/user/app/cgroup.subtree_control /sys/fs/cgroup/user/app/cgroup.procs'
  exits 0; same '/sys/fs/cgroup/user /sys/fs/cgroup/user/app' "$(echo $out)"

begin 'exec: by the limits of the container, from the same delegated tree; from elsewhere an error that says so'
  in_guest
  run guest 'delegated "mydocker run --name bird -m 16m --memory-swap 16m /bin/sleep 1234" & run=$!; pid=$(await sleep)
    mkdir /sys/fs/cgroup/user/app/shell; chown 1000 /sys/fs/cgroup/user/app/shell/cgroup.procs
    in_shell() { sh -c "echo \$\$ >/sys/fs/cgroup/user/app/shell/cgroup.procs; exec as \"$1\""; }
    in_shell "mydocker exec bird cat /proc/self/cgroup"; in_shell "mydocker exec bird tail /dev/zero"; echo $?
    as "mydocker exec bird echo free"; echo $?
    kill -9 $pid; wait $run; rmdir /sys/fs/cgroup/user/app/shell; find /sys/fs/cgroup/user -type d'
  same '0::/ 137 1 /sys/fs/cgroup/user /sys/fs/cgroup/user/app' "$(echo $out)"; one_line; says cgroup; says 'delegated tree'

begin 'with another process in it: an error that says so, and nothing is left'
  in_guest
  run guest 'sleep 99 & echo $! >/sys/fs/cgroup/user/app/cgroup.procs; delegated "mydocker run -m 16m /bin/true"; echo $?; kill $!
    find /sys/fs/cgroup/user -mindepth 2 -type d'
  prints 125; one_line; says 'processes in the cgroup'

begin 'a controller that was not delegated: an error that names it'
  in_guest
  run guest 'delegated "mydocker run --cpuset-cpus 0 /bin/true"'
  exits 125; one_line; says cpuset
guest_halt
