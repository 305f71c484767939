# update: limits of a container that runs, and from its next start on.
. "$TESTS/tools/host.sh"

up() { if active; then run mydocker run -d "$@"; exits 0; id=$out; fi; }
clear_all() { "$MYDOCKER" rm -f $("$MYDOCKER" ps -aq) >/dev/null 2>&1; }
on_v1() { [ ! -e /sys/fs/cgroup/cgroup.controllers ]; }
# reads CONTROLLER V1-FILE VALUE V2-FILE VALUE
reads() {
  if ! active; then return 0; fi
  if on_v1; then same "$3" "$(cat "/sys/fs/cgroup/$1/mydocker-$id/$2" 2>&1)" "$1/$2"
  else same "$5" "$(cat "/sys/fs/cgroup/mydocker-$id/$4" 2>&1)" "$4"; fi
}
fails() { if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi; }

begin 'memory: up, down, with swap and without, in the order that the kernel wants'
up --name u1 -m 64m --memory-swap 64m busybox sleep 31900
run mydocker update -m 128m --memory-swap 128m u1
exits 0; prints u1; quiet
reads memory memory.limit_in_bytes 134217728 memory.max 134217728
reads memory memory.memsw.limit_in_bytes 134217728 memory.swap.max 0
run mydocker update --memory 32m --memory-swap 48m u1
exits 0
reads memory memory.limit_in_bytes 33554432 memory.max 33554432
reads memory memory.memsw.limit_in_bytes 50331648 memory.swap.max 16777216
# docker: memory and swap together stay what they were.
run mydocker update -m 40m u1
exits 0
reads memory memory.limit_in_bytes 41943040 memory.max 41943040
reads memory memory.memsw.limit_in_bytes 50331648 memory.swap.max 8388608
run mydocker update -m 64m u1
exits 1
says 'memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
reads memory memory.limit_in_bytes 41943040 memory.max 41943040
run mydocker update --memory-swap 100m u1
exits 0
reads memory memory.memsw.limit_in_bytes 104857600 memory.swap.max 62914560
run mydocker update --memory-swap 10m u1
exits 1
reads memory memory.memsw.limit_in_bytes 104857600 memory.swap.max 62914560

begin 'it holds after a restart'
run mydocker restart -t 0 u1
exits 0
reads memory memory.limit_in_bytes 41943040 memory.max 41943040
reads memory memory.memsw.limit_in_bytes 104857600 memory.swap.max 62914560
clear_all

begin 'processor: quota and shares'
up --name u2 busybox sleep 31901
run mydocker update --cpus 0.5 u2
exits 0
reads cpu cpu.cfs_quota_us 50000 cpu.max '50000 100000'
run mydocker update --cpus 0.25 -c 512 u2
exits 0
reads cpu cpu.cfs_quota_us 25000 cpu.max '25000 100000'
reads cpu cpu.shares 512 cpu.weight 20
clear_all

begin 'processes and CPUs, where the container had no such limit and is in no such cgroup'
up --name u3 busybox sh -c 'sleep 31902 & sleep 31903 & wait'
if active; then eventually 10 running 31903; fi
run mydocker update --pids-limit 7 --cpuset-cpus 0 u3
exits 0
reads pids pids.max 7 pids.max 7
reads cpuset cpuset.cpus 0 cpuset.cpus 0
if active; then
  for pid in $(host_pid 31902 31903); do
    grep -q "mydocker-$id" <(grep -E ':(pids|cpuset)?:' "/proc/$pid/cgroup") || fail 'a process is not in the new cgroup' "$(cat /proc/$pid/cgroup)"
    same 0 "$(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$pid/status")" 'the CPUs that it may use'
  done
fi
run mydocker update --pids-limit -1 u3
exits 0
reads pids pids.max max pids.max max
run mydocker restart -t 0 u3
exits 0
reads cpuset cpuset.cpus 0 cpuset.cpus 0
run mydocker stop -t 0 u3
run mydocker rm u3
exits 0
if active; then same '' "$(ls -d /sys/fs/cgroup/{,*/}mydocker-"$id" 2>/dev/null)" 'its cgroups'; fi

begin 'the cgroups that update made are gone when such a container has been removed by its own end'
up --rm --name u4 busybox sleep 31904
run mydocker update --pids-limit 9 u4
exits 0
run mydocker kill u4
if active; then eventually 5 test ! -e "$MYDOCKER_ROOT/containers/$id"; same '' "$(ls -d /sys/fs/cgroup/{,*/}mydocker-"$id" 2>/dev/null)" 'its cgroups'; fi

begin 'one that does not run: from its next start on'
run mydocker create --name u5 busybox sleep 31905
id=$out
run mydocker update -m 50m --memory-swap 50m --pids-limit 11 u5
exits 0; prints u5
run mydocker start u5
reads memory memory.limit_in_bytes 52428800 memory.max 52428800
reads pids pids.max 11 pids.max 11
clear_all

begin 'the limit holds'
up --name u6 -m 64m --memory-swap 64m busybox sh -c 'trap "tail /dev/zero; echo child \$?" USR1; echo ready; while :; do sleep 0.05; done'
run mydocker update -m 16m --memory-swap 16m u6
exits 0
if active; then
  eventually 20 grep -q ready "$MYDOCKER_ROOT/containers/$id/log" || fail 'it is not ready'
  "$MYDOCKER" kill -s USR1 u6 >/dev/null
  eventually 20 grep -q 'child 137' "$MYDOCKER_ROOT/containers/$id/log" || fail 'it got more than the limit'
fi
clear_all

begin 'several containers; errors'
up --name u7 busybox sleep 31907
up --name u8 busybox sleep 31908
run mydocker update --cpus 0.5 u7 nosuch u8
exits 1; prints $'u7\nu8'
says 'no such container: nosuch'
run mydocker update u7
fails; says 'you must provide one or more flags when using this command'
run mydocker update --cpus 0.5
fails
for bad in '--memory x' '--cpus 0' '--pids-limit x' '--cpuset-cpus 0-' '--restart sometimes' '--cpu-shares 1'; do
  run mydocker update $bad u7
  case $bad in '--cpus 0') ;; *) fails; one_line ;; esac
done
# The kernel refuses it: what is kept stays as it was.
run mydocker update --cpuset-cpus 4000 u7
fails
run mydocker restart -t 0 u7
exits 0
clear_all

begin 'a container in the foreground'
start --name u9 /bin/sh -c 'echo ready; sleep 31909'
ready
run mydocker update --cpus 0.5 u9
exits 0
if active && on_v1; then grep -qx 50000 /sys/fs/cgroup/cpu/mydocker-*/cpu.cfs_quota_us || fail 'no such limit'; fi
# It could not be taken away at its end.
if active && on_v1; then run mydocker update --pids-limit 5 u9; fails; says 'pids'; fi
run mydocker kill u9
finish

begin 'the policy for restarts'
up --name u10 busybox sh -c 'sleep 31910'
run mydocker update --restart always u10
exits 0
if active; then
  kill -9 $(host_pid 31910)
  sleep 0.5
  eventually 10 running 31910 || fail 'it is not started again'
fi
run mydocker update --restart no u10
exits 0
if active; then
  kill -9 $(host_pid 31910)
  sleep 1
  stopped 31910 || fail 'it is started again'
fi
up --rm --name u11 busybox sleep 31911
run mydocker update --restart always u11
exits 1
clear_all
