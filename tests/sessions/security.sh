# Capabilities, no_new_privs, the seccomp filter: the flags and what the command has of them. What the answers have to
# be is docker's: 14 capabilities in the bounding set, none inheritable (moby's oci/defaults.go, daemon/pkg/oci/caps).

# sets: the command's own, as `Prm Eff Bnd Inh Amb`.
sets() { mydocker run "$@" busybox awk '/^Cap/ { set[$1] = $2 } END {
  print set["CapPrm:"], set["CapEff:"], set["CapBnd:"], set["CapInh:"], set["CapAmb:"] }' /proc/self/status; }
none=0000000000000000
ours=$(awk '/^CapBnd/ { print $2 }' /proc/self/status)

# has CAPS FLAG…: root's command has exactly these.
has() {
  local caps=$1
  shift
  begin "capabilities of run $*"
    run sets "$@"
    exits 0; quiet; prints "$caps $caps $caps $none $none"
}
has 00000000a80425fb
has 00000000a80435fb --cap-add NET_ADMIN
has 00000000a80435fb --cap-add cap_net_admin
has 00000000a80425fa --cap-drop CHOWN
has 00000000a0042ddb --cap-drop=MKNOD --cap-drop CAP_KILL --cap-add NET_BROADCAST
has "$none" --cap-drop ALL
has 0000000000000020 --cap-drop all --cap-add kill
has 00000000a80425fb --cap-add KILL --cap-drop KILL
has "$ours" --privileged
has "$ours" --cap-add ALL
has "$(printf %016x $((0x$ours & ~1)))" --cap-add ALL --cap-drop CHOWN

begin 'another user has none of them, but what it executes may gain those of the bounding set'
  run sets -u 1000
  exits 0; quiet; prints "$none $none 00000000a80425fb $none $none"
  run sets -u 1000 --privileged
  exits 0; prints "$none $none $ours $none $none"

begin "the caller's inheritable and ambient capabilities are not the container's (CVE-2022-29162)"
  need setpriv
  run setpriv --inh-caps +net_admin,+chown --ambient-caps +net_admin,+chown "$MYDOCKER" run busybox grep -E '^Cap(Inh|Amb)' /proc/self/status
  exits 0; quiet; prints $'CapInh:\t'"$none"$'\nCapAmb:\t'"$none"
  run setpriv --inh-caps +net_admin --ambient-caps +net_admin "$MYDOCKER" run -u 1000 busybox grep -E '^Cap(Inh|Amb|Prm|Eff)' /proc/self/status
  exits 0; prints $'CapInh:\t'"$none"$'\nCapPrm:\t'"$none"$'\nCapEff:\t'"$none"$'\nCapAmb:\t'"$none"

begin 'what mydocker itself does not have is not in the default, and an error where it is asked for'
  need setpriv
  run setpriv --bounding-set -audit_write,-kill "$MYDOCKER" run busybox grep CapBnd /proc/self/status
  exits 0; quiet; prints $'CapBnd:\t00000000880425db'
  run setpriv --bounding-set -sys_time "$MYDOCKER" run --cap-add SYS_TIME busybox true
  exits 125; one_line; says SYS_TIME
  run setpriv --bounding-set -sys_time "$MYDOCKER" run --privileged busybox grep CapBnd /proc/self/status
  exits 0; prints $'CapBnd:\t'"$(printf %016x $((0x$ours & ~(1 << 25))))"

# wrong WORD FLAG…: refused in one line that names it.
wrong() {
  local word=$1
  shift
  begin "refused: run $*"
    run mydocker run "$@" busybox true
    exits 125; one_line; says "$word"; prints ''
}
wrong NOSUCH --cap-add NOSUCH
wrong SYS_ --cap-drop SYS_
wrong -- --cap-add ''
wrong nosuch --security-opt nosuch
wrong no-new-privileges=perhaps --security-opt no-new-privileges=perhaps
wrong seccomp=/etc/profile.json --security-opt seccomp=/etc/profile.json

begin 'a seccomp filter by default, no_new_privs on demand, neither seccomp nor less when told so'
  status() { mydocker run "$@" busybox awk '/^(NoNewPrivs|Seccomp):/ { printf "%s ", $2 }' /proc/self/status; }
  run status; exits 0; prints '0 2 '
  run status --security-opt no-new-privileges; exits 0; prints '1 2 '
  run status --security-opt no-new-privileges:true -u 1000; exits 0; prints '1 2 '
  run status --security-opt no-new-privileges --security-opt no-new-privileges=false; exits 0; prints '0 2 '
  run status --security-opt seccomp=unconfined; exits 0; prints '0 0 '
  run status --security-opt seccomp=unconfined --security-opt seccomp=builtin; exits 0; prints '0 2 '
  run status --privileged; exits 0; prints '0 0 '
  run status --privileged --security-opt no-new-privileges; exits 0; prints '1 0 '
  run status --init; exits 0; prints '0 2 '

begin 'the filter refuses what the capabilities alone would not'
  # A user namespace needs no capability: unshare(CLONE_NEWUSER) by any user is refused by seccomp alone.
  run mydocker run -u 1000 busybox unshare -U true
  exits 1; says 'Operation not permitted'
  run mydocker run -u 1000 --security-opt seccomp=unconfined busybox unshare -U true
  exits 0; quiet
  # With the capability the calls that it is for come too, as docker's profile has it.
  run mydocker run --cap-add SYS_ADMIN busybox sh -c 'mount -t tmpfs none /tmp && umount /tmp'
  exits 0; quiet
  run mydocker run busybox sh -c 'mount -t tmpfs none /tmp'
  exits 1

begin 'chroot, mknod and the like work as they do in docker; without their capability they do not'
  run mydocker run busybox chroot / true; exits 0; quiet
  run mydocker run --cap-drop SYS_CHROOT busybox chroot / true; exits 1; says 'not permitted'
  run mydocker run busybox mknod /tmp/null c 1 3; exits 0; quiet
  run mydocker run --cap-drop MKNOD busybox mknod /tmp/null c 1 3; exits 1; says 'not permitted'
  run mydocker run busybox chown 1 /tmp; exits 0; quiet
  run mydocker run --cap-drop ALL busybox chown 1 /tmp; exits 1; says 'not permitted'

begin 'a setuid file gives root, unless no_new_privs holds'
  need gcc
  printf '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%%d\\n", geteuid()); return 0; }\n' >euid.c
  gcc -static -Os -o euid euid.c && chmod 4755 euid || fail 'no static program'
  run mydocker run -v "$T/euid:/euid" -u 1000 busybox /euid; exits 0; prints 0
  run mydocker run -v "$T/euid:/euid" -u 1000 --security-opt no-new-privileges busybox /euid; exits 0; prints 1000

begin 'systempaths=unconfined shows what is otherwise hidden and read-only'
  run mydocker run busybox sh -c 'cat /proc/timer_list | wc -c; echo x >/proc/sys/kernel/domainname'
  says 'Read-only file system'; prints 0
  run mydocker run --security-opt systempaths=unconfined busybox sh -c 'echo x >/proc/sys/kernel/domainname && cat /proc/sys/kernel/domainname'
  exits 0; quiet; prints x

begin 'a filter, a bound or a set that cannot be had ends the start'
  need strace
  for call in seccomp capset prctl setresuid setresgid setgroups; do
    run strace -f -qqq -o /dev/null -e "inject=$call:error=EPERM" "$MYDOCKER" run -u 1000 busybox echo started
    exits 125; prints ''; says EPERM; one_line
  done
