# What a container shares with the host: nothing but what it is told to.

host_ns() { readlink "/proc/self/ns/$1"; }

begin 'mount, pid, uts, ipc, net and cgroup are its own; user and time the host'"'"'s'
  run mydocker run busybox sh -c 'for n in mnt pid uts ipc net cgroup user time; do readlink /proc/self/ns/$n; done'
  exits 0
  mapfile -t inside <<<"$out"
  n=0
  for name in mnt pid uts ipc net cgroup user time; do
    case $name in
      user | time) same "$(host_ns "$name")" "${inside[n]}" "the $name namespace" ;;
      *)
        if active && [ "$(host_ns "$name")" = "${inside[n]}" ]; then fail "the $name namespace is the host's"; fi
        if active && [[ ${inside[n]} != *:\[*\] ]]; then fail "there is no $name namespace: ${inside[n]}"; fi
        ;;
    esac
    n=$((n + 1))
  done

begin 'the command is pid 1, and sees its own processes only'
  run mydocker run busybox sh -c 'echo $$; set -- /proc/[0-9]*; echo $#'
  prints $'1\n1'

begin 'its parent is outside: pid 0'
  run mydocker run busybox grep PPid /proc/1/status
  prints $'PPid:\t0'

begin 'the net namespace has lo, up, and nothing else'
  run mydocker run busybox sh -c 'ls /sys/class/net; ip -4 -o addr show lo; ip link show lo'
  contains 127.0.0.1/8; contains 'UP'
  same lo "${out%%$'\n'*}" 'the interfaces'
  run mydocker run busybox ping -c 1 -W 2 127.0.0.1
  exits 0

begin 'a queue and a segment of the host are not seen'
  need ipcmk ipcrm
  made=$(ipcmk -Q | grep -o '[0-9]*$')
  run mydocker run busybox sh -c 'wc -l </proc/sysvipc/msg'
  prints 1
  run mydocker run --ipc host busybox sh -c "awk '{print \$2}' /proc/sysvipc/msg"
  prints_line "$made"
  ipcrm -q "$made"

begin 'the cgroup namespace hides where it is'
  run mydocker run -m 64m busybox cat /proc/self/cgroup
  exits 0
  same '' "$(grep -v ':/$' "$T/out")" 'lines that show more than /'

begin 'a hostname set inside is not the host'"'"'s'
  before=$(hostname)
  run mydocker run busybox sh -c 'hostname changed 2>/dev/null; hostname'
  same "$before" "$(hostname)" "the host's name"

for form in '--pid host' '--pid=host' '-pid host'; do
  begin "$form: the host's processes"
    run mydocker run $form busybox sh -c 'readlink /proc/self/ns/pid; [ $$ != 1 ] && echo not 1; [ -d /proc/'$$' ] && echo seen'
    exits 0; quiet
    prints "$(host_ns pid)"$'\nnot 1\nseen'
done

begin '--pid host: the exit code, and the end of what it left behind'
  run mydocker run --pid host busybox sh -c 'exit 9'; exits 9
  run mydocker run --pid host busybox sh -c 'kill -9 $$'; exits 137

begin "--uts host: the host's name, which is not changed"
  before=$(hostname)
  run mydocker run --uts host busybox sh -c 'readlink /proc/self/ns/uts; hostname'
  exits 0; prints "$(host_ns uts)"$'\n'"$before"
  same "$before" "$(hostname)"

begin '--uts host with --hostname is refused, as docker does'
  run mydocker run --uts host --hostname x busybox true
  exits 125; one_line; says --hostname

begin "--ipc host: the host's queues, semaphores and /dev/shm"
  echo shared >"/dev/shm/mydocker-test-$$"
  run mydocker run --ipc host busybox sh -c "readlink /proc/self/ns/ipc; cat /dev/shm/mydocker-test-$$; grep -c ' /dev/mqueue ' /proc/self/mountinfo"
  exits 0; prints "$(host_ns ipc)"$'\nshared\n1'
  run mydocker run busybox ls -A /dev/shm
  prints ''
  rm -f "/dev/shm/mydocker-test-$$"

begin "--net host: the host's interfaces and names; /sys can be read"
  run mydocker run --net host busybox sh -c 'readlink /proc/self/ns/net; ls /sys/class/net'
  exits 0; quiet
  prints "$(host_ns net)"$'\n'"$(ls /sys/class/net)"
  run mydocker run --net host busybox cat /etc/hosts
  while read -r line; do
    if [ -n "$line" ]; then contains "$line"; fi
  done < <(grep -v '^#' /etc/hosts)

for form in '--net none' '-net none' '--network none' '--net=none'; do
  begin "$form is what it is without it"
    run mydocker run $form busybox ls /sys/class/net
    exits 0; prints lo; quiet
done
begin '--network host, -net host'
  run mydocker run --network host busybox readlink /proc/self/ns/net; prints "$(host_ns net)"
  run mydocker run -net host busybox readlink /proc/self/ns/net; prints "$(host_ns net)"

begin 'all of the host'"'"'s together'
  run mydocker run --pid host --uts host --ipc host --net host busybox sh -c 'for n in pid uts ipc net; do readlink /proc/self/ns/$n; done; echo $$ >/dev/null; ls / | head -n 1'
  exits 0; prints "$(host_ns pid)
$(host_ns uts)
$(host_ns ipc)
$(host_ns net)
bin"

for bad in '--pid wrong' '--uts wrong' '--ipc wrong'; do
  begin "$bad is refused"
    run mydocker run $bad busybox true
    exits 125; one_line; says "${bad%%[ =]*}"
done

begin 'what is left running ends with the container, its namespaces with it'
  run mydocker run busybox sh -c 'sleep 100 & setsid sleep 100 & exit 3'
  exits 3

begin 'no group of mounts is shared with the host'
  run mydocker run busybox cat /proc/self/mountinfo
  lacks shared:; lacks master:; lacks "$MYDOCKER_ROOT/containers"$'\n'
