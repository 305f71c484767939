# -u: names, numbers, groups, as the image's passwd and group have them. Compared with docker 20.10 and 28.

# as USER EXPECTED: what `id` says inside.
as() {
  begin "-u '$1' is $2"
    run mydocker run -u "$1" busybox id
    exits 0; quiet; prints "$2"
}
as app 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)'
as 1000 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)'
as 1234 'uid=1234 gid=0(root) groups=0(root)'
as :1000 'uid=0(root) gid=1000(app) groups=1000(app)'
as app:daemon 'uid=1000(app) gid=1(daemon) groups=1(daemon)'
as 1000:5 'uid=1000(app) gid=5 groups=5'
as 1234:4321 'uid=1234 gid=4321 groups=4321'
as root:extra 'uid=0(root) gid=2000(extra) groups=2000(extra)'
as app: 'uid=1000(app) gid=1000(app) groups=1000(app),2000(extra)'
as '' 'uid=0(root) gid=0(root) groups=0(root)'
as nobody 'uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)'
as 2147483647 'uid=2147483647 gid=0(root) groups=0(root)'

# wrong USER: an error of ours that quotes it; never root by accident (CVE-2026-30892).
wrong() {
  begin "-u '$1' is refused"
    run mydocker run -u "$1" busybox id
    exits 125; one_line; says "$2"; prints ''
}
wrong nosuch nosuch
wrong app:nosuch nosuch
wrong -1 -1
wrong 99999999999 99999999999
wrong 4294967295 4294967295
wrong 4294967296 4294967296
wrong 2147483648 2147483648
wrong 0x0 0x0
wrong ' 0' ' 0'
wrong 1000:-1 -1
wrong 1000:4294967295 4294967295

begin "the caller's groups are not taken along (CVE-2022-2995)"
  need setpriv
  run setpriv --groups 4,24,27 "$MYDOCKER" run -u app busybox id -G
  exits 0; prints '1000 2000'
  run setpriv --groups 4,24,27 "$MYDOCKER" run busybox id -G
  exits 0; prints 0

begin 'all four ids are changed'
  run mydocker run -u app:extra busybox grep -E '^(Uid|Gid|Groups):' /proc/self/status
  prints $'Uid:\t1000\t1000\t1000\t1000\nGid:\t2000\t2000\t2000\t2000\nGroups:\t2000 '

begin 'HOME is that of the user in passwd, / where there is none'
  run mydocker run -u app busybox sh -c 'echo $HOME'; prints /home/app
  run mydocker run -u 1000 busybox sh -c 'echo $HOME'; prints /home/app
  run mydocker run -u 1234 busybox sh -c 'echo $HOME'; prints /
  run mydocker run -u app -e HOME=/elsewhere busybox sh -c 'echo $HOME'; prints /elsewhere

begin 'such a user cannot write what is not his, and has no capabilities'
  run mydocker run -u app busybox sh -c 'touch /x; touch /home/app/mine && stat -c %u:%g /home/app/mine; grep -E "Cap(Prm|Eff|Inh|Amb)" /proc/self/status'
  says 'Permission denied'
  prints_line 1000:1000
  prints_line $'CapEff:\t0000000000000000'
  prints_line $'CapPrm:\t0000000000000000'
  prints_line $'CapInh:\t0000000000000000'
  prints_line $'CapAmb:\t0000000000000000'

begin 'he can write to his standard output again by /dev/stdout'
  run mydocker run -u app busybox sh -c 'echo a >/dev/null; echo b | cat >/tmp/f; cat /tmp/f'
  exits 0; prints b

begin 'an image without passwd and group: numbers work, names do not'
  mkdir tree
  tar -C tree -xf busybox.tar
  rm tree/etc/passwd tree/etc/group
  run mydocker run ./tree id; exits 0; prints 'uid=0 gid=0 groups=0'
  run mydocker run -u 7:8 ./tree id; exits 0; prints 'uid=7 gid=8 groups=8'
  run mydocker run -u 7 ./tree id; exits 0; prints 'uid=7 gid=0 groups=0'
  run mydocker run -u app ./tree id; exits 125; one_line; says app

begin 'odd lines in passwd and group are passed over'
  printf '%s\n' '' '# comment' short:x 'bad:x:notanumber:5:::' 'neg:x:-1:-1::/:' '+::::::' \
    'app:x:1000:1000:first:/first:/bin/sh' 'app:x:1001:1001:second:/second:/bin/sh' >tree/etc/passwd
  printf '%s\n' '' broken '# comment' 'g1:x:3001:other, app,app' 'g2:x:3002:app,x' 'g3:x:nan:app' 'g4:x:3004:xapp' >tree/etc/group
  run mydocker run -u app ./tree sh -c 'id -u; id -g; echo $HOME'
  exits 0; prints $'1000\n1000\n/first'
  run mydocker run -u app ./tree id -G
  contains 3002; lacks 3004
  for name in short bad neg + '#'; do
    run mydocker run -u "$name" ./tree id
    exits 125; one_line; lacks uid=0
  done

begin "passwd as a link is followed inside the container's root only"
  printf 'evil:x:0:0::/:/bin/sh\n' >outside
  rm tree/etc/passwd
  ln -s "$T/outside" tree/etc/passwd
  run mydocker run -u evil ./tree id
  exits 125; one_line; says evil

begin 'passwd as a FIFO or an endless device does not stop us (CVE-2024-9676)'
  rm tree/etc/passwd
  mkfifo tree/etc/passwd
  LIMIT=5 run mydocker run -u 7 ./tree true
  if active && [ "$code" = 124 ]; then fail 'it hangs on a FIFO'; fi
  rm tree/etc/passwd
  mknod tree/etc/passwd c 1 5
  LIMIT=5 run mydocker run -u 7 ./tree true
  if active && [ "$code" = 124 ]; then fail 'it hangs on /dev/zero'; fi
  rm tree/etc/passwd

begin 'files that such a user makes in a volume are his on the host'
  mkdir -m 777 vol
  run mydocker run -u 1000:2000 -v ./vol:/vol busybox touch /vol/f
  exits 0
  same 1000:2000 "$(stat -c %u:%g vol/f)"
