# --userns: root's container in a user namespace of its own.
BASE=300000
map=$BASE:$BASE:65536

begin 'without --userns, and with host, there is none'
  run mydocker run /bin/cat /proc/self/uid_map
  exits 0; same '0 0 4294967295' "$(echo $out)"
  run mydocker run --userns host /bin/cat /proc/self/uid_map
  exits 0; same '0 0 4294967295' "$(echo $out)"

begin 'UID:GID:SIZE: root inside, somebody else outside'
  run mydocker run --userns 300000:400000:1000 /bin/sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map'
  exits 0; quiet
  same '0 0 0 300000 1000 0 400000 1000' "$(echo $out)"

begin 'the process'"'"' real id is not 0'
  "$MYDOCKER" run --userns "$map" /bin/sleep 987 & pid=$!
  for try in $(seq 100); do sleeper=$(pgrep -f '^/bin/sleep 987$') && break; sleep 0.05; done
  same "$BASE $BASE $BASE $BASE" "$(awk '/^Uid/ { print $2, $3, $4, $5 }' "/proc/$sleeper/status")" 'Uid'
  same "$BASE $BASE $BASE $BASE" "$(awk '/^Gid/ { print $2, $3, $4, $5 }' "/proc/$sleeper/status")" 'Gid'
  for kind in user mnt pid uts ipc net cgroup; do
    refuse test "$(readlink "/proc/$sleeper/ns/$kind")" = "$(readlink "/proc/self/ns/$kind")"
  done
  kill "$pid"; kill -9 "$pid" 2>/dev/null; wait "$pid" 2>/dev/null

begin 'the image'"'"'s files have the ids that they have outside'
  run mydocker run --userns "$map" /bin/sh -c 'stat -c "%u:%g %a" /bin /home/app /root /tmp /'
  exits 0; prints $'0:0 755\n1000:1000 755\n0:0 700\n0:0 1777\n0:0 755'

begin 'root writes the root, deletes and replaces what is in the image'
  run mydocker run --userns "$map" /bin/sh -c 'rm -r /home && mkdir /home && echo 1 >/home/x && rm /etc/group && echo 2:x:2:2::: >>/etc/passwd && ls /home && tail -n 1 /etc/passwd; chown 5:6 /var; stat -c %u:%g /var'
  exits 0; quiet; prints $'x\n2:x:2:2:::\n5:6'
  run mydocker run /bin/ls -d /home/app /etc/group
  exits 0

begin 'root'"'"'s files in a volume are root'"'"'s on the host, the user'"'"'s the user'"'"'s'
  mkdir "$T/volume"; echo 1 >"$T/volume/old"; chown 1000:1000 "$T/volume/old"; chmod 600 "$T/volume/old"
  run mydocker run --userns "$map" -v "$T/volume:/v" /bin/sh -c 'stat -c %u:%g /v/old; cat /v/old; echo 2 >/v/new; chown 1000 /v/new; echo 3 >/v/root'
  exits 0; quiet; prints $'1000:1000\n1'
  same '1000:0 0:0' "$(stat -c %u:%g "$T/volume/new" "$T/volume/root" | paste -sd ' ')" 'the owners on the host'
  run mydocker run --userns "$map" -v "$T/volume:/v:ro" /bin/sh -c 'cat /v/root; echo 4 >/v/root'
  exits 1; prints 3; says 'Read-only'
  run mydocker run --userns "$map" -u app -v "$T/volume:/v" /bin/sh -c 'cat /v/old; cat /v/root; echo 5 >/v/root'
  exits 1; prints $'1\n3'; says 'ermission denied'

begin 'named and anonymous volumes, filled from the image; a tmpfs with an owner'
  run mydocker run --userns "$map" -v userns:/home /bin/sh -c 'stat -c %u /home/app; echo kept >/home/file'
  exits 0; quiet; prints 1000
  same 0:0 "$(stat -c %u:%g "$MYDOCKER_ROOT/volumes/userns/_data/file")" 'the owner on the host'
  run mydocker run --userns "$map" -v userns:/home -v /etc --tmpfs /mnt:size=1m,mode=700 /bin/sh -c 'cat /home/file; stat -c "%u %a" /mnt; ls /etc/passwd; touch /etc/x'
  exits 0; prints $'kept\n0 700\n/etc/passwd'

begin 'capabilities hold only inside: no device, no mount of the host'"'"'s, no way to lift a limit'
  mkdir -m 700 "$T/roots"; echo secret >"$T/roots/file"
  run mydocker run --userns "$map" --privileged --pid host /bin/sh -c 'mknod /tmp/disk b 8 0; ls /proc/1/root/; cat /proc/1/environ; echo 1 >/proc/1/oom_score_adj'
  refuse test "$code" = 0
  prints ''

begin 'users, and who is not in the namespace'
  run mydocker run --userns "$map" -u app /bin/sh -c 'id -u; id -G; cat /root/x'
  exits 1; prints $'1000\n1000 2000'
  run mydocker run --userns 300000:300000:1000 -u app /bin/true
  exits 125; one_line; says 'no user with the id 1000'
  run mydocker run --userns 300000:300000:1500 -u app /bin/true
  exits 125; one_line; says 'no group with the id 2000'

begin 'CVE-2022-2995: no group of the caller is left'
  in_groups() { setpriv --groups 4,27,1234 "$MYDOCKER" run --userns "$map" "$@"; }
  run in_groups /bin/sh -c 'grep Groups /proc/self/status; id -G'
  exits 0; same $'Groups: 0\n0' "$(sed 's/\t/ /; s/ *$//' "$T/out")" 'the groups'
  run in_groups -u 5:6 /bin/id -G
  prints 6

begin 'a terminal; an init; limits; a name; read-only'
  need_pty
  typing() { printf '%s\n' 'expect #' 'send tty; stty size; stat -c %u:%g /dev/pts/0; exit 3\n' wait | "$PTY" -w 91x33 -- "$MYDOCKER" run --userns "$map" -it /bin/sh; }
  run typing
  exits 3; contains /dev/pts/0; contains '33 91'; contains 0:5
  run mydocker run --userns "$map" --init --name usernsed --read-only -m 64m --pids-limit 20 /bin/sh -c 'echo x >/x; exit 4'
  exits 4; says 'Read-only'
  feed hello
  run mydocker run -i --userns "$map" /bin/cat
  prints hello

begin 'namespaces shared with the host'
  run mydocker run --userns "$map" --net host --pid host --ipc host --uts host /bin/sh -c 'readlink /proc/self/ns/net; hostname; ls -d /sys/class/net/lo'
  exits 0; quiet; contains "$(readlink /proc/self/ns/net)"; contains "$(hostname)"

begin 'a name: the ranges of /etc/subuid and /etc/subgid'
  printf '%s\n' '# a remark' other:100000:65536 'somebody:500000:10000' somebody:900000:5 dockremap:600000:65536 >"$T/subuid"
  printf '%s\n' somebody:700000:10000 dockremap:800000:65536 broken:x:y >"$T/subgid"
  mount --bind "$T/subuid" /etc/subuid; mount --bind "$T/subgid" /etc/subgid
  run mydocker run --userns somebody /bin/cat /proc/self/uid_map /proc/self/gid_map
  exits 0; same '0 500000 10000 0 700000 10000' "$(echo $out)"
  run mydocker run --userns auto /bin/cat /proc/self/uid_map /proc/self/gid_map
  exits 0; same '0 600000 65536 0 800000 65536' "$(echo $out)"
  for nobody in other broken nosuch; do
    run mydocker run --userns "$nobody" /bin/true
    exits 125; one_line; says "$nobody"; says /etc/subuid
  done
  umount /etc/subuid /etc/subgid

begin 'what is no range is refused'
  for wrong in 1:1:0 4294967295:0:1 0:4294967200:200 1:1:99999999999999999999 1:2; do
    run mydocker run --userns "$wrong" /bin/true
    exits 125; one_line; says --userns
  done

begin 'a file system that cannot be idmapped: a clear error, and nothing is left'
  mkdir "$T/proc"
  run mydocker run --userns "$map" -v /proc/sys:/v /bin/true
  exits 125; one_line; says '/proc/sys:/v'; says idmap
  same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'the containers'

begin 'nothing is left of what a container wrote, nor of one that was killed'
  run mydocker run --userns "$map" /bin/sh -c 'mkdir -p /a/b; touch /a/b/c; chmod 0 /a/b /a; chown 77 /a'
  exits 0; quiet
  same '' "$(ls -A "$MYDOCKER_ROOT/containers")" 'the containers'
  "$MYDOCKER" run --userns "$map" --name killed /bin/sh -c 'touch /tmp/x; sleep 986' & pid=$!
  for try in $(seq 100); do pgrep -f '^sleep 986$' >/dev/null && break; sleep 0.05; done
  kill -9 "$pid"; wait "$pid" 2>/dev/null
  # What is killed with it holds the lock until it has ended.
  for try in $(seq 100); do pgrep -f '^sleep 986$' >/dev/null || break; sleep 0.05; done
  run mydocker run /bin/true
  same '' "$(find "$MYDOCKER_ROOT/containers" "$MYDOCKER_ROOT/names" -mindepth 1)" 'what is left'

begin '--explain: the clone, the maps, the idmapped mounts'
  run mydocker run --explain --userns "$map" -v "$T/volume:/v" /bin/true
  exits 0; quiet
  contains CLONE_NEWUSER; contains "\"0 $BASE 65536\""; contains 'MOUNT_ATTR_IDMAP, attr_clr=0, propagation=0, userns_fd={user}'

begin 'in a container of ours: root of a user namespace has all the ids that are in it'
  mkdir "$T/nest"; cp "$MYDOCKER" "$T/nest/mydocker"; cp "$T/busybox.tar" "$T/nest"
  run mydocker run --userns "$map" --privileged --tmpfs /store:exec,mode=755 -v "$T/nest:/nest" \
    /nest/mydocker run --root /store -u app /nest/busybox.tar /bin/sh -c 'id -u; id -G; cat /proc/self/uid_map; stat -c %u /home/app'
  exits 0; quiet; same "1000 1000 2000 0 $BASE 65536 1000" "$(echo $out)"

begin 'what is written to the process'"'"' own files in /proc, which are root'"'"'s of the namespace'
  run mydocker run --userns "$map" --oom-score-adj 500 --sysctl net.ipv4.ip_forward=1 /bin/sh -c 'cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward; stat -c %u /proc/self/environ'
  exits 0; quiet; prints $'500\n1\n0'
  run mydocker run --userns "$map" /bin/cat /proc/self/oom_score_adj
  exits 0; prints 0
