# --mount, --tmpfs, --read-only and --shm-size. Compared with docker 20.10 and 28.

mkdir -p h/dir h/other tree
echo in dir >h/dir/f
echo in a file >h/file
tar -C tree -xf busybox.tar
"$MYDOCKER" run busybox true
host_files() {
  find "$T/h" "$MYDOCKER_ROOT/volumes" -printf '%p %y\n' 2>/dev/null | sort
}
# The line of a mount point: options, then type, source and options of the superblock.
line_of() { echo "grep -E ' ($1) ' /proc/self/mountinfo | cut -d ' ' -f 5-6,7-"; }

begin '--mount type=bind, with the long and the short words'
  run mydocker run --mount "type=bind,src=$T/h/dir,dst=/mnt" busybox cat /mnt/f; exits 0; prints 'in dir'; quiet
  run mydocker run --mount "type=bind,source=$T/h/dir,target=/mnt" busybox cat /mnt/f; prints 'in dir'
  run mydocker run --mount "destination=/mnt,type=bind,source=./h/dir" busybox cat /mnt/f; prints 'in dir'
  run mydocker run --mount="type=bind,src=$T/h/file,dst=/new/file" busybox cat /new/file; prints 'in a file'

begin '--mount of a host path with a colon'
  mkdir -p h/a:b
  echo colon >h/a:b/f
  run mydocker run --mount "type=bind,src=$T/h/a:b,dst=/mnt:x" busybox cat /mnt:x/f
  exits 0; prints colon

for ro in ro readonly ro=true readonly=1; do
  begin "--mount …,$ro cannot be written"
    run mydocker run --mount "type=bind,src=$T/h/dir,dst=/mnt,$ro" busybox sh -c 'cat /mnt/f; echo x >/mnt/x'
    exits 1; prints 'in dir'; says 'Read-only file system'
done

begin '--mount …,ro=false can be written'
  run mydocker run --mount "type=bind,src=$T/h/dir,dst=/mnt,readonly=false" busybox sh -c 'echo x >/mnt/x && rm /mnt/x'
  exits 0; quiet

begin '--mount type=bind does not make a missing source, as docker does not'
  before=$(host_files)
  run mydocker run --mount "type=bind,src=$T/h/new,dst=/mnt" busybox true
  exits 125; one_line; says "$T/h/new"
  same "$before" "$(host_files)"

for propagation in private rprivate shared rshared slave rslave; do
  begin "--mount …,bind-propagation=$propagation is taken"
    run mydocker run --mount "type=bind,src=$T/h/dir,dst=/mnt,bind-propagation=$propagation" busybox cat /mnt/f
    exits 0; prints 'in dir'
    # What the kernel says of it: shared:N, master:N or nothing (proc(5), mountinfo).
    run mydocker run --mount "type=bind,src=$T/h/dir,dst=/mnt,bind-propagation=$propagation" busybox grep ' /mnt ' /proc/self/mountinfo
    case $propagation in
      *shared) contains ' shared:' ;;
      *slave) contains ' master:'; lacks shared: ;;
      *) lacks master:; lacks shared: ;;
    esac
done

# bad ARGUMENT WORD: refused in one line that quotes the argument and names the word; nothing is made.
bad() {
  begin "--mount '${1//$T/DIR}' is refused"
    local before
    before=$(host_files)
    run mydocker run --mount "$1" busybox true
    exits 125; one_line; says "$1"; says "$2"
    same "$before" "$(host_files)"
}
bad '' ''
bad 'type=bind' ''
bad "type=bind,src=$T/h/dir" ''
bad 'type=bind,dst=/mnt' ''
bad "type=bind,src=,dst=/mnt" ''
bad "type=wrong,src=$T/h/dir,dst=/mnt" wrong
bad "src=$T/h/dir,dst=/mnt" ''
bad "type=bind,src=$T/h/dir,dst=mnt" ''
bad "type=bind,src=$T/h/dir,dst=/" ''
bad "type=bind,src=$T/h/dir,dst=/proc" ''
bad "type=bind,src=$T/h/dir,dst=/proc/sys" ''
bad "type=bind,src=h/dir,dst=/mnt" ''
bad "type=bind,src=$T/h/dir,dst=/mnt,wrong=1" wrong
bad "type=bind,src=$T/h/dir,dst=/mnt,wrong" wrong
bad "type=bind,src=$T/h/dir,dst=/mnt,ro=maybe" maybe
bad "type=bind,src=$T/h/dir,dst=/mnt,bind-propagation=wrong" wrong
bad "type=bind,src=$T/h/dir,dst=/etc/passwd" directory
bad "type=bind,src=$T/h/file,dst=/etc" directory
bad 'type=tmpfs,src=x,dst=/mnt' ''
bad 'type=tmpfs' ''
bad 'type=tmpfs,dst=/' ''
bad 'type=tmpfs,dst=/mnt,bind-propagation=shared' bind-propagation
bad 'type=volume,src=data,dst=/mnt,bind-propagation=shared' bind-propagation
bad "type=volume,src=$T/h/dir,dst=/mnt" ''
bad 'type=volume,src=.data,dst=/mnt' ''

begin '--mount type=volume, which is the type where none is said'
  run mydocker run --mount type=volume,src=one,dst=/mnt busybox sh -c 'echo kept >/mnt/f'; exits 0; quiet
  run mydocker run --mount src=one,dst=/mnt,ro busybox sh -c 'cat /mnt/f; echo x >/mnt/x'
  exits 1; prints kept; says 'Read-only file system'
  check test -d "$MYDOCKER_ROOT/volumes/one/_data"
  before=$(host_files)
  run mydocker run --mount type=volume,dst=/mnt busybox sh -c 'echo x >/mnt/f; cat /mnt/f'; exits 0; prints x
  same "$before" "$(host_files)"

begin '--mount type=tmpfs'
  run mydocker run --mount type=tmpfs,dst=/mnt busybox sh -c "$(line_of /mnt); echo x >/mnt/x && cat /mnt/x"
  exits 0; contains '/mnt rw,nosuid,nodev,noexec,relatime - tmpfs'; prints_line x
  run mydocker run --mount type=tmpfs,dst=/mnt,tmpfs-size=1m,tmpfs-mode=700 busybox sh -c "$(line_of /mnt)"
  exits 0; contains size=1024k; contains mode=700
  run mydocker run --mount type=tmpfs,dst=/mnt,ro busybox touch /mnt/x
  exits 1; says 'Read-only file system'

begin '--tmpfs'
  run mydocker run --tmpfs /new/mnt busybox sh -c "$(line_of /new/mnt); stat -c %a /new/mnt; touch /new/mnt/x"
  exits 0; quiet; contains '/new/mnt rw,nosuid,nodev,noexec,relatime - tmpfs'; prints_line 1777

begin '--tmpfs with options'
  run mydocker run --tmpfs /mnt:size=1m,mode=700,uid=1000 busybox sh -c "$(line_of /mnt); stat -c '%a %u' /mnt"
  exits 0; contains size=1024k; prints_line '700 1000'
  run mydocker run --tmpfs /mnt:exec,ro busybox sh -c "$(line_of /mnt)"
  exits 0; contains '/mnt ro,nosuid,nodev,relatime'
  run mydocker run --tmpfs /mnt:size=64k busybox sh -c 'dd if=/dev/zero of=/mnt/big bs=1000 count=100'
  says 'No space left on device'

begin "--tmpfs over a directory of the image hides it and takes its mode, as docker's does"
  run mydocker run --tmpfs /home --tmpfs /tmp busybox sh -c 'ls -A /home; stat -c %a /home /tmp'
  exits 0; prints $'755\n1777'

begin '--tmpfs that hides the command is an error that says where it was looked for'
  run mydocker run --tmpfs /bin busybox ls
  exits 127; one_line; says ls; says /bin

for bad in mnt '' / /proc /proc/x /mnt:wrong /mnt:size=wrong :size=1m; do
  begin "--tmpfs '$bad' is refused"
    run mydocker run --tmpfs "$bad" busybox true
    exits 125; one_line; says "$bad"
done

begin '--read-only: nothing of the root can be written, but for /dev and what is mounted'
  run mydocker run --read-only -v ./h/other:/vol --tmpfs /run busybox sh -c '
    for f in /x /etc/x /tmp/x /bin/x /home/app/x /etc/hosts /etc/hostname /etc/resolv.conf; do echo x >>$f && echo written $f; done
    echo x >/vol/x && echo x >/run/x && echo x >/dev/shm/x && echo x >/dev/null && echo good'
  prints_line good
  lacks written
  same 8 "$(grep -c 'Read-only file system' "$T/err")" 'the number of refusals'
  rm -f h/other/x

begin '--read-only: a target that is missing in the image is made all the same, and the working directory'
  run mydocker run --read-only -v ./h/dir:/new/mnt -w /new/work ./tree sh -c 'cat /new/mnt/f; pwd; touch /new/x'
  exits 1; prints $'in dir\n/new/work'; says 'Read-only file system'
  refuse test -e tree/new

begin '--read-only: the root is remounted so, volumes are not'
  run mydocker run --read-only -v ./h/dir:/mnt busybox grep -E ' (/|/mnt) ' /proc/self/mountinfo
  contains ' / ro,'
  contains ' /mnt rw,'

# shm SIZE K: what the kernel says of it.
shm() {
  begin "--shm-size $1 is $2 kB"
    run mydocker run --shm-size "$1" busybox sh -c "$(line_of /dev/shm)"
    exits 0; quiet; contains '/dev/shm rw,nosuid,nodev,noexec,relatime -'; contains "size=$2k"
}
shm 1m 1024
shm 1M 1024
shm 64k 64
shm 1.5m 1536
shm 1g 1048576
shm 1G 1048576
shm 10 4
shm 8192b 8
shm 2kb 4
shm 1KiB 4
shm 0 65536
shm .5m 512

begin 'without --shm-size it is 64 MB'
  run mydocker run busybox sh -c "$(line_of /dev/shm)"
  contains size=65536k

for bad in 1x '' -1 0x10 m 1mm 1.2.3m 99999999999999999999g; do
  begin "--shm-size '$bad' is refused"
    run mydocker run --shm-size "$bad" busybox true
    exits 125; one_line; says "$bad"
done

begin 'what is mounted inside is not seen outside'
  before=$(perl -ne 's/^\d+ \d+ //; print' /proc/self/mountinfo)
  run mydocker run -v ./h/dir:/mnt busybox sh -c 'mkdir /mnt/in /tmp/in; mount -t tmpfs none /mnt/in; mount -t tmpfs none /tmp/in; mount --bind /etc /mnt/in'
  same "$before" "$(perl -ne 's/^\d+ \d+ //; print' /proc/self/mountinfo)" 'the mounts'
  rmdir h/dir/in 2>/dev/null
