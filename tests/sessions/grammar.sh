# run [FLAGS] [IMAGE] COMMAND [ARG…]: which word is what, and what is said about a wrong one.

begin 'without an image the command runs in busybox, imported from ./busybox.tar'
  run mydocker run /bin/echo hello
  exits 0; prints hello; quiet

begin 'the first word is an image where it names one that is imported'
  run mydocker run busybox echo a busybox
  exits 0; prints 'a busybox'

begin 'a tar is an image by its file name'
  cp busybox.tar other.tar
  run mydocker run other.tar echo a; exits 0; prints a
  run mydocker run ./other.tar echo b; exits 0; prints b
  run mydocker run "$T/other.tar" echo c; exits 0; prints c
  rm other.tar

begin 'a gzipped tar is one, too'
  gzip -c busybox.tar >zipped.tar.gz
  run mydocker run zipped.tar.gz cat /etc/group
  exits 0; prints_line 'extra:x:2000:app'
  rm zipped.tar.gz

begin 'a directory written ./x or ../x is an image'
  mkdir -p tree below
  tar -C tree -xf busybox.tar
  echo here >tree/etc/mark
  run mydocker run ./tree cat /etc/mark; exits 0; prints here
  run sh -c "cd below && \"$MYDOCKER\" run ../tree cat /etc/mark"; exits 0; prints here

begin "and a container's writes do not reach it"
  run mydocker run ./tree sh -c 'echo changed > /etc/mark; rm /etc/passwd; mkdir /new; ls -d /new'
  exits 0; prints /new
  same here "$(cat tree/etc/mark)"
  check test -e tree/etc/passwd
  refuse test -e tree/new
  # What mydocker mounts on is not made in the image either.
  same '' "$(ls -d tree/proc tree/sys tree/dev 2>/dev/null)" 'the mount points in the image'

begin '--rootfs takes any directory, then all words are the command'
  run mydocker run --rootfs "$T/tree" cat /etc/mark; exits 0; prints here
  run mydocker run --rootfs tree cat /etc/mark; exits 0; prints here
  run mydocker run --rootfs=tree busybox cat /etc/mark; exits 0; prints here

begin '--rootfs of what is no directory is refused'
  run mydocker run --rootfs "$T/nowhere" true
  exits 125; one_line; says "$T/nowhere"
  run mydocker run --rootfs "$T/busybox.tar" true
  exits 125; one_line; says "$T/busybox.tar"

begin 'flags end at the first word: the rest belongs to the command'
  run mydocker run busybox echo -i --name x -v
  exits 0; prints '-i --name x -v'
  run mydocker run echo -e a
  exits 0; prints a
  run mydocker run /bin/echo --help
  exits 0; prints --help
  run mydocker run busybox sh -c 'echo "$@"' name 'a b' '' "c'd"
  exits 0; prints "a b  c'd"

begin 'arguments come through byte by byte'
  run mydocker run printf '%s' $'tab\tnewline\nquote"back\\\xff\xfe'
  exits 0; prints $'tab\tnewline\nquote"back\\\xff\xfe'

begin 'a value may follow a blank or an equals sign, with one dash or two'
  for flags in '--env A=1' '--env=A=1' '-e A=1' '-eA=1' '-env A=1'; do
    run mydocker run $flags busybox sh -c 'echo $A'
    exits 0; prints 1
  done

begin "the seed's spellings with one dash"
  run mydocker run -mem 32m -cpu 50 -cpuset 0 -e A=b -v "$T/vol:/vol" -name one busybox sh -c 'echo $A; ls -d /vol'
  exits 0; prints $'b\n/vol'; quiet
  run mydocker run -net none -hostname x busybox hostname
  exits 0; prints x

begin 'short switches may stand together'
  feed 'echo from stdin'
  run mydocker run -i busybox sh; exits 0; prints 'from stdin'
  run mydocker run -it busybox true
  exits 125; one_line; says 'TTY'

begin 'a wrong flag is named, the nearest suggested'
  run mydocker run --memroy 1g busybox true
  exits 125; one_line; says --memroy; says --memory
  run mydocker run --hostnam x busybox true
  exits 125; one_line; says --hostnam; says '--hostname'
  run mydocker run -Q busybox true
  exits 125; one_line; says -Q

begin 'a flag without its value is named'
  for flag in -v --volume -e --name --memory --rootfs; do
    run mydocker run "$flag"
    exits 125; one_line; says "$flag"
  done

begin 'a switch takes no value other than true or false'
  run mydocker run --rm=nonsense busybox true
  exits 125; one_line; says --rm

begin 'no command is an error that says so'
  run mydocker run busybox
  exits 125; one_line; says command
  run mydocker run
  exits 125; one_line; says command
  run mydocker run -i
  exits 125; one_line; says command

begin 'an empty command is not found'
  # docker: exec: "": executable file not found in $PATH
  run mydocker run busybox ''
  exits 127; one_line

begin '--help prints the usage on stdout'
  run mydocker run --help
  exits 0; quiet
  contains 'run [FLAGS] [IMAGE] COMMAND [ARG'
  for flag in -i -t --volume --mount --tmpfs --read-only --env --env-file --workdir --user --hostname --name --rm \
    --entrypoint --init --memory --memory-swap --cpus --cpu-shares --cpuset-cpus --cpuset-mems --pids-limit --ulimit \
    --shm-size --stop-signal --rootfs --root --log-level --explain --trace-startup --pid --uts --ipc --net; do
    if active && ! grep -q -e "$flag" "$T/out"; then fail "the usage does not name $flag"; fi
  done
  run mydocker --help
  exits 0; quiet; contains run

begin 'a word that is no command of mydocker is an error, and so is none at all'
  run mydocker rnu busybox true
  exits 125; one_line; says rnu; prints ''
  run mydocker
  exits 125; one_line; says run; prints ''

begin 'without any image the error says how to make one'
  mkdir -p empty
  run env HOME="$T/empty" MYDOCKER_ROOT="$T/fresh" sh -c "cd empty && \"$MYDOCKER\" run /bin/true"
  exits 125; one_line; says busybox.tar
  run env HOME="$T/empty" MYDOCKER_ROOT="$T/fresh" sh -c "cd empty && \"$MYDOCKER\" run busybox true"
  exits 125; one_line; says busybox.tar

begin 'else busybox.tar is found in the home directory'
  run env HOME="$T" MYDOCKER_ROOT="$T/fresh" sh -c "cd empty && \"$MYDOCKER\" run /bin/echo home"
  exits 0; prints home

begin 'an image once imported needs its tar no more'
  run env HOME="$T/empty" MYDOCKER_ROOT="$T/fresh" sh -c "cd empty && \"$MYDOCKER\" run /bin/echo still there"
  exits 0; prints 'still there'
  rm -rf fresh

begin 'a tar that is not there is said to be missing'
  run mydocker run nowhere.tar true
  exits 125; one_line; says nowhere.tar; says ENOENT

begin '--root and MYDOCKER_ROOT say where the store is; it is for root alone'
  run env -u MYDOCKER_ROOT "$MYDOCKER" run --root "$T/store" busybox echo there
  exits 0; prints there
  same 700 "$(stat -c %a store)" 'the mode of the store'
  check test -d store/layers
  same '' "$(ls -A store/containers)"
  rm -rf store

begin 'the last of two values counts, as in docker'
  run mydocker run --hostname one --hostname two busybox hostname
  exits 0; prints two

begin '-- ends the flags'
  run mydocker run -i -- busybox echo a
  exits 0; prints a
