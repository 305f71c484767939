# mydocker as an ordinary user: one without an entry in /etc/passwd, without capabilities, with a home of his own.
USER_ID=54321
home=$T/home
mkdir "$home" && chown "$USER_ID:$USER_ID" "$home"
store=$home/.local/share/mydocker

# as COMMAND…: as that user, in no group but his own. For subshells: it replaces the shell.
as() {
  cd "$home" && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
    env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$home" "$@"
}
# user [FLAG…] COMMAND…: `mydocker run` as he types it.
user() { as timeout 30 "$MYDOCKER" run "$@"; }
ln "$T/busybox.tar" "$home/busybox.tar"

# rootless: skip where the kernel gives no user namespace to ordinary users.
rootless() { (as unshare -Ur true) 2>/dev/null || skip 'ordinary users may not make user namespaces here'; }

begin 'an ordinary user runs a command; the image is imported into his home'
  rootless
  run user /bin/true
  exits 0; quiet; prints ''
  check test -d "$store/images/busybox:latest"
  same "$USER_ID:$USER_ID" "$(find "$store" -printf '%U:%G\n' | sort -u)" 'all owners in the store'
  same 700 "$(stat -c %a "$store")" 'the mode of the store'

begin 'he is root inside, and of the host only himself'
  rootless
  run user /bin/sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'
  exits 0
  same "0 0 0 $USER_ID 1 0 $USER_ID 1 deny" "$(echo $out)" 'the ids and maps'

begin 'what is set in /proc for it, as far as he may; and mydocker is out of reach (CVE-2019-5736)'
  rootless
  run user --sysctl net.ipv4.ip_default_ttl=33 --sysctl kernel.shmmax=4096 --oom-score-adj 500 busybox cat /proc/sys/net/ipv4/ip_default_ttl /proc/sys/kernel/shmmax /proc/self/oom_score_adj
  exits 0; quiet; prints $'33\n4096\n500'
  run user --oom-score-adj -5 busybox true
  exits 125; one_line; says 'set the OOM score adjustment on -5: EACCES'
  run user --group-add 5 busybox true
  exits 125; one_line; says '--group-add 5: a container of an ordinary user has one group only'
  run user busybox /proc/self/exe version
  exits 126; one_line; prints ''
  run user --init busybox cat /proc/1/environ
  exits 1; prints ''; says 'Permission denied'

begin 'nothing is left in his store'
  rootless
  run user /bin/sh -c 'mkdir -p /a/b; echo 1 >/a/b/c; chmod 000 /a/b /a; rm -r /home; mkdir /home; touch /home/x'
  exits 0; quiet
  same '' "$(ls -A "$store/containers")" 'the containers'

begin 'root of the container writes its root, and the image stays as it is'
  rootless
  run user /bin/sh -c 'echo new >/etc/motd; cat /etc/motd; rm /etc/group; ls /etc/group 2>/dev/null'
  prints new
  run user /bin/cat /etc/motd
  exits 1
  run user /bin/ls /etc/group
  exits 0

begin 'a volume: made where it is missing, kept, and the files are his'
  rootless
  run user -v "$home/volume:/tmp" /bin/sh -c 'echo KubeExplorer >/tmp/hello.txt; ls -n /tmp/hello.txt'
  exits 0; quiet; contains '0        0'
  same KubeExplorer "$(cat "$home/volume/hello.txt")"
  same "$USER_ID:$USER_ID" "$(stat -c %u:%g "$home/volume/hello.txt")" 'the owner outside'
  run user -v "$home/volume:/tmp:ro" /bin/sh -c 'cat /tmp/hello.txt; echo no >/tmp/x'
  exits 1; prints KubeExplorer; says 'Read-only file system'
  run user -v named:/data /bin/sh -c 'echo kept >/data/file'
  run user -v named:/data /bin/cat /data/file
  prints kept

begin 'what he may not read he cannot read as root of a container either'
  rootless
  echo secret >"$T/secret"; chmod 600 "$T/secret"
  run user -v "$T/secret:/secret" /bin/cat /secret
  exits 1; prints ''; says 'Permission denied'
  run user -v /etc/shadow:/secret /bin/cat /secret
  exits 1; prints ''; says 'Permission denied'

begin 'devices work, and none can be made'
  rootless
  run user /bin/sh -c 'echo x >/dev/null; head -c 3 /dev/zero | wc -c; head -c 3 /dev/urandom | wc -c; ls /dev'
  exits 0; quiet; prints $'3\n3\ncore\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero'
  run user /bin/mknod /tmp/disk b 8 0
  exits 1

begin 'a user or group that the container has not: refused, with the way out'
  rootless
  run user -u app /bin/true
  exits 125; one_line; says 'no user with the id 1000'; says sudo
  run user -u 0:5 /bin/true
  exits 125; one_line; says 'no group with the id 5'
  same '' "$(ls -A "$store/containers")" 'the containers'

begin 'CVE-2014-8989: a group that keeps a user out cannot be left'
  rootless
  mkdir "$T/members"; echo inside >"$T/members/file"
  chmod 0705 "$T/members"; chgrp 54399 "$T/members"
  in_group() {
    (cd "$home" && exec setpriv --reuid "$USER_ID" --regid "$USER_ID" --groups 54399 \
      env -u MYDOCKER_ROOT HOME="$home" "$MYDOCKER" run -v "$T/members:/members" "$@")
  }
  run user -v "$T/members:/members" /bin/cat /members/file
  exits 0; prints inside
  run in_group /bin/cat /members/file
  exits 1; prints ''; says 'Permission denied'
  run in_group /bin/sh -c 'cat /proc/self/setgroups; busybox setpriv --clear-groups cat /members/file'
  refuse test "$code" = 0
  lacks inside

begin 'exit codes: the command'"'"'s, of a signal, not found, not executable'
  rootless
  run user /bin/sh -c 'exit 37'; exits 37
  run user --init /bin/sh -c 'kill -TERM $$'; exits 143
  run user /bin/nosuch; exits 127; one_line
  run user /etc/passwd; exits 126; one_line

begin 'the host'"'"'s network, processes, host name and queues'
  rootless
  run user --net host --pid host --uts host --ipc host /bin/sh -c 'readlink /proc/self/ns/net; hostname; ls -d /proc/$PPID /sys/class/net/lo'
  exits 0; quiet; contains "$(readlink /proc/self/ns/net)"; contains "$(hostname)"; contains /sys/class/net/lo
  run user --net host /bin/touch /sys/x
  exits 1; says 'Read-only'

begin 'a terminal of its own'
  rootless; need_pty
  typing() { printf '%s\n' 'expect #' 'send tty; stty size; exit 3\n' wait | as "$PTY" -w 91x33 -- "$MYDOCKER" run -it /bin/sh; }
  run typing
  exits 3; contains /dev/pts/0; contains '33 91'

begin 'limits need a cgroup of his own: refused with a reason'
  rootless
  run user -m 64m /bin/true
  exits 125; one_line; says --memory; says cgroup; prints ''
  run user --pids-limit 5 /bin/true
  exits 125; one_line; says --pids-limit

begin 'an archive with owners and devices: what cannot be had is left out, with a word'
  rootless
  mkdir -p "$T/odd/etc"; cp /bin/busybox "$T/odd/sh"
  mknod "$T/odd/disk" b 8 0; mknod "$T/odd/null" c 1 3; mkfifo "$T/odd/fifo"
  echo 1 >"$T/odd/etc/file"; chown 1234:4321 "$T/odd/etc/file"; chmod 4755 "$T/odd/etc/file"
  tar -C "$T/odd" -cf "$home/odd.tar" .; rm -r "$T/odd"
  run user ./odd.tar /sh -c 'ls -n /etc/file; ls /'
  exits 0; one_line; says 'left out 2 device nodes'
  contains '-rwsr-xr-x    1 0        0'; contains fifo; lacks disk
  run user ./odd.tar /sh -c 'exit 0'
  exits 0; quiet

begin 'MYDOCKER_ROOT, --root and XDG_DATA_HOME name the store; without HOME one has to be named'
  rootless
  run as env XDG_DATA_HOME="$home/data" "$MYDOCKER" run /bin/true
  exits 0; check test -d "$home/data/mydocker/images"
  run user --root "$home/other" /bin/true
  exits 0; check test -d "$home/other/images"
  run as env -u HOME "$MYDOCKER" run /bin/true
  exits 125; one_line; says --root

begin 'killed with SIGKILL: the container ends, and the next command removes the rest'
  rootless
  as "$MYDOCKER" run --name killed /bin/sh -c 'mkdir -m 0 /deep; sleep 1000' &
  pid=$!
  for try in $(seq 100); do if [ -d "$(echo "$store"/containers/*/work/work)" ]; then break; fi; sleep 0.05; done
  sleep 0.3
  kill -9 "$pid"; wait "$pid" 2>/dev/null
  # What is killed with it holds the lock until it has ended.
  for try in $(seq 100); do pgrep -u "$USER_ID" -r S,R,D >/dev/null || break; sleep 0.05; done
  check test -n "$(ls -A "$store/containers")"
  run user /bin/true
  exits 0; quiet
  same '' "$(find "$store/containers" "$store/names" -mindepth 1)" 'what is left'
  same '' "$(pgrep -u "$USER_ID" sleep)" 'his processes'

begin '--explain shows the user namespace first'
  rootless
  run user --explain /bin/true
  exits 0; quiet
  contains 'unshare(CLONE_NEWNS|CLONE_NEWUSER)'; contains '"/proc/self/setgroups"'; contains "0 $USER_ID 1"; contains userxattr
  same '' "$(ls -A "$store/containers")" 'the containers'

begin 'where user namespaces are forbidden: an error that says what forbids them'
  rootless
  run unshare -U --map-user=5 --keep-caps sh -c \
    'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" run --root "$1/none" /bin/true' "$MYDOCKER" "$T"
  exits 125; one_line; says max_user_namespaces
  refuse test -e "$T/none"

# With newuidmap and ranges: files of our own over the machine's, in this suite's mount namespace.
ranges() {
  rootless || return
  need newuidmap newgidmap || return
  active || return
  printf 'ranger:x:%s:%s::%s:/bin/sh\n' "$USER_ID" "$USER_ID" "$home" | cat /etc/passwd - >"$T/passwd"
  printf 'ranger:700000:65536\n' >"$T/subids"
  mount --bind "$T/passwd" /etc/passwd; mount --bind "$T/subids" /etc/subuid; mount --bind "$T/subids" /etc/subgid
}
no_ranges() { umount /etc/passwd /etc/subuid /etc/subgid 2>/dev/null; }
ranger() { as timeout 30 "$MYDOCKER" run --root "$home/ranged" "$@"; }

begin 'with newuidmap and ranges he has other users too'
  ranges
  run ranger /bin/sh -c 'cat /proc/self/uid_map; stat -c %u:%g /home/app'
  exits 0; quiet; same "0 $USER_ID 1 1 700000 65536 1000:1000" "$(echo $out)"
  run ranger -u app -v "$home/ranges:/v" /bin/sh -c 'id -u; id -G; grep NoNewPrivs /proc/self/status'
  exits 0; prints $'1000\n1000 2000\nNoNewPrivs:\t0'
  run ranger -v "$home/ranges:/v" /bin/sh -c 'touch /v/root /v/app; chown app /v/app'
  exits 0
  same "$USER_ID 700999" "$(stat -c %u "$home/ranges/root" "$home/ranges/app" | paste -sd ' ')" 'the owners outside'
  no_ranges

begin 'and what belongs to them is removed too, of one that was killed as well'
  ranges
  run ranger /bin/sh -c 'mkdir -p /a/b; touch /a/b/c; chown -R app /a; chmod 0 /a/b /a'
  exits 0; quiet
  same '' "$(ls -A "$home/ranged/containers")" 'the containers'
  if active; then
    as "$MYDOCKER" run --root "$home/ranged" /bin/sh -c 'mkdir -m 0 /deep; chown app /deep; sleep 1000' &
    pid=$!
    for try in $(seq 100); do if [ -d "$(echo "$home"/ranged/containers/*/upper/deep)" ]; then break; fi; sleep 0.05; done
    kill -9 "$pid"; wait "$pid" 2>/dev/null
    for try in $(seq 100); do pgrep -u "$USER_ID" -r S,R,D >/dev/null || break; sleep 0.05; done
  fi
  run ranger /bin/true
  exits 0; quiet
  same '' "$(ls -A "$home/ranged/containers")" 'the containers'
  no_ranges

begin '--explain says which programs are executed'
  ranges
  run ranger --explain /bin/true
  exits 0; quiet; contains '/usr/bin/newuidmap", "'; contains "\"0\", \"$USER_ID\", \"1\", \"1\", \"700000\", \"65536\"]"; contains newgidmap
  no_ranges

begin 'where newuidmap does not want to: its words, then ours, and nothing is started'
  ranges
  # It knows users by name only; this one has none now.
  if active; then umount /etc/passwd; printf '%s:700000:65536\n' "$USER_ID" >"$T/subids"; fi
  run ranger /bin/true
  exits 125; prints ''; says 'newuidmap: '; says 'mydocker: map the user'; says 'hint: newuidmap or newgidmap did not want to'
  no_ranges

begin 'a directory as image: his own works, of another'"'"'s only what need not be changed'
  rootless
  mkdir "$home/own" "$T/others"; tar -C "$home/own" -xf "$T/busybox.tar"; tar -C "$T/others" -xf "$T/busybox.tar"
  chown -R "$USER_ID:$USER_ID" "$home/own"
  run user ./own /bin/sh -c 'rm -r /home; mkdir /home; touch /etc/x /home/x; ls /home'
  exits 0; quiet; prints x
  run user --rootfs "$T/others" /bin/true
  exits 125; one_line; says EACCES; says 'only what belongs'
  mkdir "$T/others"/{proc,sys,dev}; touch "$T/others"/etc/{hosts,hostname,resolv.conf}
  run user --rootfs "$T/others" /bin/sh -c 'ls -d /bin; touch /tmp/x; touch /etc/x'
  exits 1; prints /bin; says 'Permission denied'

begin 'parts of /proc that are hidden outside cannot be uncovered: an error with the reason'
  rootless
  mount -t tmpfs -o size=4k hidden /proc/fs
  run user /bin/true
  umount /proc/fs
  exits 125; one_line; says /proc; says 'outer container'

begin '--userns is root'"'"'s'
  rootless
  run user --userns 1:1:1 /bin/true
  exits 125; one_line; says 'only root'
  run user --userns host /bin/true
  exits 0

begin 'in a container of his, or in one by unshare: the ids that are there'
  ranges
  run as unshare --map-root-user --map-auto "$MYDOCKER" run --root "$home/nested" -u app busybox.tar /bin/sh -c 'id -u; id -G'
  exits 0; quiet; prints $'1000\n1000 2000'
  run as unshare --map-root-user "$MYDOCKER" run --root "$home/nested1" busybox.tar /bin/sh -c 'id -u; cat /proc/self/setgroups'
  exits 0; quiet; prints $'0\ndeny'
  # What belongs to the ranges can only be removed in a namespace that has them.
  (as unshare --map-root-user --map-auto rm -rf "$home/nested" "$home/ranged") 2>/dev/null
  no_ranges

begin 'what he has is shown to him, without a cgroup too'
  rootless
  mine() { as timeout 30 "$MYDOCKER" "$@"; }
  run mine run -d --name bird busybox sh -c 'sleep 60 & exec sleep 61'; exits 0
  run mine ps --format '{{.Names}} {{.State}}'; exits 0; prints 'bird running'
  for _ in {1..50}; do if [ "$(mine top bird -o pid,comm | grep -c sleep)" = 2 ]; then break; fi; sleep 0.1; done
  run mine top bird -o pid,comm; exits 0; same 2 "$(grep -c sleep "$T/out")" 'how many processes'
  run mine stats --no-stream --format '{{.Name}} {{.PIDs}}'; exits 0; prints 'bird 2'
  run mine volume create things; exits 0
  run mine volume rm things; exits 0; prints things
  run mine info -f '{{json .SecurityOptions}}'; exits 0; contains 'name=rootless'
  run mine rm -f bird; exits 0
