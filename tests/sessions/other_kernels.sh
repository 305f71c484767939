# Other kernels than the machine's and the one of initramfs.sh: an older one without mount_setattr, and a newer one. In the
# emulated machine all is there that a kernel may lack here: cgroup v2 alone, and every capability.
. "$TESTS/initramfs/guest.sh"

for KERNEL in bullseye 6.12; do
  export KERNEL
  guest_boot && guest_switch_root && guest 'mount --make-rshared /; mkdir -p /h/dir /h/outside; echo in dir >/h/dir/f'

  begin "$KERNEL: what it has"
    in_guest
    run guest 'uname -r; mydocker check'
    exits 0; quiet
    contains 'overlay: ok'; contains 'user namespace: ok'; contains 'seccomp: ok'
    contains $'memory: ok: /sys/fs/cgroup\ncpu: ok: /sys/fs/cgroup\ncpuset: ok: /sys/fs/cgroup\npids: ok: /sys/fs/cgroup\ndevices: ok: /sys/fs/cgroup'
    case $KERNEL in
      bullseye) contains 'detached mounts: no: ENOSYS'; contains 'idmapped mounts: no: ENOSYS' ;;
      *) contains 'detached mounts: ok' ;;
    esac
    release=${out%%$'\n'*}

  begin "$KERNEL: a root, volumes, a user, limits, a name, an exit code"
    in_guest
    run guest 'mydocker run -v /h/dir:/mnt -v /h/dir:/new/ro:ro -v named:/data --tmpfs /scratch:size=1m -u app -m 64m --pids-limit 20 \
      --hostname odd --read-only busybox sh -c "uname -r; id -un; hostname; cat /mnt/f /new/ro/f; touch /new/ro/x
        touch /scratch/x && echo scratch; head -c 10 /proc/keys | wc -c; grep -c \" /proc/sys ro\" /proc/self/mountinfo
        grep -E \"^(CapBnd|Seccomp):\" /proc/self/status; exit 7"'
    exits 7
    prints "$release"$'\napp\nodd\nin dir\nin dir\nscratch\n0\n1\nCapBnd:\t00000000a80425fb\nSeccomp:\t2'
    same 'touch: /new/ro/x: Read-only file system' "$err" 'standard error'

  begin "$KERNEL: exec: as run, in the cgroup of the container"
    in_guest
    run guest 'mydocker run --name bird -m 64m busybox sleep 1234 & pid=$(await sleep) || { wait $!; exit; }
      mydocker exec -u app -w /tmp bird sh -c "id -un; pwd; cat /proc/self/cgroup; ps -o comm | grep -cx sleep; readlink /proc/self/exe
        grep -E \"^(CapBnd|Seccomp):\" /proc/self/status; exit 7"; echo $?
      mydocker exec -t bird tty; mydocker exec -d bird sleep 55; mydocker exec bird ps -o args | grep -c "sleep 55"
      kill -9 $pid; wait; pidof sleep'
    same $'app\n/tmp\n0::/\n1\n/bin/busybox\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n7\n/dev/pts/0\n1' "${out//$'\r'/}" 'the output'
    quiet

  begin "$KERNEL: limits are in force: memory, processes, CPUs"
    in_guest
    run guest 'mydocker run -m 16m --memory-swap 16m busybox tail /dev/zero; echo $?; mydocker run --pids-limit 5 busybox sh -c "
        for n in 1 2 3 4 5 6; do sleep 1 & done; wait" 2>&1 | grep -c "fork"; mydocker run --cpuset-cpus 1 busybox nproc
      mydocker run --cpuset-cpus 1 busybox grep Cpus_allowed_list /proc/self/status; find /sys/fs/cgroup -name "mydocker-*" | wc -l'
    prints $'137\n1\n1\nCpus_allowed_list:\t1\n0'

  begin "$KERNEL: links of the image stay inside, /proc is no target, what is mounted on the host later is not seen"
    in_guest
    run guest 'mkdir /tree && tar -C /tree -xf /root/busybox.tar && ln -s /h/outside /tree/link && ln -s /proc /tree/toproc
      mydocker run -v /h/dir:/link/x /tree/../tree cat /link/x/f 2>&1; mydocker run --rootfs /tree -v /h/dir:/link/x cat /link/x/f; ls -A /h/outside
      mydocker run --rootfs /tree -v /h/dir:/toproc/self true; echo $?; mydocker run busybox grep -c shared: /proc/self/mountinfo'
    contains 'in dir'; contains 125; prints_line 0

  begin "$KERNEL: devices: the usual ones work, a disk made inside does not open"
    in_guest
    run guest 'mydocker run busybox sh -c "echo x >/dev/null; head -c 3 /dev/zero | wc -c; mknod /d b 254 0; (: </d); mknod /m c 1 1; (: </m)"'
    prints 3
    if active && [ "$(grep -c "can't open /[dm]: Operation not permitted" "$T/err")" != 2 ]; then fail 'expected two refusals' "$(came)"; fi

  begin "$KERNEL: a terminal"
    in_guest pty
    run guest "printf '%s\n' 'expect / # ' 'send tty; echo \$((6*7)); exit 5\\n' wait | pty -- mydocker run -it busybox /bin/sh"
    exits 5; contains /dev/; contains 42

  begin "$KERNEL: an ordinary user"
    in_guest
    run guest 'mkdir -m 755 /home; mkdir -m 700 /home/app && chown 1000:1000 /home/app; cp /root/busybox.tar /tmp; chmod 644 /tmp/busybox.tar
      echo "app:x:1000:1000::/home/app:/bin/sh" >>/etc/passwd; echo app:x:1000: >>/etc/group
      su - app -c "mydocker run /tmp/busybox.tar sh -c \"id -u; touch /tmp/x && echo started\""'
    case $KERNEL in
      bullseye) exits 125; one_line; says 'Linux 5.11' ;;
      *) exits 0; prints $'0\nstarted' ;;
    esac

  begin "$KERNEL: a hard limit of 16 descriptors is raised by who may, and given back"
    in_guest
    run guest 'ulimit -n 16; mydocker run -v /h/dir:/mnt busybox sh -c "cat /mnt/f; ulimit -n; ulimit -Hn"'
    exits 0; quiet; prints $'in dir\n16\n16'
    run guest '(ulimit -f 0; mydocker run --root /tmp/other /root/busybox.tar sh -c "ulimit -f") 2>&1 | cat'
    prints 0

  begin "$KERNEL: without CLONE_INTO_CGROUP, without clone3"
    in_guest without
    run guest 'without bpf=EPERM mydocker check'
    exits 0; contains 'devices: no: /sys/fs/cgroup: EPERM'
    for calls in clone3:88 clone3; do
      run guest "without $calls mydocker run -m 32m --pids-limit 9 busybox cat /proc/self/cgroup; find /sys/fs/cgroup -name 'mydocker-*' | wc -l"
      exits 0; prints $'0::/\n0'; quiet
    done

  begin "$KERNEL: mydocker killed: the container goes along, and the next one sweeps"
    in_guest
    run guest 'mydocker run -m 32m busybox sleep 4321 & pid=$(await sleep)
      kill -9 $!; wait $!; for try in $(seq 100); do pidof sleep >/dev/null || break; usleep 100000; done
      pidof sleep || echo gone; mydocker run busybox true; echo $?
      ls -A /var/lib/mydocker/containers; find /sys/fs/cgroup -name "mydocker-*"; grep -c overlay /proc/self/mountinfo'
    prints $'gone\n0\n0'
  guest_halt
done
