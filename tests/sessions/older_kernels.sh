# Kernels that lack the newer system calls: a filter answers them with ENOSYS, and all must be as on a new one.

mkdir -p h/dir/sub tree
echo in dir >h/dir/f
tar -C tree -xf busybox.tar
"$MYDOCKER" run busybox true

detached=fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr
# without CALLS FLAG… : a run on a kernel that has none of these calls.
without() {
  local calls=$1
  shift
  if [ ! -x "$WITHOUT" ]; then skip 'no C compiler for tests/tools/without.c'; return 0; fi
  run "$WITHOUT" "$calls" "$MYDOCKER" run "$@"
}

for calls in clone3 openat2 close_range pidfd_open pidfd_send_signal mount_setattr "$detached" "$detached,clone3" \
  "$detached,openat2" "$detached,openat2,clone3,close_range" "$detached,openat2,clone3,close_range,pidfd_open,pidfd_send_signal,waitid"; do
  begin "without $calls: a root, volumes, a user, limits, an exit code, and nothing left"
    without "$calls" -v ./h/dir:/mnt -v ./h/dir:/new/ro:ro -v named:/data --tmpfs /scratch:size=1m -u app -m 64m \
      --hostname old --read-only busybox sh -c '
        id -un; hostname; cat /mnt/f /new/ro/f; touch /new/ro/x; touch /scratch/x && echo scratch; exit 7'
    exits 7
    prints $'app\nold\nin dir\nin dir\nscratch'
    same 'touch: /new/ro/x: Read-only file system' "$err" 'standard error'
    same '' "$(ls -A "$MYDOCKER_ROOT/containers" 2>/dev/null)" 'the containers'

  begin "without $calls: masks, read-only paths, propagation"
    mount -t tmpfs none h/dir/sub
    without "$calls" -v ./h/dir:/mnt:ro ./tree sh -c '
      head -c 10 /proc/keys | wc -c; ls -A /sys/firmware; touch /mnt/x /sys/x; (echo >>/proc/sys/vm/drop_caches); cat /proc/self/mountinfo'
    lacks shared:
    lacks master:
    contains ' /mnt/sub '
    if [ -e /proc/keys ]; then same 0 "${out%%$'\n'*}" 'the bytes of /proc/keys'; fi
    same 3 "$(grep -c 'Read-only file system' "$T/err")" 'the number of refusals'
    case $calls in
      *mount_setattr*) ;; # docker before 25, on such kernels: what is mounted below is writable.
      *) same 1 "$(grep -c ' /mnt/sub ro' "$T/out")" 'read-only mounts below' ;;
    esac
    umount h/dir/sub

  begin "without $calls: a link in the image stays inside, /proc is no target"
    mkdir -p h/outside
    ln -sfn "$T/h/outside" tree/link; ln -sfn /proc tree/toproc
    without "$calls" -v ./h/dir:/link/x ./tree cat /link/x/f
    same '' "$(ls -A h/outside)" 'what was made on the host'
    without "$calls" -v ./h/dir:/toproc/self ./tree true
    exits 125
done

begin "without close_range: PID 1 of --init has none of the host's descriptors open"
  without close_range --init busybox sh -c 'sleep 0.5; ls /proc/1/fd | wc -l'
  exits 0; prints 3
