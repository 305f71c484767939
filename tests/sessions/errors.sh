# Errors that diagnose: one line that names what is wrong with what, perhaps a hint.

mkdir h
mkdir h/dir
printf '#!/no/such/interpreter -x\necho no\n' >h/interpreter
printf '#! /h/interpreter\n' >h/nested
printf '#!/bin/sh\necho ran "$@"\n' >h/good
printf '#!/bin/sh\r\necho no\r\n' >h/dos
printf '#!/bin\necho no\n' >h/dirinterp
printf '#!/etc/passwd\necho no\n' >h/noexecinterp
printf 'echo no\n' >h/noshebang
: >h/empty
printf '#!\n' >h/shebangonly
head -c 3000 /dev/urandom | tr -d '\n#' >h/junk
head -c 64 /bin/busybox >h/truncated
printf '#!/bin/sh\necho no\n' >h/nox
chmod +x h/*
chmod -x h/nox
# The same program, said to be for another machine: e_machine is at byte 18 of an ELF file (elf(5)).
machine() { cp /bin/busybox "h/$1"; printf "$2" | dd of="h/$1" bs=1 seek=18 conv=notrunc 2>/dev/null; chmod +x "h/$1"; }
case $(uname -m) in
  x86_64) ours=x86_64 theirs=aarch64; machine wrongmachine '\xb7\x00' ;;
  *) ours=$(uname -m) theirs=x86_64; machine wrongmachine '\x3e\x00' ;;
esac
machine riscv '\xf3\x00'
machine unknownmachine '\xee\xee'
# A dynamic program of the host: its PT_INTERP is not in the container.
cp "$(readlink -f /bin/ls)" h/dynamic
loader=$(grep -aoE '/lib[0-9a-z/_.-]*ld[0-9a-z_.-]*\.so[.0-9]*' h/dynamic | head -n 1)
"$MYDOCKER" run busybox true

# in_h COMMAND...: run with the directory at /h.
in_h() { run mydocker run -v ./h:/h busybox "$@"; }

begin 'a script runs, with its arguments'
  in_h /h/good a b; exits 0; prints 'ran a b'

begin 'a script whose interpreter is missing: the interpreter is named'
  in_h /h/interpreter
  exits 127; one_line; says /h/interpreter; says /no/such/interpreter; says ENOENT

begin 'a script whose interpreter is a script without one'
  in_h /h/nested
  exits 127; one_line; says /h/nested; says /no/such/interpreter

begin 'a script with the line ends of DOS'
  in_h /h/dos
  exits 127; one_line; says /h/dos; says '/bin/sh\r'

begin 'a script whose interpreter is a directory, or not executable'
  in_h /h/dirinterp; exits 126; one_line; says /h/dirinterp; says '/bin'
  in_h /h/noexecinterp; exits 126; one_line; says /h/noexecinterp; says /etc/passwd

begin 'a program whose dynamic loader is missing: the loader is named'
  if [ -z "$loader" ]; then skip "this machine's ls has no loader"; fi
  in_h /h/dynamic
  exits 127; one_line; says /h/dynamic; says "$loader"; says ENOENT

begin 'a program of another machine: both are named'
  in_h /h/wrongmachine
  exits 126; one_line; says /h/wrongmachine; says "$theirs"; says "$ours"; says ENOEXEC
  in_h /h/riscv
  exits 126; one_line; says riscv
  in_h /h/unknownmachine
  exits 126; one_line; says /h/unknownmachine

begin 'a text without a first line that says by what: that is said'
  in_h /h/noshebang
  exits 126; one_line; says /h/noshebang; says '#!'; says ENOEXEC

begin 'an empty file, one of rubbish, a program cut off'
  for name in empty shebangonly junk truncated; do
    in_h "/h/$name"
    exits 126; one_line; says "/h/$name"
  done

begin 'a file without the x bit: that is said'
  in_h /h/nox
  exits 126; one_line; says /h/nox; says EACCES
  if active && ! [[ $err =~ [[:space:]]x[[:space:]]bit|executable|execute ]]; then fail 'the bit is not named' "$(came)"; fi

begin 'a directory: that is said'
  in_h /h/dir
  exits 126; one_line; says /h/dir; says directory

begin 'a mount with noexec: that is said'
  cp /bin/busybox h/program
  run mydocker run --tmpfs /mnt -v ./h:/h busybox sh -c 'true'
  mkdir -p h/noexec
  mount -t tmpfs -o noexec none h/noexec
  cp /bin/busybox h/noexec/program
  in_h /h/noexec/program
  exits 126; one_line; says /h/noexec/program; says noexec
  umount h/noexec

begin 'a user who may not execute it'
  cp h/good h/private; chmod 700 h/private
  run mydocker run -u app -v ./h:/h busybox /h/private
  exits 126; one_line; says /h/private; says EACCES

begin 'a name that is in none of the directories of PATH: they are named'
  run mydocker run busybox nosuch
  exits 127; one_line; says nosuch; says /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  run mydocker run -e PATH=/one:/two busybox nosuch
  exits 127; one_line; says /one:/two; lacks /usr/local

begin "the host's PATH plays no part"
  run env PATH="$T/h:$PATH" "$MYDOCKER" run busybox good
  exits 127; one_line; says good

begin 'an empty PATH'
  run mydocker run -e PATH= busybox sh
  exits 127; one_line; says PATH

begin 'what cannot be executed in one directory of PATH is looked for in the next'
  mkdir h/first h/second
  printf 'not executable' >h/first/tool
  mkdir h/first/other
  cp h/good h/second/tool; cp h/good h/second/other
  run mydocker run -v ./h:/h -e PATH=/h/first:/h/second busybox tool a
  exits 0; prints 'ran a'
  run mydocker run -v ./h:/h -e PATH=/h/first:/h/second busybox other b
  exits 0; prints 'ran b'

begin 'a relative command starts at the working directory'
  run mydocker run -v ./h:/h -w /h busybox ./good a; exits 0; prints 'ran a'
  run mydocker run -v ./h:/h -w /h busybox second/tool a; exits 0; prints 'ran a'
  run mydocker run -v ./h:/h -w /h busybox good; exits 127; one_line; says good
  run mydocker run -v ./h:/h -w /h busybox ./none; exits 127; one_line; says ./none

begin 'a path through a file'
  in_h /h/good/x
  one_line; says /h/good/x; says ENOTDIR
  if active && [ "$code" != 126 ] && [ "$code" != 127 ]; then fail 'expected 126 or 127' "$(came)"; fi

begin 'a loop of links'
  ln -s loop h/loop
  in_h /h/loop
  one_line; says /h/loop; says ELOOP
  if active && [ "$code" != 126 ] && [ "$code" != 127 ]; then fail 'expected 126 or 127' "$(came)"; fi

begin 'arguments that are too many'
  # Each argument may have 128 KiB less one byte, all of them a quarter of the stack's limit (execve(2)).
  args=()
  long=$(head -c 100000 /dev/zero | tr '\0' a)
  for _ in $(seq 5); do args+=("$long"); done
  run mydocker run --ulimit stack=1000000:1000000 busybox true "${args[@]}"
  exits 126; one_line; says E2BIG

begin 'bytes in a name are shown, not sent to the terminal'
  run mydocker run busybox $'no\e[31msuch\nline'
  exits 127; one_line
  if active && grep -q $'\e' "$T/err"; then fail 'an escape sequence came through' "$(came)"; fi

begin 'a store on a file system where overlay cannot have its upper directory'
  mkdir -p ovl/{lower,upper,work,merged}
  mount -t overlay -o lowerdir=ovl/lower,upperdir=ovl/upper,workdir=ovl/work overlay ovl/merged
  run env -u MYDOCKER_ROOT "$MYDOCKER" run --root "$T/ovl/merged/store" busybox echo works
  if active && [ "$code" = 0 ]; then
    prints works
  else
    exits 125; one_line; says overlay; says 'hint: '
  fi
  umount ovl/merged

begin 'a store that cannot be written'
  mkdir -p ro
  mount -t tmpfs -o ro none ro
  run env -u MYDOCKER_ROOT "$MYDOCKER" run --root "$T/ro/store" busybox true
  exits 125; one_line; says "$T/ro/store"; says EROFS
  umount ro

begin 'a store that is a file'
  echo file >store
  run env -u MYDOCKER_ROOT "$MYDOCKER" run --root "$T/store" busybox true
  exits 125; one_line; says "$T/store"

begin 'another user than root is told so'
  run setpriv --reuid 1000 --regid 1000 --clear-groups "$MYDOCKER" run --root "$T/other" busybox true
  exits 125; one_line; says root
