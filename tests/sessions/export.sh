# export: a container's root as an archive, whatever is mounted in it, whether it runs or not.
. "$TESTS/tools/host.sh"
tool xattr || :
xattr=$tool_path
gone_with() { run mydocker rm -f "$@"; exits 0; }
# unpacked FILE DIR: by tar, with all it can.
unpacked() { mkdir "$2" && check tar -xpf "$1" --numeric-owner --xattrs --xattrs-include='*' -C "$2"; }

long=$(printf 'n%.0s' {1..120})
cat >script <<SH
mkdir -p /d/sub /d/$long/$long; echo deep >/d/$long/$long/$long
echo one >/d/one; ln /d/one /d/sub/two; ln -s ../one /d/sub/link; ln -s $long$long$long /d/longlink
mkfifo /d/fifo; mknod /d/node c 1 3; chmod 4755 /bin/busybox; chown 1234:4000000 /d/one; chmod 1777 /d/sub
touch -d "1965-01-01 00:00:00" /d/old; touch -d "2150-01-01 00:00:00" /d/new
: >/d/empty; dd if=/dev/zero of=/d/block bs=512 count=1 2>/dev/null; dd if=/dev/zero of=/d/large bs=100001 count=7 2>/dev/null
rm /etc/group; echo hidden >/vol/hidden; echo up; sleep 1000
SH
up() { eventually 20 sh -c "'$MYDOCKER' logs $1 | grep -q up" || fail "$1 never came up"; }

begin 'what tar makes of it is what the container has: names, links, nodes, modes, owners, times, content'
  run mydocker run -d --name bird -v /vol -v "$T/script:/script:ro" busybox sh /script
  exits 0
  up bird
  run mydocker export -o live.tar bird
  exits 0; quiet; prints ''
  run mydocker stop -t 0 bird
  run mydocker export bird
  exits 0; quiet
  cp "$T/out" rest.tar
  unpacked live.tar live
  unpacked rest.tar rest
  # A mount point is there, what is mounted is not.
  same '' "$(ls -A live/proc live/sys live/dev live/vol rest/vol | grep -v :)" 'what is in the mount points'
  same 0 "$(stat -c %s live/etc/hosts)"
  check test ! -e live/etc/group
  # Of a running one's mount points only the names and kinds are known.
  tree live >live.tree; tree rest >rest.tree
  points='^\. d |^\./(proc|sys|dev|vol|script|etc/hosts|etc/hostname|etc/resolv.conf) [df] '
  same "$(grep -oE "$points" rest.tree)" "$(grep -oE "$points" live.tree)" 'the mount points'
  same "$(grep -vE "$points" rest.tree)" "$(grep -vE "$points" live.tree)" 'the trees of a running container and of a stopped one'
  run stat -c '%F %a %u:%g %h %Y %s' live/d/one live/d/sub live/d/fifo live/d/old live/d/new live/d/empty live/d/large live/bin/busybox
  same 'regular file 644 1234:4000000 2' "$(sed -n '1s/ [0-9]* [0-9]*$//p' "$T/out")"
  contains 'directory 1777 0:0'
  contains 'fifo 644 0:0 1'
  contains ' -157766400 '
  contains ' 5680281600 '
  contains 'regular empty file 644 0:0 1'
  contains ' 700007'
  same 4755 "$(stat -c %a live/bin/busybox)"
  same '1 3' "$(stat -c '%t %T' live/d/node)"
  same "$long$long$long" "$(readlink live/d/longlink)"
  same deep "$(cat "live/d/$long/$long/$long")"
  check cmp live/d/one live/d/sub/two

begin 'the same tree is the same archive, with its names sorted'
  run mydocker export -o again.tar bird
  check cmp rest.tar again.tar
  same "$(tar -tf rest.tar 2>/dev/null | sed 's,/$,,' | LC_ALL=C sort -t / -k 1,1 | head -3)" "$(tar -tf rest.tar | sed 's,/$,,' | head -3)"
  same 0 "$(tar -tf rest.tar | grep -c '^\./\|^/')" 'names with a slash or dot before'

begin 'and it is an image again'
  run mydocker run --rm ./rest.tar /bin/sh -c 'cat /d/one; stat -c "%a %u:%g" /d/one; ls /etc/group'
  exits 1; prints $'one\n644 1234:4000000'
  gone_with bird

begin 'extended attributes: a capability, and what overlayfs notes is not among them'
  if active && [ -x "$xattr" ]; then
    run mydocker run -d --name bird -v "$xattr:/xattr:ro" busybox sh -c 'rm -r /home; mkdir /home; sleep 1000'
    exits 0
    eventually 10 test -d "$(echo "$MYDOCKER_ROOT"/containers/*)/upper/home"
    check "$xattr" "$(echo "$MYDOCKER_ROOT"/containers/*)/upper/home" user.note hello
    run mydocker export -o noted.tar bird
    exits 0
    check grep -qa 'SCHILY.xattr.user.note=hello' noted.tar
    refuse grep -qa 'overlay.opaque' noted.tar
    gone_with bird
  fi

begin 'one that was never started: the image'
  run mydocker create --name egg busybox true
  run mydocker export -o egg.tar egg
  exits 0
  same "$(tar -tf busybox.tar | sed 's,^\./,,; s,/$,,' | grep . | grep -vE '^(proc|sys|dev|etc/(hosts|hostname|resolv.conf))$' | sort)" \
    "$(tar -tf egg.tar | sed 's,/$,,' | grep -vE '^(proc|sys|dev|etc/(hosts|hostname|resolv.conf))$' | sort)"
  run mydocker start -a egg
  exits 0
  gone_with egg

begin 'files that change meanwhile: the archive is whole'
  run mydocker run -d --name bird busybox sh -c 'mkdir /w; while :; do for i in 1 2 3 4 5; do dd if=/dev/zero of=/w/$i bs=1000 count=$((i * 37 + $$ % 100)) 2>/dev/null; : >/w/$i; rm -f /w/$i; mkdir /w/$i; rmdir /w/$i; ln -s /etc /w/$i; rm /w/$i; mkfifo /w/$i; rm /w/$i; done; done'
  exits 0
  for n in {1..20}; do
    run mydocker export -o moving.tar bird
    exits 0; quiet
    run tar -tf moving.tar
    exits 0; quiet
    lacks etc/passwd/x
  done
  gone_with bird

begin 'not to a terminal; no such container; no such directory; a full disk'
  need_pty
  run mydocker create --name egg busybox true
  feed 'wait
'
  run "$PTY" -- "$MYDOCKER" export egg
  exits 1
  contains 'cowardly refusing to save to a terminal'
  run mydocker export nobody
  exits 1; one_line; says 'such container: nobody'
  run mydocker export -o no/such/file egg
  exits 1; one_line
  run bash -c '"$MYDOCKER" export egg >/dev/full'
  exits 1; one_line; says 'write the archive: ENOSPC'
  gone_with egg
