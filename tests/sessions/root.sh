# What a container's root looks like. The reference is docker 20.10 and 28 with --network none.

"$MYDOCKER" run busybox true

begin 'the names in /'
  run mydocker run busybox ls -A /
  exits 0; quiet; prints $'bin\ndev\netc\nhome\nproc\nroot\nsys\ntmp\nvar'

begin 'the root is an overlay, can be written, and keeps the mode of the image'
  run mydocker run busybox sh -c 'grep " / / " /proc/self/mountinfo | grep -o " - overlay"; stat -c %a / /tmp /root; echo x >/x && cat /x'
  exits 0; prints $' - overlay\n755\n1777\n700\nx'

begin 'nothing above the root, and no rest of the old one'
  run mydocker run busybox sh -c '[ / -ef /.. ] && [ / -ef /../../.. ] && [ /proc/1/root -ef / ] && echo closed; ls -A /mnt /oldroot /.pivot_root /put_old 2>/dev/null'
  prints closed
  run mydocker run busybox cat /proc/self/mountinfo
  # No mount whose root is that of the host's file system (mountinfo: id, parent, device, root, mount point).
  host_root="$(stat -c %d / | perl -ne 'printf "%d:%d", ($_ >> 8) & 0xfff, ($_ & 0xff) | (($_ >> 12) & 0xfff00)') / "
  lacks "$host_root"

begin 'a chroot inside leads nowhere'
  run mydocker run busybox sh -c 'mkdir /x; cp /bin/busybox /x/sh; chroot /x /sh -c "cd ../../../..; ls /" 2>&1; cd /; ls -d etc'
  prints_line etc; lacks lost+found; lacks usr

# --- /dev -------------------------------------------------------------------------------------------------------------

begin 'the names in /dev'
  run mydocker run busybox ls -A /dev
  exits 0; quiet
  # core is there where the kernel has a /proc/kcore.
  same $'fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero' "$(grep -vx core "$T/out")" 'the names'

begin 'its devices have the numbers, modes and owner of docker'"'"'s'
  run mydocker run busybox sh -c 'cd /dev; stat -c "%n %F %t:%T %a %u:%g" full null random tty urandom zero'
  prints 'full character special file 1:7 666 0:0
null character special file 1:3 666 0:0
random character special file 1:8 666 0:0
tty character special file 5:0 666 0:0
urandom character special file 1:9 666 0:0
zero character special file 1:5 666 0:0'

begin 'whatever the umask of the caller'
  run sh -c "umask 077; \"$MYDOCKER\" run busybox sh -c 'stat -c %a /dev /dev/null /dev/shm /proc /etc/hosts /etc/resolv.conf /etc/hostname; umask'"
  prints $'755\n666\n1777\n555\n644\n644\n644\n0022'

begin 'its links'
  run mydocker run busybox sh -c 'cd /dev; for l in fd ptmx stderr stdin stdout; do readlink $l; done'
  prints $'/proc/self/fd\npts/ptmx\n/proc/self/fd/2\n/proc/self/fd/0\n/proc/self/fd/1'

begin 'its devices work'
  run mydocker run busybox sh -c 'echo x >/dev/null; head -c 4 /dev/zero | od -An -tx1; head -c 4 /dev/urandom | wc -c; head -c 4 /dev/random | wc -c; echo x >/dev/full; echo in | cat /dev/stdin; ls /dev/fd/ >/dev/null && echo fd'
  prints $' 00 00 00 00\n4\n4\nin\nfd'
  says 'No space left on device'
  run mydocker run busybox sh -c 'echo out >/dev/stdout; echo err >/dev/stderr'
  prints out; same err "$err"

begin 'a new terminal can be opened in its own devpts'
  run mydocker run busybox sh -c 'ls /dev/pts; exec 3<>/dev/ptmx; ls /dev/pts; stat -c "%a %t:%T" /dev/pts/0'
  exits 0; prints $'ptmx\n0\nptmx\n620 88:0'

begin '/dev/tty without a terminal is ENXIO'
  run mydocker run busybox sh -c 'echo x >/dev/tty'
  exits 1; says 'No such device or address'

# --- mounts -----------------------------------------------------------------------------------------------------------

begin 'the options of the mounts'
  run mydocker run busybox sh -c 'cut -d " " -f 5-6 /proc/self/mountinfo'
  # The order of nosuid, nodev and noexec is the kernel's.
  prints_line '/proc rw,nosuid,nodev,noexec,relatime'
  prints_line '/sys ro,nosuid,nodev,noexec,relatime'
  prints_line '/dev/pts rw,nosuid,noexec,relatime'
  prints_line '/dev/shm rw,nosuid,nodev,noexec,relatime'
  prints_line '/dev/mqueue rw,nosuid,nodev,noexec,relatime'
  if active && ! grep -qE '^/dev rw,nosuid(,relatime)?$' "$T/out"; then fail '/dev is not rw,nosuid' "$(grep '^/dev ' "$T/out")"; fi
  run mydocker run busybox sh -c 'grep " /dev/pts " /proc/self/mountinfo'
  contains gid=5; contains mode=620; contains ptmxmode=666
  run mydocker run busybox sh -c 'grep -E " /dev " /proc/self/mountinfo'
  contains mode=755; contains size=65536k

begin 'each of them once'
  run mydocker run busybox sh -c 'cut -d " " -f 5 /proc/self/mountinfo | sort | uniq -d'
  prints ''

# --- what is masked and read-only ---------------------------------------------------------------------------------------

begin "files of docker's list read empty where the kernel has them"
  for file in kcore keys latency_stats timer_list timer_stats sched_debug interrupts; do
    # Interrupts is on the list since docker 28; a kernel without the others needs no mask.
    if [ ! -e "/proc/$file" ] || [ "$file" = interrupts ]; then continue; fi
    run mydocker run busybox sh -c "head -c 100 /proc/$file | wc -c"
    exits 0; prints 0
  done

begin "directories of docker's list are empty where the kernel has them, and stay so"
  for dir in /proc/acpi /proc/asound /proc/scsi /sys/firmware /sys/devices/virtual/powercap; do
    if [ ! -d "$dir" ]; then continue; fi
    run mydocker run busybox sh -c "ls -A $dir; touch $dir/x"
    exits 1; prints ''; says 'Read-only file system'
  done

begin 'what can be read but not written'
  for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/vm/drop_caches /proc/sysrq-trigger /proc/irq/default_smp_affinity; do
    if [ ! -e "$file" ]; then continue; fi
    run mydocker run busybox sh -c "exec 3>>$file"
    if active && [ "$code" = 0 ]; then fail "$file can be written"; fi
    says 'Read-only file system'
  done
  run mydocker run busybox sh -c 'for p in bus fs irq sys; do grep -c " /proc/$p ro," /proc/self/mountinfo; done'
  expected=
  for dir in bus fs irq sys; do if [ -d "/proc/$dir" ]; then expected+=$'1\n'; else expected+=$'0\n'; fi; done
  prints "${expected%$'\n'}"

begin '/sys cannot be written'
  run mydocker run busybox sh -c 'for f in /sys/kernel/uevent_helper /sys/power/state /sys/kernel/profiling; do [ -e $f ] && echo x >$f && echo written; done; mkdir /sys/x'
  lacks written; says 'Read-only file system'

begin 'a mask can neither be removed nor written through'
  run mydocker run busybox sh -c 'echo x >/proc/keys; umount /proc/keys 2>/dev/null; head -c 10 /proc/keys | wc -c'
  if [ -e /proc/keys ] && active && [ "$(tail -n 1 <<<"$out")" != 0 ]; then skip 'umount is still allowed to root in the container'; fi

# --- /etc -----------------------------------------------------------------------------------------------------------------

begin '/etc/hosts names localhost, for both families'
  run mydocker run busybox cat /etc/hosts
  prints_line $'127.0.0.1\tlocalhost'
  prints_line $'::1\tlocalhost ip6-localhost ip6-loopback'
  # docker 20.10 writes fe00::0, 28 fe00::.
  contains $'\nfe00::'; contains $'\tip6-localnet'
  contains $'\nff00::'; contains $'\tip6-mcastprefix'
  prints_line $'ff02::1\tip6-allnodes'
  prints_line $'ff02::2\tip6-allrouters'

begin '/etc/hostname is the hostname'
  run mydocker run busybox sh -c '[ "$(cat /etc/hostname)" = "$(hostname)" ] && wc -l </etc/hostname'
  prints 1

begin "/etc/resolv.conf has the host's name servers, but for those on its own loopback"
  run mydocker run busybox cat /etc/resolv.conf
  exits 0
  while read -r word address _; do
    case $word:$address in
      nameserver:127.* | nameserver:::1) lacks "$address" ;;
      nameserver:*) prints_line "nameserver $address" ;;
    esac
  done </etc/resolv.conf

begin 'they are its own: written inside, unchanged outside'
  sums=$(cat /etc/hosts /etc/resolv.conf /etc/hostname | sha256sum)
  run mydocker run busybox sh -c 'for f in hosts resolv.conf hostname; do echo mine >>/etc/$f; tail -n 1 /etc/$f; done'
  exits 0; prints $'mine\nmine\nmine'
  same "$sums" "$(cat /etc/hosts /etc/resolv.conf /etc/hostname | sha256sum)" 'the files of the host'
  run mydocker run busybox cat /etc/hosts
  lacks mine

# --- the process -----------------------------------------------------------------------------------------------------------

begin 'no descriptor of ours or of the caller comes along'
  run sh -c "exec 3</etc/passwd 7<. 9>/dev/null; \"$MYDOCKER\" run busybox sh -c 'ls /proc/1/fd; ls -l /proc/1/fd | grep -c passwd'"
  # The shell may hold one of its own at 10; ours would be found by what they are.
  prints $'0\n1\n2\n0'

begin 'pid 1 is the command itself'
  run mydocker run busybox sh -c 'readlink /proc/1/exe; tr "\0" " " </proc/1/cmdline'
  contains /bin/busybox; lacks mydocker

begin 'it leads a session of its own'
  run mydocker run busybox sh -c 'cut -d " " -f 4-6 /proc/1/stat'
  prints '0 1 1'

begin 'signals: none blocked, none ignored, whatever the caller did'
  run perl -e '$SIG{$_} = "IGNORE" for qw(PIPE INT QUIT HUP CHLD USR1); exec @ARGV' "$MYDOCKER" run busybox grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status
  prints $'SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000'

begin "the caller's nice value is kept, his umask is not"
  run sh -c "umask 077; nice -n 5 \"$MYDOCKER\" run busybox sh -c 'cut -d \" \" -f 19 /proc/self/stat; umask'"
  prints $'5\n0022'

# --- hostile and poor images -------------------------------------------------------------------------------------------------

# tree: a fresh directory image.
fresh_tree() {
  rm -rf tree; mkdir tree; tar -C tree -xf busybox.tar
  rm -rf canary; mkdir canary; echo canary >canary/null; echo canary >canary/ptmx; echo canary >canary/hosts
  canary_before=$(find canary -printf '%p %y %m %T@ %s\n' | sort)
}
canary_whole() { same "$canary_before" "$(find canary -printf '%p %y %m %T@ %s\n' | sort)" 'the canary'; }

for name in proc sys; do
  for to in /tmp "$PWD/canary" ../../../../../../etc /nowhere; do
    begin "an image whose /$name is a link to $to is refused"
      fresh_tree; ln -s "$to" "tree/$name"
      run mydocker run ./tree true
      exits 125; one_line; says "/$name"
      canary_whole
  done
done

begin 'an image whose /dev is a link (CVE-2026-41579): refused, or resolved inside'
  fresh_tree; ln -s "$PWD/canary" tree/dev
  run mydocker run ./tree sh -c 'stat -c %F /dev/null'
  if active && [ "$code" != 0 ]; then exits 125; one_line; says /dev; fi
  canary_whole

begin 'an image whose /etc, or what is in it, are links'
  fresh_tree; ln -sf "$PWD/canary/hosts" tree/etc/hosts; ln -sf ../../../../../../../etc/hostname tree/etc/hostname
  mkdir tree/etc/resolv.conf
  sums=$(cat /etc/hostname | sha256sum)
  run mydocker run ./tree true
  if active && [ "$code" != 0 ]; then exits 125; one_line; says /etc/; fi
  canary_whole
  same "$sums" "$(cat /etc/hostname | sha256sum)"
  fresh_tree; mv tree/etc tree/real; ln -s "$PWD/canary" tree/etc
  run mydocker run ./tree true
  if active && [ "$code" != 0 ]; then exits 125; one_line; says /etc; fi
  canary_whole

begin 'an image with files in /dev, /proc and /sys of its own: they are covered, not changed'
  fresh_tree; mkdir tree/dev tree/proc tree/sys
  echo own >tree/dev/null; ln -s "$PWD/canary" tree/dev/pts; ln -s "$PWD/canary" tree/dev/shm; echo own >tree/proc/keys; echo own >tree/sys/own
  run mydocker run ./tree sh -c 'echo x >/dev/null; stat -c %F /dev/null; ls -d /sys/own'
  prints 'character special file'; says /sys/own
  same own "$(cat tree/dev/null)"
  canary_whole

begin 'an image whose /proc is a file is refused'
  fresh_tree; echo file >tree/proc
  run mydocker run ./tree true
  exits 125; one_line; says /proc

begin 'an image with one static program and nothing else'
  rm -rf tree; mkdir tree; cp /bin/busybox tree/busybox
  run mydocker run ./tree /busybox ls -A /
  exits 0; quiet; prints $'busybox\ndev\netc\nproc\nsys'
  same busybox "$(ls -A tree)"
