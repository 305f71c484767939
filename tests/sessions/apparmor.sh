# --security-opt apparmor=PROFILE, in an emulated machine whose kernel has AppArmor (Debian's; this machine's may not).
. "$TESTS/initramfs/guest.sh"
cat >profile <<'END'
abi <abi/3.0>,
profile mydocker-test flags=(attach_disconnected,mediate_deleted) {
  file,
  capability,
  network,
  signal,
  deny /etc/hostname r,
}
END
if command -v apparmor_parser >/dev/null && apparmor_parser -K -S profile >policy 2>err.txt; then
  guest_boot apparmor=1 security=apparmor
else
  guest_why='apparmor_parser is not installed'
fi

begin 'a profile is that of the command, whatever else is asked for'
  in_guest
  run guest "mount -t securityfs none /sys/kernel/security; echo $(base64 -w 0 policy 2>/dev/null) | base64 -d >/policy; cat /policy >/sys/kernel/security/apparmor/.load; cat /sys/kernel/security/apparmor/profiles"
  exits 0; prints 'mydocker-test (enforce)'
  for flags in '' --init '--security-opt no-new-privileges' '-u 1000' --privileged '--security-opt seccomp=unconfined'; do
    run guest "mydocker run $flags --security-opt apparmor=mydocker-test busybox cat /proc/self/attr/current"
    exits 0; quiet; prints 'mydocker-test (enforce)'
  done
  run guest "mydocker run --security-opt apparmor:mydocker-test busybox sh -c 'head -n 1 /etc/hosts; cat /etc/hostname'"
  exits 1; contains localhost; says "/etc/hostname': Permission denied"

begin 'without one there is none; mydocker itself keeps what it had'
  in_guest
  for flags in '' '--security-opt apparmor=unconfined'; do
    run guest "mydocker run $flags busybox cat /proc/self/attr/current"
    exits 0; prints unconfined
  done
  run guest 'cat /proc/self/attr/current'
  prints unconfined

begin 'a profile that is not loaded is an error'
  in_guest
  run guest 'mydocker run --security-opt apparmor=nosuch busybox true'
  exits 125; one_line; says 'set the AppArmor profile on nosuch: ENOENT'; says 'no such profile is loaded'

begin 'an image whose /proc is a directory with a file for the profile: what is written to is procfs (CVE-2019-16884)'
  in_guest
  run guest "mkdir -p /fake/proc/self/attr/apparmor /fake/bin /fake/sys /fake/dev /fake/etc && cp /bin/busybox /fake/bin &&
    touch /fake/proc/self/attr/exec /fake/proc/self/attr/apparmor/exec &&
    mydocker run --security-opt apparmor=mydocker-test --rootfs /fake /bin/busybox cat /proc/self/attr/current; cat /fake/proc/self/attr/exec"
  exits 0; prints 'mydocker-test (enforce)'

begin 'CVE-2019-5736 on this kernel as well'
  in_guest
  run guest 'mydocker run busybox /proc/self/exe version'
  exits 126; one_line; prints ''

guest_halt
