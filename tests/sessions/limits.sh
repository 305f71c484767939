# Limits, read back from where the kernel keeps them: in the container's cgroup as the host sees it.
. "$TESTS/tools/host.sh"

# cgroup CONTROLLER: the directory of the process $host in that hierarchy; empty where the controller is not mounted.
cgroup() {
  local at path
  at=$(awk -v c="$1" '{ for (i = 7; $i != "-"; i++); if ($(i+1) == "cgroup" && ("," $(i+3) ",") ~ "," c ",") { print $5; exit } }' /proc/self/mountinfo)
  if [ -n "$at" ]; then
    path=$(awk -F: -v c="$1" '("," $2 ",") ~ "," c "," { print $3 }' "/proc/$host/cgroup")
  else
    at=$(awk '{ for (i = 7; $i != "-"; i++); if ($(i+1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo)
    path=$(awk -F: '$1 == 0 { print $3 }' "/proc/$host/cgroup")
  fi
  echo "$at$path"
}

# limited FLAG...: a container with these flags is running, its command's pid is $host; done_with_it ends it.
limited() {
  start "$@" /bin/sleep 31450
  if ! active; then return 0; fi
  eventually 10 running 31450 || { fail 'the container does not run' "$(<"$T/started.err")"; return 0; }
  host=$(host_pid 31450)
}
done_with_it() {
  if active && [ -n "$host" ]; then kill -9 "$host"; fi
  finish
  exits 137
  host=
}

# reads CONTROLLER V1FILE VALUE V2FILE VALUE
reads() {
  if ! active; then return 0; fi
  local dir
  dir=$(cgroup "$1")
  case $dir in *mydocker*) ;; *) fail "the container is in no $1 cgroup of ours" "$dir"; return 0 ;; esac
  if [ -e "$dir/$2" ]; then
    same "$3" "$(<"$dir/$2")" "$dir/$2"
  else
    same "$5" "$(cat "$dir/$4" 2>&1)" "$dir/$4"
  fi
}
on_v1() { [ -e "$(cgroup memory)/memory.limit_in_bytes" ]; }

run mydocker run /bin/true

begin '-m limits memory, and swap to the same'
limited -m 64m
reads memory memory.limit_in_bytes 67108864 memory.max 67108864
if active && [ -e "$(cgroup memory)/memory.memsw.limit_in_bytes" ]; then
  # docker: without --memory-swap twice the memory can be used in all.
  reads memory memory.memsw.limit_in_bytes 134217728 memory.swap.max 67108864
fi
done_with_it

begin 'the spellings of a size'
while read -r typed_size bytes; do
  limited --memory "$typed_size"
  reads memory memory.limit_in_bytes "$bytes" memory.max "$bytes"
  done_with_it
done <<'SIZES'
16777216 16777216
16777216b 16777216
16384k 16777216
16384K 16777216
16m 16777216
16M 16777216
16mb 16777216
1g 1073741824
1.5g 1610612736
SIZES

begin 'the one-dash spelling -mem'
limited -mem 32m
reads memory memory.limit_in_bytes 33554432 memory.max 33554432
done_with_it

begin 'bad sizes are refused, quoted'
for size in '' x 12x -1 1.2.3 m 99999999999999999999g 0x10 1e3; do
  run mydocker run -m "$size" /bin/true
  exits 125
  one_line
  says "$size"
done

begin '--memory-swap is memory and swap in all'
limited -m 32m --memory-swap 48m
reads memory memory.memsw.limit_in_bytes 50331648 memory.swap.max 16777216
done_with_it

begin '--memory-swap as large as the memory: no swap'
limited -m 32m --memory-swap 32m
reads memory memory.memsw.limit_in_bytes 33554432 memory.swap.max 0
done_with_it

begin '--memory-swap -1: no limit for swap'
limited -m 32m --memory-swap -1
if active && on_v1; then
  value=$(<"$(cgroup memory)/memory.memsw.limit_in_bytes")
  if [ "$value" -lt 1000000000000 ]; then fail 'expected no limit' "$value"; fi
fi
done_with_it

begin '--memory-swap smaller than the memory, or without it, is refused'
run mydocker run -m 32m --memory-swap 16m /bin/true
exits 125
one_line
run mydocker run --memory-swap 16m /bin/true
exits 125
one_line

begin 'more memory than the limit: 137'
run mydocker run -m 16m --memory-swap 16m /bin/tail /dev/zero
exits 137
run mydocker run --init -m 16m --memory-swap 16m /bin/tail /dev/zero
exits 137

begin 'a child over the limit is killed, the container goes on'
run mydocker run -m 16m --memory-swap 16m /bin/sh -c 'tail /dev/zero; echo child $?'
exits 0
prints_line 'child 137'

begin '--cpus'
limited --cpus 0.5
if active && on_v1; then
  dir=$(cgroup cpu)
  quota=$(<"$dir/cpu.cfs_quota_us") period=$(<"$dir/cpu.cfs_period_us")
  same "$period" $((quota * 2)) 'the period and twice the quota'
else
  reads cpu - - cpu.max '50000 100000'
fi
done_with_it
limited --cpus 1.25
if active && on_v1; then
  dir=$(cgroup cpu)
  quota=$(<"$dir/cpu.cfs_quota_us") period=$(<"$dir/cpu.cfs_period_us")
  same $((period * 5)) $((quota * 4)) 'five periods and four quotas'
fi
done_with_it

begin '-cpu is percent of one core'
limited -cpu 20
if active && on_v1; then
  dir=$(cgroup cpu)
  quota=$(<"$dir/cpu.cfs_quota_us") period=$(<"$dir/cpu.cfs_period_us")
  same "$period" $((quota * 5)) 'the period and five quotas'
fi
done_with_it

begin 'a fifth of a core is a fifth of a core'
start -cpu 20 /bin/sh -c 'echo ready; while :; do :; done' 31451
ready
if active; then
  host=$(host_pid 31451)
  sleep 1.5
  # At most 0.3 s of it; a busy machine can only give less. In ticks of 10 ms.
  used=$(awk '{ print $14 + $15 }' "/proc/$host/stat")
  if [ "$used" -gt 60 ]; then fail 'expected at most 600 ms of CPU time in 1.5 s' "${used}0 ms"; fi
fi
done_with_it

begin 'bad CPU figures are refused, quoted'
for cpus in '' x -1 1e9 99999999999999999999; do
  run mydocker run --cpus "$cpus" /bin/true
  exits 125
  one_line
  says "$cpus"
done

begin '--cpu-shares'
limited --cpu-shares 512
reads cpu cpu.shares 512 cpu.weight 20
done_with_it

begin '--cpuset-cpus and --cpuset-mems'
limited --cpuset-cpus 0 --cpuset-mems 0
reads cpuset cpuset.cpus 0 cpuset.cpus 0
reads cpuset cpuset.mems 0 cpuset.mems 0
if active; then same 0 "$(sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$host/status")" 'Cpus_allowed_list'; fi
done_with_it
limited -cpuset 0
reads cpuset cpuset.cpus 0 cpuset.cpus 0
done_with_it

begin 'a CPU that is not there is refused'
run mydocker run --cpuset-cpus 4000 /bin/true
exits 125
one_line
says 4000
run mydocker run --cpuset-cpus 0-x /bin/true
exits 125
one_line
says 0-x

begin '--pids-limit'
limited --pids-limit 7
reads pids pids.max 7 pids.max 7
done_with_it
run mydocker run --pids-limit 5 /bin/sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; echo unreachable'
lacks unreachable
says 'fork'

begin 'all limits at once, each controller'
limited -m 32m --cpus 0.5 --cpu-shares 256 --cpuset-cpus 0 --pids-limit 9
reads memory memory.limit_in_bytes 33554432 memory.max 33554432
reads cpu cpu.shares 256 cpu.weight 10
reads cpuset cpuset.cpus 0 cpuset.cpus 0
reads pids pids.max 9 pids.max 9
done_with_it

begin 'the command is limited from its first instruction, and all its children'
run mydocker run -m 32m --pids-limit 9 /bin/sh -c 'cat /proc/self/cgroup; cat /proc/1/cgroup' 
exits 0
limited -m 32m
if active; then
  same "$host" "$(cat "$(cgroup memory)/cgroup.procs")" 'who is in the memory cgroup'
fi
done_with_it

begin 'the container sees its own cgroup as the root, and cannot write it'
run mydocker run -m 32m /bin/sh -c 'grep memory: /proc/self/cgroup; find /sys/fs/cgroup -name cgroup.procs | head -n 1; for f in $(find /sys/fs/cgroup -name cgroup.procs -o -name "memory.limit_in_bytes" -o -name memory.max); do (echo 1 >$f) 2>/dev/null && echo wrote $f; done; exit 0'
exits 0
lacks wrote
if active && [[ $out == *memory:* ]]; then prints_line "$(grep -o '^[0-9]*:.*memory:' <<<"$out" | head -n 1)/"; fi

begin 'the smallest memory: 256 KiB start /bin/true'
run mydocker run -m 256k --memory-swap 256k /bin/true
exits 0
run mydocker run -m 256k /bin/true
exits 0

begin 'too little memory to start: the number is in the message'
for size in 4096 16k 32k; do
  run mydocker run -m "$size" /bin/true
  if active && [ "$code" != 0 ]; then
    exits 125
    one_line
    says "$size"
  fi
done
run mydocker run -m 1 /bin/true
exits 125
one_line

# --- a controller that is not there -----------------------------------------------------------------------------

# without CONTROLLER COMMAND...: in a mount namespace where that hierarchy (v1) is not mounted.
without() {
  CONTROLLER=$1 unshare -m --propagation private -- /bin/bash -c '
    awk -v c="$CONTROLLER" '\''{ for (i = 7; $i != "-"; i++); if ($(i+1) == "cgroup" && ("," $(i+3) ",") ~ "," c ",") print $5 }'\'' /proc/self/mountinfo |
      while read -r at; do umount "$at"; done
    shift; exec timeout 20 "$@"' without "$@"
}
while read -r controller flags; do
  begin "a limit without its controller ($controller) is an error that names it"
  if ! grep -q "^$controller	" /proc/cgroups || ! grep -qE " - cgroup [^ ]+ [^ ]*\b$controller\b" /proc/self/mountinfo; then
    skip "$controller is no mounted v1 controller here"
  fi
  run without "$controller" "$MYDOCKER" run $flags /bin/echo unlimited
  exits 125
  one_line
  says "$controller"
  prints ''
  # What needs none of it runs.
  run without "$controller" "$MYDOCKER" run /bin/echo fine
  exits 0
  prints fine
done <<'CONTROLLERS'
memory -m 32m
cpu --cpus 0.5
cpuset --cpuset-cpus 0
pids --pids-limit 10
CONTROLLERS

begin 'no cgroup file system at all: no limits, but containers'
nothing() {
  unshare -m --propagation private -- /bin/bash -c 'umount -R /sys/fs/cgroup && exec timeout 20 "$@"' nothing "$@"
}
run nothing "$MYDOCKER" run /bin/echo fine
exits 0
prints fine
run nothing "$MYDOCKER" run -m 32m /bin/echo unlimited
exits 125
one_line
says memory
prints ''

# --- other limits -----------------------------------------------------------------------------------------------

begin '--ulimit'
run mydocker run --ulimit nofile=123:456 --ulimit core=0 /bin/sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
exits 0
prints $'123\n456\n0'
run mydocker run --ulimit nonsense=1 /bin/true
exits 125
one_line
says nonsense
run mydocker run --ulimit nofile=9:1 /bin/true
exits 125
one_line

begin '--shm-size'
run mydocker run --shm-size 8m /bin/sh -c 'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2'
exits 0
prints 8192
run mydocker run /bin/sh -c 'df -k /dev/shm | tail -n 1 | tr -s " " | cut -d " " -f 2'
prints 65536
