# Containers that stay on cgroup v2, in the emulated machine: pause, update, stop, and what a killed supervisor leaves.
. "$TESTS/initramfs/guest.sh"
guest_boot && guest_switch_root && guest 'mount --make-rshared /'

begin 'pause: the kernel says frozen, nothing runs, and it goes on'
  in_guest
  run guest 'id=$(mydocker run -d --name p1 busybox sh -c "while :; do :; done"); echo ${#id}
    cd /sys/fs/cgroup/mydocker-$id; usage() { sed -n "s/^usage_usec //p" cpu.stat; }
    mydocker pause p1; grep frozen cgroup.events; mydocker inspect --format "{{.State.Status}}" p1; mydocker ps --format "{{.Status}}" | grep -c Paused
    a=$(usage); sleep 1; b=$(usage); [ "$a" = "$b" ] && echo stands still
    mydocker pause p1 2>&1
    mydocker unpause p1; grep frozen cgroup.events; sleep 1; c=$(usage); [ "$b" != "$c" ] && echo goes on
    mydocker unpause p1 2>&1'
  prints $'64\np1\nfrozen 1\npaused\n1\nstands still\nmydocker: container p1 is already paused\np1\nfrozen 0\ngoes on\nmydocker: container p1 is not paused'

begin 'a paused container is stopped, killed and removed'
  in_guest
  run guest 'mydocker pause p1 >/dev/null; mydocker stop -t 1 p1; mydocker start p1 >/dev/null; mydocker pause p1 >/dev/null; mydocker kill p1
    mydocker wait p1; mydocker start p1 >/dev/null; mydocker pause p1 >/dev/null; mydocker rm p1 2>&1 | cut -c 1-40; mydocker rm -f p1
    ls -d /sys/fs/cgroup/mydocker-* 2>/dev/null; mydocker ps -aq'
  prints $'p1\np1\n137\nmydocker: you cannot remove a paused con\np1'

begin 'update: memory in both directions, what was not enabled before, and after a restart'
  in_guest
  run guest 'id=$(mydocker run -d --name u1 busybox sleep 3000); cd /sys/fs/cgroup/mydocker-$id
    mydocker update -m 64m --memory-swap 96m --pids-limit 9 --cpus 0.5 --cpuset-cpus 0 u1
    cat memory.max memory.swap.max pids.max cpu.max cpuset.cpus
    mydocker update -m 32m u1; cat memory.max memory.swap.max
    mydocker update -m 128m u1 2>&1 | cut -c 1-40
    mydocker update -m 128m --memory-swap 128m u1; cat memory.max memory.swap.max
    cd /; mydocker restart -t 0 u1; cd /sys/fs/cgroup/mydocker-$id; cat memory.max memory.swap.max pids.max cpu.max cpuset.cpus
    cd /; mydocker rm -f u1; ls -d /sys/fs/cgroup/mydocker-* 2>/dev/null; true'
  prints $'u1\n67108864\n33554432\n9\n50000 100000\n0\nu1\n33554432\n67108864\nmydocker: memory limit should be smaller\nu1\n134217728\n0\nu1\n134217728\n0\n9\n50000 100000\n0\nu1'

begin 'a supervisor that is killed, its container paused or not: the next command takes all away'
  in_guest
  run guest 'id=$(mydocker run -d --name k1 busybox sleep 3000); mydocker pause k1 >/dev/null
    supervisor=$(readlink /var/lib/mydocker/containers/$id/state | cut -d " " -f 3); kill -9 $supervisor
    for try in $(seq 100); do [ -e /proc/$supervisor ] || break; usleep 50000; done; mydocker ps -a --format "{{.State}}"
    ls -d /sys/fs/cgroup/mydocker-* 2>/dev/null; mydocker start k1; mydocker stop -t 0 k1; mydocker rm k1; mydocker ps -aq'
  prints $'exited\nk1\nk1\nk1'

begin '--stats from the cgroup'
  in_guest
  run guest 'mydocker run -m 100m --stats busybox sh -c "dd if=/dev/zero of=/dev/null bs=20M count=1 2>/dev/null"'
  exits 0
  says 'peak memory '
guest_halt
