# A virtual machine to type commands in, for sessions: sourced. Needs $T and $MYDOCKER; $T_ALL and $TAR are used if set.
#   guest_boot ARG…   boots the initramfs with the kernel arguments given; where that cannot be had, $guest_why says why.
#                     $KERNEL says which kernel, as for `build`: none, 6.12, bullseye …
#   guest SCRIPT      runs the script in it with sh: its output, its error output and its exit code
#   guest_switch_root leaves the initramfs for a tmpfs, as an /init that has found its disk does
#   guest_halt        ends the machine. It ends by itself after $GUEST_SECONDS (120), and with the shell that booted it.

guest_tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
guest_why='the guest was not booted'
guest_halted='the guest has been halted'
guest_pid=
guest_dir=

# guest_image: sets $guest_kernel and $guest_initrd, made once for all sessions of a run.
guest_image() {
  local at tool cc
  guest_at=${T_ALL:-$T}/initramfs${KERNEL:-} at=$guest_at
  guest_initrd=$at/image
  if [ ! -f "$at/built" ]; then
    mkdir -p "$at/extra/etc" "$at/extra/bin" && cp "$guest_tools/agent" "$at/extra/etc/rc" &&
      cp "$guest_tools/await" "$at/extra/bin" || return 1
    # Small programs for what busybox has none for. Without a compiler the tests that use them are skipped.
    for tool in escape newcgroup; do
      for cc in musl-gcc cc gcc; do
        if command -v "$cc" >/dev/null; then
          "$cc" -O1 -static -o "$at/extra/bin/$tool" "$guest_tools/$tool.c" 2>"$at/why" && break
        fi
      done
    done
    for tool in pty without; do
      if [ -x "${T_ALL:-}/$tool" ]; then cp "${T_ALL:-}/$tool" "$at/extra/bin"; fi
    done
    # Not compressed: the machine is emulated, and unpacking would be its slowest part.
    EXTRA=$at/extra OUT=$guest_initrd "$guest_tools/build" >"$at/built.new" 2>"$at/why" || return 1
    mv "$at/built.new" "$at/built"
  fi
  guest_kernel=$(sed -n 's/^kernel: //p' "$at/built")
}

# in_guest [TOOL…]: the test is skipped where there is no guest, or not this tool in it; a guest that broke fails it.
in_guest() {
  local tool
  if [ -e "$guest_dir/failed" ]; then
    fail 'the guest is gone' "$(cat "$guest_dir/failed")"
    # Over here: all that the test would still ask for could only fail as well.
    end_test
    return 1
  fi
  if [ -z "$guest_pid" ]; then skip "$guest_why"; return 1; fi
  for tool; do
    if [ ! -x "$guest_at/extra/bin/$tool" ]; then skip "there is no $tool for the guest (no C compiler?)"; return 1; fi
  done
}

# guest_jail COMMAND…: runs it in a chroot that has all it needs. Its directory is a mount of its own, as a rescued disk is.
guest_jail() {
  guest 'mkdir -p /jail && mount -t tmpfs jail /jail && mkdir -p /jail/tmp /jail/var /jail/proc /jail/dev /jail/sys &&
    cp -a /bin /etc /root /jail && for at in proc dev sys; do mount --rbind /$at /jail/$at; done
    chroot /jail /bin/'"$*"'; code=$?
    # Private first, or unmounting the copies below it would unmount what they are copies of.
    mount --make-rprivate /jail; umount -l /jail; rmdir /jail; exit $code'
}

# stays_inside: what escape printed has no way that led out. (Uncovering by umount is another matter: it has its own test.)
stays_inside() {
  local way seen
  exits 0
  for way in plain chroot descriptor /proc/1/root /proc/1/cwd /proc/self/root; do prints_line "$way: inside"; done
  for way in setns 'user namespace'; do
    seen=$(sed -n "s|^$way: ||p" "$T/out")
    # EINVAL: the mounts that a new user namespace inherits are locked (mount_namespaces(7)). EPERM: not allowed at all.
    case $seen in inside | EINVAL | EPERM) ;; *) if active; then fail "expected \"$way\" to end inside, or with EINVAL or EPERM" "$(came)"; fi ;; esac
  done
}

# What a container could leave in the guest, one thing a line.
guest_snapshot='
  cut -d " " -f 4- /proc/self/mountinfo | sed "s/^/mount: /"
  find /sys/fs/cgroup -type d | sed "s/^/cgroup: /"
  for process in /proc/[0-9]*; do
    if exe=$(readlink $process/exe); then echo "process: $exe $(tr "\0" " " <$process/cmdline)"; fi
    readlink $process/ns/net $process/ns/mnt
  done | grep -v "/run/agent/script\|process: .*/busybox \(find\|sed\|grep\|sort\|readlink\)" | sort -u
  find /var/lib/mydocker/containers /run/mydocker -mindepth 1 2>/dev/null | sed "s/^/file: /"
  true'

guest_boot() {
  guest_pid=
  guest_dir=$(mktemp -d "$T/guest.XXXXXX") || return 1
  if [ "$(uname -m)" != x86_64 ]; then guest_why='the guest is an x86_64 machine, this is none'; return 1; fi
  command -v qemu-system-x86_64 >/dev/null || { guest_why='qemu-system-x86_64 is not installed'; return 1; }
  guest_image || { guest_why=$(tail -n 1 "$guest_at/why"); return 1; }
  mkfifo "$guest_dir/agent.in" "$guest_dir/agent.out" || return 1
  # TCG: works everywhere, with or without /dev/kvm. Two CPUs, so that a cpuset means something; one thread for both, since
  # Linux 6.12 changes its own code while it runs, which the emulator with two now and then takes for an invalid instruction
  # (a panic in sched_clock_cpu or anywhere). On a busy host the timer's
  # interrupts come late, which the kernel would take for hardware that does not work.
  setpriv --pdeathsig KILL timeout --foreground -k 1 "${GUEST_SECONDS:-120}" \
    setpriv --pdeathsig KILL qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot -accel tcg,thread=single \
    -cpu max -smp 2 -m "${GUEST_MEMORY:-512}" -kernel "$guest_kernel" -initrd "$guest_initrd" \
    -append "console=ttyS0 quiet panic=-1 no_timer_check $*" \
    -serial "file:$guest_dir/console" -serial "pipe:$guest_dir/agent" \
    </dev/null >"$guest_dir/qemu" 2>&1 &
  guest_pid=$!
  # Opened both ways, or opening would wait for a qemu that may have failed to start.
  exec {guest_in}<>"$guest_dir/agent.in" {guest_out}<>"$guest_dir/agent.out"
  guest_ready 'the guest did not come up'
}

guest_ready() {
  local line
  if ! read -r -t "${GUEST_BOOT:-60}" -u "$guest_out" line || [ "$line" != ready ]; then
    guest_failed "$1"
    return 1
  fi
}

guest_switch_root() {
  guest 'mkdir /new-root && mount -t tmpfs -o mode=755 root /new-root &&
    cp -a /bin /etc /lib /root /new-root && mkdir -m 1777 /new-root/tmp && mkdir /new-root/var' || return 1
  guest_ready 'the guest did not switch its root'
}

# guest_failed WHAT: ends a machine that no longer answers, with its last words.
guest_failed() {
  { echo "$1; the end of its console:"; tail -qn 9 "$guest_dir/console" "$guest_dir/qemu"; } >"$guest_dir/failed"
  kill "$guest_pid" 2>/dev/null
  cat "$guest_dir/failed" >&2
}

guest() {
  local code out err
  if [ -z "$guest_pid" ]; then echo "$guest_why" >&2; return 99; fi
  if [ -e "$guest_dir/failed" ]; then head -n 1 "$guest_dir/failed" >&2; return 99; fi
  printf '%s' "$1" | base64 -w 0 >&"$guest_in"
  echo >&"$guest_in"
  if ! read -r -t "${LIMIT:-30}" -u "$guest_out" code out err; then
    guest_failed "no answer within ${LIMIT:-30} s"
    return 99
  fi
  # head reads no further than asked for, so the two texts and the next answer stay apart.
  head -c "$out" <&"$guest_out"
  head -c "$err" <&"$guest_out" >&2
  return "$code"
}

guest_halt() {
  if [ -z "$guest_pid" ]; then return 0; fi
  kill "$guest_pid" 2>/dev/null
  wait "$guest_pid" 2>/dev/null
  exec {guest_in}>&- {guest_out}>&-
  guest_pid=
  guest_why=$guest_halted
}
