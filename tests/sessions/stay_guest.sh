# Containers that stay on cgroup v2, in the emulated machine, whose root is an initramfs.
. "$TESTS/initramfs/guest.sh"
guest_boot

begin 'run -d, ps, logs, exec, stop, rm'
  in_guest
  run guest 'mydocker run -d --name bird /bin/sh -c "echo hello; exec sleep 1234" >/dev/null && mydocker ps --format "{{.Names}} {{.State}}"
    sleep 1; mydocker logs bird; mydocker exec -e COLOUR=red bird /bin/sh -c "echo \$COLOUR; exit 5"; echo $?
    mydocker stop -t 1 bird; mydocker ps -a --format "{{.Names}} {{.State}}"; mydocker rm bird; mydocker ps -aq'
  prints $'bird running\nhello\nred\n5\nbird\nbird exited\nbird'; quiet

begin 'exec is in the container'"'"'s cgroup, and sees it as its root'
  in_guest
  run guest 'mydocker run -d --name bird -m 64m /bin/sleep 1234 >/dev/null; mydocker exec bird /bin/cat /proc/self/cgroup
    mydocker exec -d bird /bin/sleep 4321; cat /sys/fs/cgroup/mydocker-*/cgroup.procs | wc -l; cat /sys/fs/cgroup/mydocker-*/memory.max'
  prints $'0::/\n2\n67108864'; quiet

begin 'update changes a running container'"'"'s limits'
  in_guest
  run guest 'mydocker update -m 32m --memory-swap 32m --pids-limit 20 --cpus 0.5 bird
    cat /sys/fs/cgroup/mydocker-*/memory.max /sys/fs/cgroup/mydocker-*/memory.swap.max /sys/fs/cgroup/mydocker-*/pids.max /sys/fs/cgroup/mydocker-*/cpu.max'
  prints $'bird\n33554432\n0\n20\n50000 100000'; quiet

begin 'pause stops all of it, with what exec has brought; unpause lets it go on'
  in_guest
  run guest 'mydocker pause bird; grep frozen /sys/fs/cgroup/mydocker-*/cgroup.events; mydocker ps --format "{{.Status}}" | grep -c Paused
    mydocker exec bird /bin/true; echo $?; mydocker unpause bird; grep frozen /sys/fs/cgroup/mydocker-*/cgroup.events'
  prints $'bird\nfrozen 1\n1\n1\nbird\nfrozen 0'; says 'paused'

begin 'a paused container can be stopped; nothing of it is left'
  in_guest
  run guest 'mydocker pause bird; mydocker stop -t 0 bird; mydocker rm bird; ls -d /sys/fs/cgroup/mydocker-* 2>/dev/null; ps | grep -c "[s]leep"'
  prints $'bird\nbird\nbird\n0'; quiet

begin 'OOMKilled'
  in_guest
  run guest 'mydocker run -d --name oom -m 8m --memory-swap 8m /bin/sh -c "x=\$(yes | head -c 50000000)" >/dev/null
    mydocker wait oom; mydocker inspect --format "{{.State.OOMKilled}}" oom; mydocker rm oom'
  prints $'137\ntrue\noom'; quiet

begin 'stats counts'
  in_guest
  run guest 'mydocker run -d --name busy -m 64m /bin/sh -c "while :; do :; done" >/dev/null; sleep 1
    mydocker stats --no-stream --format "{{.Name}} {{.MemUsage}} {{.PIDs}}" busy; mydocker rm -f busy'
  if active && [[ ! $out =~ ^busy\ [0-9.]+[KM]iB\ /\ 64MiB\ 1 ]]; then fail 'expected memory and one process' "$(came)"; fi

begin 'a restart policy; the machine'"'"'s boot'
  in_guest
  run guest 'mydocker run -d --name again --restart always /bin/sleep 0.3 >/dev/null; sleep 2
    [ "$(mydocker inspect --format "{{.RestartCount}}" again)" -ge 2 ] && echo restarted
    mydocker stop -t 0 again; mydocker start --all; mydocker ps --format "{{.Names}}"; mydocker rm -f again'
  prints $'restarted\nagain\nagain\nagain'; quiet

guest_halt
