# The environment and the working directory. What must come was compared with docker 20.10 and 28.

path=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

begin 'by itself there are PATH, HOSTNAME and HOME, and nothing of the host'
  export SECRET=from-the-host
  run mydocker run --hostname box busybox env
  exits 0; quiet
  same "$(printf '%s\n' HOME=/root HOSTNAME=box "$path")" "$(sort "$T/out")" 'the environment'

begin 'HOSTNAME is the name of the machine inside'
  run mydocker run busybox sh -c '[ "$HOSTNAME" = "$(hostname)" ] && echo same'
  prints same

begin "pid 1's environment holds nothing more"
  run mydocker run -e A=1 busybox sh -c 'cat /proc/1/environ | tr "\0" "\n"'
  lacks SECRET; lacks mydocker; lacks MYDOCKER; lacks "$T"
  same 4 "$(grep -c = "$T/out")" 'the number of variables'

begin '-e NAME=VALUE, NAME= and NAME of the host'
  run mydocker run -e A=1 -e B= -e SECRET -e NOT_THERE -e 'C=a b' busybox env
  exits 0; quiet
  prints_line A=1; prints_line B=; prints_line SECRET=from-the-host; prints_line 'C=a b'; lacks NOT_THERE

begin 'the last of two counts, and there is one of each'
  run mydocker run -e A=1 -e A=2 -e HOME=/h -e HOSTNAME=h --hostname box busybox env
  prints_line A=2; lacks A=1; prints_line HOME=/h; prints_line HOSTNAME=h; lacks HOME=/root; lacks HOSTNAME=box

begin 'a value is bytes: equals signs, newlines, no UTF-8'
  run mydocker run -e $'A=b=c\nd\xff' busybox sh -c 'printf %s "$A"'
  prints $'b=c\nd\xff'

for bad in '' =x; do
  begin "-e '$bad' is refused"
    run mydocker run -e "$bad" busybox true
    exits 125; one_line
    if [ -n "$bad" ]; then says "$bad"; fi
done

begin 'PATH of the container is where the command is looked for'
  run mydocker run -e PATH=/nowhere busybox env
  exits 127; one_line; says env; says /nowhere
  run mydocker run -e PATH=/nowhere busybox /bin/env
  exits 0; prints_line PATH=/nowhere; lacks "$path"
  run env PATH=/elsewhere "$MYDOCKER" run busybox sh -c 'echo $PATH'
  prints "${path#PATH=}"

begin '--env-file: comments, blank lines, leading blanks, names from the host'
  printf 'E1=1\n# comment\n\n  E2=2\nE3= x \nSECRET\nNOT_THERE\nE5="q"\nE6=a#b\nLAST=no newline' >vars
  run mydocker run --env-file vars busybox env
  exits 0; quiet
  prints_line E1=1; prints_line E2=2; prints_line 'E3= x '; prints_line SECRET=from-the-host
  prints_line 'E5="q"'; prints_line 'E6=a#b'; prints_line 'LAST=no newline'; lacks NOT_THERE; lacks comment

begin '-e counts more than --env-file, wherever it stands'
  run mydocker run --env-file vars -e E1=9 busybox sh -c 'echo $E1'; prints 9
  run mydocker run -e E1=9 --env-file vars busybox sh -c 'echo $E1'; prints 9

begin 'of two files the later counts'
  echo E1=second >vars2
  run mydocker run --env-file vars --env-file vars2 busybox sh -c 'echo $E1 $E2'
  prints 'second 2'

begin '--env-file with carriage returns or a byte order mark, as editors leave them'
  printf 'A=1\r\nB=2\r\n' >dos
  run mydocker run --env-file dos busybox sh -c 'printf "%s|%s" "$A" "$B"'
  prints '1|2'
  printf '\xef\xbb\xbfMARKED=1\n' >bom
  run mydocker run --env-file bom busybox env
  prints_line MARKED=1

begin '--env-file that is wrong says where'
  printf 'A=1\nB C=1\n' >wrong
  run mydocker run --env-file wrong busybox true
  exits 125; one_line; says wrong; says 'B C'
  printf '=1\n' >wrong
  run mydocker run --env-file wrong busybox true
  exits 125; one_line; says wrong; says =1
  run mydocker run --env-file nowhere busybox true
  exits 125; one_line; says nowhere; says ENOENT
  run mydocker run --env-file "$T" busybox true
  exits 125; one_line; says "$T"
  printf 'X\0Y=1\n' >wrong
  run mydocker run --env-file wrong busybox true
  exits 125; one_line; says wrong

begin '-w is where the command starts; it is made where it is missing'
  run mydocker run -w /etc busybox pwd; exits 0; prints /etc
  run mydocker run --workdir /etc/../tmp busybox pwd; prints /tmp
  run mydocker run busybox pwd; prints /
  run mydocker run -w '' busybox pwd; exits 0; prints /
  run mydocker run -u app -w /new/dir busybox sh -c 'pwd; stat -c "%U %a" /new /new/dir'
  exits 0; prints $'/new/dir\nroot 755\nroot 755'
  run mydocker run busybox ls -d /new
  exits 1

begin '-w relative or on a file is refused'
  run mydocker run -w rel busybox pwd
  exits 125; one_line; says rel
  run mydocker run -w /bin/busybox busybox pwd
  exits 125; one_line; says /bin/busybox; says ENOTDIR

begin '-w in a volume'
  mkdir -p vol/sub
  run mydocker run -v ./vol:/vol -w /vol/sub busybox sh -c 'pwd; touch here'
  exits 0; prints /vol/sub
  check test -e vol/sub/here

begin '-w through a link stays inside'
  mkdir -p tree outside
  tar -C tree -xf busybox.tar
  ln -s "$T/outside" tree/link
  ln -s ../../../../../../../../.. tree/up
  run mydocker run -w /link/made ./tree pwd
  same '' "$(ls -A outside)" 'what was made outside'
  run mydocker run -w /up/tmp ./tree pwd
  exits 0; prints /tmp

begin '-w /proc/self/fd/N reaches no directory of the host (CVE-2024-21626)'
  for n in 3 4 5 6 7 8 9 10 11 12; do
    run mydocker run -w "/proc/self/fd/$n" busybox sh -c 'cat ../../../../../../../../../../etc/debian_version; cat etc/debian_version; pwd'
    lacks "$(cat /etc/debian_version)"
    if active && [ "$code" = 0 ]; then [[ $out == /* ]] || fail "the working directory is outside: $out"; fi
  done
