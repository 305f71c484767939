# CVE-2019-5736: a container must not reach the file that mydocker is on the host. /proc/PID/exe of a process that runs it
# is a link to the very file, wherever that is; who opens that for reading can open the descriptor anew for writing, as soon
# as nobody executes the file any more (ETXTBSY; Linux 6.11 and 6.12.0 did not even have that).

cp "$MYDOCKER" runtime
sum=$(sha256sum <runtime)
untouched() { same "$sum" "$(sha256sum <runtime)" "the runtime's file"; }
runtime() { "$T/runtime" "$@"; }
child_of() { cut -d ' ' -f 1 "/proc/$1/task/$1/children"; }
mkdir -p tree/proc tree/sys tree/dev tree/etc tree/bin tree/tmp
tar -xf busybox.tar -C tree ./bin 2>/dev/null || tar -xf busybox.tar -C tree bin

# An ELF file that does nothing but have /proc/self/exe as its interpreter.
perl -e 'my $name = "/proc/self/exe\0";
  print pack("a16 S S L Q Q Q L S S S S S S", "\x7fELF\2\1\1", 2, 62, 1, 0x10000000, 64, 0, 0, 64, 56, 2, 0, 0, 0),
    pack("L L Q Q Q Q Q Q", 3, 4, 176, 0x100000b0, 0x100000b0, length $name, length $name, 1),
    pack("L L Q Q Q Q Q Q", 1, 5, 0, 0x10000000, 0x10000000, 200, 200, 4096), $name, "\0" x 64' >tree/interpreted
printf '#!/proc/self/exe\n' >tree/script
ln -s /proc/self/exe tree/link
ln -s link tree/links
chmod 755 tree/interpreted tree/script

# What the image names is mydocker's own program, as the kernel sees it then; it has to be an empty file.
for command in /proc/self/exe /proc/thread-self/exe /link /links /script /interpreted; do
  begin "a command that is $command does not run the host's mydocker in the container"
    run runtime run ./tree "$command" version
    exits 126; prints ''; one_line; lacks 'mydocker 0'
    run runtime run --init ./tree "$command" version
    exits 126; prints ''; one_line
done

begin 'the interpreter is one: the same file runs where /proc/self/exe is something else'
  run "$T/tree/bin/busybox" sh -c "exec $T/tree/script"
  if active && [[ $err != *'applet not found'* && $out != *BusyBox* && $code = 0 ]]; then fail 'expected busybox to run' "$(came)"; fi

begin 'process 1 of --init has nothing of it: not its program, not a mapping, not the arguments or the environment'
  SECRET=of-the-host "$T/runtime" run --init -v "$T/shared:/shared" ./tree sh -c 'echo >/shared/up; cat /shared/go >/dev/null' &
  pid=$!
  mkdir -p shared
  mkfifo shared/go 2>/dev/null
  for try in {1..100}; do if [ -e shared/up ]; then break; fi; sleep 0.05; done
  child=$(child_of "$pid")
  check test -e "/proc/$child/exe"
  lacks_file() { refuse grep -qaF -e "$1" "/proc/$child/$2"; }
  same /dev/pts/program "$(readlink "/proc/$child/exe")" 'the program'
  lacks_file "$T/runtime" maps
  lacks_file runtime cmdline
  lacks_file of-the-host environ
  timeout 20 sh -c "echo >shared/go"
  wait "$pid" || fail "expected the container to end well: $?"
  untouched

begin 'and from inside its memory cannot be read'
  run runtime run --init ./tree sh -c 'cat /proc/1/environ; cat /proc/1/maps; readlink /proc/1/exe; head -c 4 /proc/1/exe; grep Dumpable /proc/1/status; :'
  exits 0; prints ''; says "/proc/1/environ': Permission denied"; says '/proc/1/exe: Permission denied'
  untouched

begin 'the attack itself: a container that sees the other opens its program, and writes to it when it has ended'
  # By a mydocker of another file, so that nothing executes this one any more.
  cat >shared/attack <<'END'
echo >/shared/up
timeout 20 cat /shared/running >/dev/null
for exe in /proc/[0-9]*/exe; do
  if [ "$(stat -L -c %s "$exe" 2>/dev/null)" = "$1" ]; then
    echo "reached $exe"
    exec 9<"$exe" && break
  fi
done
timeout 20 sh -c "echo >/shared/held"
timeout 20 cat /shared/ended >/dev/null
if [ -e /proc/self/fd/9 ]; then printf owned >/proc/self/fd/9 && echo written; fi
echo done
END
  rm -f shared/up shared/go
  mkfifo shared/go shared/running shared/held shared/ended
  "$MYDOCKER" run --pid host -v "$T/shared:/shared" busybox sh /shared/attack "$(stat -c %s runtime)" >attack.out 2>&1 &
  attacker=$!
  "$T/runtime" run --init -v "$T/shared:/shared" ./tree sh -c 'echo >/shared/running; cat /shared/go >/dev/null' &
  victim=$!
  read -r -t 20 _ <>shared/held
  timeout 20 sh -c "echo >shared/go"
  wait "$victim"
  timeout 20 sh -c "echo >shared/ended"
  wait "$attacker"
  same done "$(<attack.out)" 'what the attacker says'
  untouched

# sealed WORD…: run where the kernel cannot change a process's program: prctl(PR_SET_MM) answers EINVAL. Only the supervisor
# is traced.
sealed() { strace -o strace.log -e trace=prctl,memfd_create,execveat,fcntl -e inject=prctl:error=EINVAL "$@"; }

begin 'a kernel that cannot change a process'"'"'s program: mydocker runs from a copy in memory that nobody can write to'
  need strace
  for command in /link /script /interpreted; do
    run sealed "$T/runtime" run ./tree "$command" version
    # It is mydocker that runs there, from the copy, with what is in the container.
    check grep -q 'F_SEAL_SEAL|F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_WRITE' strace.log
    check grep -qF 'execveat(' strace.log
  done
  feed ': >/proc/1/exe; readlink /proc/1/exe'
  run sealed "$T/runtime" run -i ./tree sh -c 'cat | sh; exit 3'
  exits 3
  rm -f shared/up
  sealed "$T/runtime" run --init -v "$T/shared:/shared" ./tree sh -c 'echo >/shared/up; cat /shared/go >/dev/null' &
  pid=$!
  for try in {1..200}; do if [ -e shared/up ]; then break; fi; sleep 0.05; done
  # strace, mydocker, process 1.
  child=$(child_of "$(child_of "$pid")")
  same '/memfd:mydocker (deleted)' "$(readlink "/proc/$child/exe")" 'the program of process 1'
  if printf x 2>/dev/null >"/proc/$child/exe"; then fail 'expected the copy to refuse to be written'; fi
  timeout 20 sh -c "echo >shared/go"
  wait "$pid" || fail "expected the container to end well: $?"
  untouched

begin 'a host that lets no memory file be executed: nothing depends on that, but the copy does'
  need strace
  # The setting is of a pid namespace (Linux 6.3).
  memfd() { unshare -pf --mount-proc sh -c 'echo "$1" 2>/dev/null >/proc/sys/vm/memfd_noexec || exit 77; shift; "$@"' sh "$@"; }
  run memfd 2 "$T/runtime" run ./tree echo fine
  if [ "$code" = 77 ]; then skip 'there is no vm.memfd_noexec here'; fi
  exits 0; quiet; prints fine
  run memfd 1 strace -o /dev/null -e trace=prctl -e inject=prctl:error=EINVAL "$T/runtime" run ./tree echo fine
  exits 0; quiet; prints fine
  run memfd 2 strace -o /dev/null -e trace=prctl -e inject=prctl:error=EINVAL "$T/runtime" run ./tree echo fine
  exits 125; one_line; says 'run a sealed copy of the program: EACCES'

begin 'where neither is possible nothing is started'
  need strace
  run strace -o /dev/null -e inject=prctl:error=EINVAL -e inject=memfd_create:error=ENOSYS "$T/runtime" run ./tree true
  exits 125; one_line; says 'run a sealed copy of the program: ENOSYS'
  run strace -o /dev/null -e inject=prctl:error=EINVAL -e inject=fcntl:error=EPERM "$T/runtime" run ./tree true
  exits 125; one_line; says 'run a sealed copy of the program: EPERM'
  # The child's own: a call that fails although the kernel has it.
  run strace -f -o /dev/null -e inject=mremap:error=ENOMEM "$T/runtime" run ./tree true
  exits 125; one_line; says 'copy the program: ENOMEM'
  run strace -f -o /dev/null -e inject=mprotect:error=EACCES "$T/runtime" run ./tree true
  exits 125; one_line; says 'copy the program: EACCES'
