# -v in all its forms. The reference is docker run -v (20.10 and 28), where not said otherwise.

mkdir -p h/dir/sub h/other tree
echo in a file >h/file
echo in dir >h/dir/f
tar -C tree -xf busybox.tar
# Before the first table: the image is there, so that only a volume can make something.
"$MYDOCKER" run busybox true

# All that a bad argument could have made on the host.
host_files() {
  find "$T" -path "$T/tree" -prune -o -path "$MYDOCKER_ROOT/layers" -prune -o \
    -not -name out -not -name err -not -name report -not -name 'in*' -printf '%p %y\n' | sort
}

# --- host directories -------------------------------------------------------------------------------------------

begin 'a host directory is seen and written to'
  run mydocker run -v "$T/h/dir:/mnt" busybox sh -c 'cat /mnt/f; echo new >/mnt/new'
  exits 0; quiet; prints 'in dir'
  same new "$(cat h/dir/new)"
  rm -f h/dir/new

begin '--volume, and several of them'
  run mydocker run --volume "$T/h/dir:/a" --volume="$T/h/other:/b" -v "$T/h/file:/c" busybox sh -c 'ls /a; ls /b; cat /c'
  exits 0; prints $'f\nsub\nin a file'

begin 'forty of them'
  args=()
  for n in $(seq 40); do args+=(-v "$T/h/dir:/many/$n"); done
  run mydocker run "${args[@]}" busybox sh -c 'cat /many/*/f | wc -l'
  exits 0; prints 40

begin 'a missing host directory is made, with its parents, for root'
  run mydocker run -v "$T/h/made/deep:/mnt" busybox sh -c 'echo x >/mnt/x'
  exits 0
  same x "$(cat h/made/deep/x)"
  same 'root 755' "$(stat -c '%U %a' h/made/deep)"
  same 'root 755' "$(stat -c '%U %a' h/made)"
  rm -rf h/made

begin 'whatever the umask'
  run sh -c "umask 077; \"$MYDOCKER\" run -v \"$T/h/made:/mnt\" busybox sh -c 'umask; stat -c %a / /mnt'"
  exits 0
  same 755 "$(stat -c '%a' h/made)" 'the mode of the directory made'
  rm -rf h/made

begin 'relative host paths: ./x, ../x and .'
  mkdir -p below
  run mydocker run -v ./h/dir:/mnt busybox cat /mnt/f; exits 0; prints 'in dir'
  run sh -c "cd below; \"$MYDOCKER\" run -v ../h/dir:/mnt busybox cat /mnt/f"; exits 0; prints 'in dir'
  run mydocker run -v .:/mnt busybox cat /mnt/h/dir/f; exits 0; prints 'in dir'
  run mydocker run -v ./h/made:/mnt busybox true; exits 0
  check test -d h/made
  rm -rf h/made

begin 'a missing target is made in the container and never in the image'
  run mydocker run -v ./h/dir:/new/target ./tree sh -c 'cat /new/target/f; stat -c %a /new'
  exits 0; prints $'in dir\n755'
  run mydocker run ./tree ls -d /new
  exits 1
  refuse test -e tree/new

begin 'an odd name: blank, comma, backslash, newline, bytes that are no UTF-8'
  odd=$'h/odd name,with=all\\of\nthem\xff'
  mkdir -p "$odd"
  echo odd >"$odd/f"
  run mydocker run -v "$T/$odd:/mnt" -v "./h/dir:/odd "$'t,a\\r\ng\xff' busybox sh -c $'cat /mnt/f "/odd t,a\\\\r\ng\xff/f"'
  exits 0; prints $'odd\nin dir'
  rm -rf "$odd"

begin 'a host path that is a link is followed'
  ln -sfn dir h/link
  run mydocker run -v "$T/h/link:/mnt" busybox cat /mnt/f
  exits 0; prints 'in dir'

begin 'what is mounted below the source is there, too'
  mount -t tmpfs none h/dir/sub
  echo below >h/dir/sub/f
  run mydocker run -v ./h/dir:/mnt busybox cat /mnt/sub/f
  exits 0; prints below
  umount h/dir/sub

begin 'the source keeps its own nosuid, nodev and noexec'
  mkdir -p h/locked
  mount -t tmpfs -o nosuid,nodev,noexec none h/locked
  run mydocker run -v ./h/locked:/mnt -v ./h/locked:/ro:ro busybox grep -E ' /(mnt|ro) ' /proc/self/mountinfo
  contains '/mnt rw,nosuid,nodev,noexec'
  contains '/ro ro,nosuid,nodev,noexec'
  umount h/locked

# --- files, sockets, FIFOs, devices ------------------------------------------------------------------------------

begin 'a single file, on one of the image and on a new name'
  run mydocker run -v "$T/h/file:/etc/passwd" -v "$T/h/file:/new/name" busybox cat /etc/passwd /new/name
  exits 0; prints $'in a file\nin a file'
  run mydocker run -v "$T/h/file:/etc/motd" busybox sh -c 'echo changed >/etc/motd'
  exits 0
  same changed "$(cat h/file)"
  echo in a file >h/file

begin 'a FIFO is a source, and nobody waits for its other end'
  mkfifo h/fifo
  LIMIT=10 run mydocker run -v ./h/fifo:/run/fifo busybox sh -c '[ -p /run/fifo ] && echo fifo'
  exits 0; prints fifo

begin 'a socket is a source'
  perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un("h/sock")) or die $!'
  run mydocker run -v ./h/sock:/run/sock busybox sh -c '[ -S /run/sock ] && echo socket'
  exits 0; prints socket

begin 'a device is a source'
  run mydocker run -v /dev/null:/run/null busybox sh -c '[ -c /run/null ] && echo x >/run/null && echo device'
  exits 0; prints device

# --- options ------------------------------------------------------------------------------------------------------

begin ':ro cannot be written, nor can what is mounted below it'
  mount -t tmpfs none h/dir/sub
  echo below >h/dir/sub/f
  run mydocker run -v ./h/dir:/mnt:ro busybox sh -c 'cat /mnt/f /mnt/sub/f; echo x >/mnt/x; echo x >/mnt/sub/x'
  prints $'in dir\nbelow'
  same 2 "$(grep -c 'Read-only file system' "$T/err")" 'the number of refusals'
  refuse test -e h/dir/x
  refuse test -e h/dir/sub/x
  umount h/dir/sub

begin ':ro of a single file'
  run mydocker run -v ./h/file:/etc/motd:ro busybox sh -c 'cat /etc/motd; echo x >/etc/motd'
  exits 1; prints 'in a file'; says 'Read-only file system'

for option in rw z Z rprivate private slave rslave shared rshared ro,z Z,ro rslave,ro rw,rshared,z; do
  begin ":$option is taken"
    run mydocker run -v "./h/dir:/mnt:$option" busybox cat /mnt/f
    exits 0; prints 'in dir'; quiet
done

# seen_inside OPTION: does a container see what the host mounts below the volume after the start?
seen_inside() {
  rm -f go; mkfifo go
  "$MYDOCKER" run -i -v "./h/dir:/mnt:$1" busybox sh -c 'echo ready >&2; read x; cat /mnt/sub/f' <go >inside 2>ready &
  local pid=$!
  exec 9>go
  for _ in $(seq 600); do if [ -s ready ]; then break; fi; sleep 0.05; done
  mount -t tmpfs none h/dir/sub
  echo mounted later >h/dir/sub/f
  echo >&9
  exec 9>&-
  wait "$pid"
  umount h/dir/sub
  cat inside
}
for option in rw private rprivate; do
  begin ":$option does not see what the host mounts later"
    same '' "$(seen_inside "$option")"
done
for option in rslave rshared; do
  begin ":$option sees what the host mounts later"
    same 'mounted later' "$(seen_inside "$option")"
done

begin ':rslave inside does not show the host what the container mounts; :rshared does'
  mkdir -p h/prop
  run mydocker run --cap-add SYS_ADMIN -v "$T/h/prop:/mnt:rslave" busybox sh -c 'mkdir -p /mnt/in && mount -t tmpfs none /mnt/in && echo mounted'
  prints mounted
  refuse grep -q "$T/h/prop/in" /proc/self/mountinfo
  run mydocker run --cap-add SYS_ADMIN -v "$T/h/prop:/mnt:rshared" busybox sh -c 'mkdir -p /mnt/in && mount -t tmpfs none /mnt/in && echo mounted'
  prints mounted
  check grep -q "$T/h/prop/in" /proc/self/mountinfo
  umount "$T/h/prop/in" 2>/dev/null

begin ':shared and :slave of a source that is neither are refused, as docker does'
  mkdir -p h/private
  mount -t tmpfs none h/private
  mount --make-private h/private
  for option in shared rshared slave rslave; do
    run mydocker run -v "./h/private:/mnt:$option" busybox true
    exits 125; one_line; says "./h/private:/mnt:$option"
  done
  umount h/private

# --- where the target is --------------------------------------------------------------------------------------------

begin 'a target inside another volume, in either order'
  run mydocker run -v ./h/dir:/a -v ./h/other:/a/sub busybox sh -c 'cat /a/f; echo one >/a/sub/x'
  exits 0; prints 'in dir'
  same one "$(cat h/other/x)"
  run mydocker run -v ./h/other:/a/sub -v ./h/dir:/a busybox sh -c 'cat /a/f /a/sub/x'
  exits 0; prints $'in dir\none'
  rm -f h/other/x

begin 'and where that other volume does not have the directory, it is made there'
  run mydocker run -v ./h/other:/a -v ./h/dir:/a/new busybox cat /a/new/f
  exits 0; prints 'in dir'
  same new "$(ls h/other)"
  rmdir h/other/new

begin 'in a read-only volume it cannot be made, and the error says so'
  run mydocker run -v ./h/other:/a:ro -v ./h/dir:/a/new busybox true
  exits 125; one_line; says ./h/dir:/a/new; says EROFS
  same '' "$(ls h/other)"

begin 'a target that is a link in the image is resolved inside the root'
  mkdir -p tree/real h/outside
  ln -sfn /real tree/link
  ln -sfn ../../../../../../../../real tree/up
  ln -sfn "$T/h/outside/new" tree/dangling
  ln -sfn loop tree/loop
  run mydocker run -v ./h/dir:/link ./tree cat /real/f; exits 0; prints 'in dir'
  run mydocker run -v ./h/dir:/up/below ./tree cat /real/below/f; exits 0; prints 'in dir'
  run mydocker run -v ./h/dir:/dangling ./tree cat "$T/h/outside/new/f"
  if [ "$code" != 0 ]; then exits 125; one_line; says ./h/dir:/dangling; fi
  same '' "$(ls -A h/outside)" 'what was made on the host'
  run mydocker run -v ./h/dir:/loop/x ./tree true
  exits 125; one_line; says ./h/dir:/loop/x; says ELOOP
  refuse test -e tree/real/below

begin 'a link in the image that leads to /proc is no way around the rule'
  ln -sfn /proc tree/toproc
  run mydocker run -v ./h/dir:/toproc/self ./tree true
  exits 125; one_line; says ./h/dir:/toproc/self

begin 'a link in a volume does not lead out of the container'
  ln -sfn "$T/h/outside" h/other/out
  run mydocker run -v ./h/other:/a -v ./h/dir:/a/out/x busybox sh -c 'cat /a/out/x/f'
  same '' "$(ls -A h/outside)" 'what was made on the host'
  rm -f h/other/out

begin 'over /etc/hosts, /tmp, /dev/shm and below /dev and /sys'
  run mydocker run -v ./h/file:/etc/hosts -v ./h/file:/etc/hostname -v ./h/file:/etc/resolv.conf busybox \
    cat /etc/hosts /etc/hostname /etc/resolv.conf
  exits 0; prints $'in a file\nin a file\nin a file'
  run mydocker run -v ./h/dir:/dev/shm busybox cat /dev/shm/f
  exits 0; prints 'in dir'
  run mydocker run -v ./h/dir:/dev/new busybox cat /dev/new/f
  exits 0; prints 'in dir'

# --- bad ones ---------------------------------------------------------------------------------------------------------

# bad ARGUMENT [WORD]: refused by one line that quotes it, and nothing is made on the host.
bad() {
  begin "-v '${1//$T/DIR}' is refused"
    local before
    before=$(host_files)
    run mydocker run -v "$1" busybox true
    exits 125; one_line; says "$1"; prints ''
    if [ -n "$2" ]; then says "$2"; fi
    same "$before" "$(host_files)" 'the files on the host'
}
bad a:b:c:d
bad "$T/h/dir:/mnt:ro:rw"
bad ''
bad :/mnt
bad "$T/h/new:"
bad "$T/h/new:/mnt:"
bad "$T/h/new:ro"
bad "$T/h/new:mnt"
bad "$T/h/new:./mnt"
bad "$T/h/new:/"
bad "$T/h/new://"
bad "$T/h/new:/mnt/.."
bad "$T/h/new:/../.."
bad "$T/h/new:/proc"
bad "$T/h/new:/proc/self/fd"
bad "$T/h/new:/proc/"
bad "$T/h/new://proc/sys"
bad "$T/h/new:/tmp/../proc/1"
bad "$T/h/new:/mnt:wrong" wrong
bad "$T/h/new:/mnt:RO"
bad "$T/h/new:/mnt:ro,rw"
bad "$T/h/new:/mnt:ro,ro"
bad "$T/h/new:/mnt:ro,"
bad "$T/h/new:/mnt:,"
bad "$T/h/new:/mnt:slave,private"
bad "$T/h/new:/mnt:nocopy"
bad "h/new:/mnt"
bad "~/new:/mnt"
bad "new volume:/mnt"
bad "data:/mnt:shared"
bad "/"
bad "/proc/self"
bad relative
bad "$T/h/file/below:/mnt" ENOTDIR
bad "$T/h/dir:/etc/passwd" directory
bad "$T/h/file:/etc" directory
bad "$T/h/dir:/bin/busybox/x"

begin 'two on one target are refused, however it is written'
  before=$(host_files)
  for second in "$T/h/new:/mnt" "$T/h/new:/mnt/" "$T/h/new://mnt" "$T/h/new:/x/../mnt" data:/mnt /mnt; do
    run mydocker run -v "$T/h/new1:/mnt" -v "$second" busybox true
    exits 125; one_line; says "$second"
  done
  run mydocker run -v "$T/h/new1:/mnt" --tmpfs /mnt busybox true
  exits 125; one_line; says /mnt
  run mydocker run -v "$T/h/new1:/mnt" --mount type=tmpfs,dst=/mnt busybox true
  exits 125; one_line; says /mnt
  same "$before" "$(host_files)" 'the files on the host'

begin 'where one of several is wrong, none of the others is made'
  before=$(host_files)
  for wrong in a:b:c:d "$T/h/x:/proc" "$T/h/dir:/etc/passwd" "$T/h/file:/etc"; do
    run mydocker run -v "$T/h/new:/mnt" -v data:/data -v "$wrong" busybox true
    exits 125; one_line; says "$wrong"
    same "$before" "$(host_files)" 'the files on the host'
  done

begin 'a file on a directory, and the reverse: the message says which is which'
  run mydocker run -v "$T/h/dir:/etc/passwd" busybox true
  exits 125
  if active && ! [[ $err =~ directory.*file|file.*directory ]]; then fail 'it names neither' "$(came)"; fi
  run mydocker run -v "$T/h/file:/etc" busybox true
  exits 125
  if active && ! [[ $err =~ directory.*file|file.*directory ]]; then fail 'it names neither' "$(came)"; fi

# --- named and anonymous ----------------------------------------------------------------------------------------------

begin 'a named volume keeps its content from one container to the next'
  run mydocker run -v data:/data busybox sh -c 'echo kept >/data/f'
  exits 0; quiet
  run mydocker run -v data:/elsewhere busybox cat /elsewhere/f
  exits 0; prints kept
  same kept "$(cat "$MYDOCKER_ROOT/volumes/data/_data/f")"

begin "it is filled from the image's content on first use, with owners, modes, times and links"
  mkdir -p tree/srv/sub
  echo content >tree/srv/file
  echo secret >tree/srv/sub/deep
  ln -sfn file tree/srv/link
  ln -f tree/srv/file tree/srv/hard
  mkfifo tree/srv/fifo
  chmod 4751 tree/srv/file; chmod 2770 tree/srv/sub
  chown 1000:2000 tree/srv/sub tree/srv/sub/deep; chown 5:6 tree/srv; chmod 711 tree/srv
  chmod 4751 tree/srv/file
  touch -d '2001-02-03 04:05:06' tree/srv/sub/deep
  touch -d '2002-02-03 04:05:06' tree/srv/sub
  run mydocker run -v filled:/srv ./tree sh -c 'cat /srv/file /srv/link /srv/sub/deep
    stat -c "%n %a %u:%g" /srv /srv/file /srv/sub /srv/sub/deep
    stat -c %Y /srv/sub/deep /srv/sub; readlink /srv/link; [ -p /srv/fifo ] && echo fifo
    [ /srv/file -ef /srv/hard ] && echo hard; grep -q " /srv " /proc/self/mountinfo && echo mounted'
  exits 0; quiet
  prints "content
content
secret
/srv 711 5:6
/srv/file 4751 0:0
/srv/sub 2770 1000:2000
/srv/sub/deep 644 1000:2000
$(date -d '2001-02-03 04:05:06' +%s)
$(date -d '2002-02-03 04:05:06' +%s)
file
fifo
hard
mounted" 

begin 'but only on first use'
  run mydocker run -v filled:/srv ./tree rm /srv/file
  exits 0
  run mydocker run -v filled:/srv ./tree ls /srv
  exits 0; lacks file$'\n'; contains sub
  run mydocker run -v data:/srv ./tree ls /srv
  prints f

begin 'a named volume may be read-only'
  run mydocker run -v data:/data:ro busybox sh -c 'cat /data/f; echo x >/data/x'
  exits 1; prints kept; says 'Read-only file system'

begin 'a volume without a name begins with the content of the image and ends with its container'
  before=$(ls -A "$MYDOCKER_ROOT/volumes" 2>/dev/null)
  run mydocker run -v /srv -v /fresh ./tree sh -c 'cat /srv/sub/deep; echo x >/fresh/x; cat /fresh/x; grep -cE " /(srv|fresh) " /proc/self/mountinfo'
  exits 0; prints $'secret\nx\n2'; quiet
  same "$before" "$(ls -A "$MYDOCKER_ROOT/volumes" 2>/dev/null)" 'the volumes'
  run mydocker run -v /fresh busybox sh -c 'exit 3'
  exits 3
  same "$before" "$(ls -A "$MYDOCKER_ROOT/volumes" 2>/dev/null)" 'the volumes'

begin "a volume's content is not followed out of it when it is filled"
  rm -rf tree/srv
  ln -s "$T/h/dir" tree/srv
  run mydocker run -v escaped:/srv ./tree ls /srv
  lacks f$'\n'
  refuse test -e "$MYDOCKER_ROOT/volumes/escaped/_data/f"

begin 'other users of the host cannot get at the store'
  run setpriv --reuid 1000 --regid 1000 --clear-groups ls "$MYDOCKER_ROOT/volumes"
  if active && [ "$code" = 0 ]; then fail 'they can list it' "$(came)"; fi

begin 'the first content of a named volume is there whole for all of several first users'
mkdir -p many/bin many/data && cp /bin/busybox many/bin/busybox && (cd many/data && seq 2000 | xargs touch)
for i in 1 2 3 4 5; do
  "$MYDOCKER" run --rootfs many -v first:/data /bin/busybox sh -c 'ls /data | wc -l' >"count.$i" 2>&1 </dev/null &
done
wait
for i in 1 2 3 4 5; do same 2000 "$(<"count.$i")" "what user $i saw"; done

begin 'a first content that was cut off is made anew'
if need strace; then
  # Every file is empty, so each costs an openat of its own.
  strace -f -qq -o /dev/null -e trace=fchmod -e inject=fchmod:signal=KILL:when=500 "$MYDOCKER" run --rootfs many -v cut:/data /bin/busybox true >/dev/null 2>&1 </dev/null
  run mydocker run --rootfs many -v cut:/data /bin/busybox sh -c 'ls /data | wc -l'
  prints 2000
  same _data "$(ls -A "$MYDOCKER_ROOT/volumes/cut")" 'what is in the volume'
fi

begin 'a target behind a dangling link is made where the link leads'
mkdir -p links/bin && cp /bin/busybox links/bin/busybox && ln -s run links/pid && ln -s /deep/er links/far && ln -s / links/top
run mydocker run --rootfs links -v ./h/dir:/pid -v ./h/other:/far/x /bin/busybox ls /run /deep/er/x
exits 0
quiet

begin 'a target that leads to / is refused'
run mydocker run --rootfs links -v ./h/dir:/top /bin/busybox true
exits 125
one_line
says '/top'

begin 'a start that fails takes away the directories that it made for its volumes'
for target in /etc/passwd/x /sys/nowhere /dev/fd/x; do
  run mydocker run -v "$T/gone/deep:$target" busybox true
  exits 125
  refuse test -e "$T/gone"
done

begin 'a FIFO over /dev/null does not keep a start waiting'
mkfifo fifo.null
run mydocker run -v ./fifo.null:/dev/null busybox true
exits 0
