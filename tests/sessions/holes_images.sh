# Known holes of container runtimes, each tried: images and volumes that want out, and what a user types.
# docs/security.md lists them with what each test shows without the fix.
. "$TESTS/tools/host.sh"

tool holes && cp "$tool_path" holes
umask 022
fresh() {
  rm -rf --one-file-system tree canary vol src
  mkdir tree canary vol src
  tar -C tree -xf busybox.tar
  cp holes tree/bin/holes
  for name in ptmx null fd hosts passwd file console core; do echo canary >"canary/$name"; done
  mkdir canary/pts canary/shm
  echo mine >src/file
  canary_before=$(canary)
  host_before=$(host_files)
}
canary() { (cd canary && find . -printf '%p %y %m %U %G %s %T@ %n %l\n' | sort); }
# The places of the host to which the links below lead.
host_files() { ls -A /etc; stat -c '%n %s %Y %a' /etc/passwd /etc/shadow /etc/group /etc/hosts /etc/hostname; stat -c '%n %F %a %t:%T' /dev/null /dev/ptmx; cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname; }
host_is_whole() {
  same "$canary_before" "$(canary)" 'the canary'
  same '' "$(diff <(echo "$host_before") <(host_files))" 'the host'
}
# Either it ran, and all stayed inside, or it was refused in one line.
taken_or_refused() {
  if active && [ "$code" != 0 ]; then exits 125; one_line; fi
  lacks canary
  host_is_whole
}

# --- what the runtime mounts on ------------------------------------------------------------------------------------------

for link in dev dev/pts dev/shm dev/mqueue dev/console dev/null dev/fd dev/ptmx etc etc/hosts etc/hostname etc/resolv.conf tmp proc sys proc/self sys/fs sys/fs/cgroup; do
  begin "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2026-41579: an image whose /$link is a link, wherever to"
    for to in "$T/canary" ../../../../../../../../../../.. "$T/canary/file" /proc/self/root /nowhere/at/all "/$link" /etc/shadow ../proc/sys/kernel; do
      fresh
      mkdir -p "tree/$(dirname "$link")"
      rm -rf "tree/$link"
      ln -s "$to" "tree/$link"
      run mydocker run ./tree /bin/sh -c 'cat /dev/ptmx/x /dev/file /tmp/file /etc/file 2>/dev/null; echo x 2>/dev/null >/tmp/hole; true'
      if [ "$link" = proc ] || [ "$link" = sys ]; then exits 125; says "/$link"; fi
      taken_or_refused
    done
done

begin 'CVE-2021-30465: the target of a volume through links of the image and of another volume'
  fresh
  ln -s "$T/canary" tree/absolute
  ln -s ../../../../../../../../../../../"$T/canary" tree/relative
  ln -s "$T/canary/new" tree/dangling
  ln -s looping tree/looping
  ln -s /proc/self/root tree/magic
  ln -s "$T/canary" vol/absolute
  ln -s ../../../../../../../../../../../"$T/canary" vol/relative
  ln -s "$T/canary/new" vol/dangling
  for name in absolute relative dangling looping magic; do
    for below in '' /x /new/y /pts /file; do
      run mydocker run -v "./src:/$name$below" ./tree true; taken_or_refused
      run mydocker run -v ./vol:/v -v "./src:/v/$name$below" ./tree true; taken_or_refused
      run mydocker run -v "./src/file:/$name$below" ./tree true; taken_or_refused
      run mydocker run --tmpfs "/$name$below" -w "/$name$below" ./tree true; taken_or_refused
    done
  done
  same mine "$(cat src/file)"; same file "$(ls src)" 'the volume'

begin 'CVE-2021-30465: the same while somebody exchanges a directory of the volume for a link to outside'
  fresh
  mkdir vol/dir
  ln -s "$T/canary" vol/link
  ./holes swap vol/dir vol/link >swapping & swapper=$!
  eventually 5 grep -q ready swapping
  for _ in {1..60}; do
    run mydocker run -v ./vol:/v -v ./src:/v/dir/x ./tree cat /v/dir/x/file
    if active && [ "$code" = 125 ]; then one_line; fi
  done
  kill "$swapper"; wait "$swapper" 2>/dev/null
  host_is_whole

# --- masks and /dev --------------------------------------------------------------------------------------------------------

# masked: from inside, what covers the masked files is empty whatever /dev/null is, and what must not be written cannot be.
masked='for f in keys timer_list interrupts kcore; do if [ -e /proc/$f ]; then head -c 100 /proc/$f | wc -c; holes write /proc/$f | grep -vxE "EROFS|EACCES"; fi; done | sort -u; holes write /proc/sys/kernel/core_pattern; head -c 10 /proc/sys/kernel/core_pattern >/dev/null; ls /sys/firmware | wc -l'
begin 'CVE-2025-31133: an image whose /dev/null leads to /proc/sys/kernel/core_pattern'
  fresh
  mkdir tree/dev
  ln -s /proc/sys/kernel/core_pattern tree/dev/null
  run mydocker run ./tree /bin/sh -c "$masked"
  exits 0; prints $'0\nEROFS\n0'
  host_is_whole

begin 'CVE-2025-31133: a volume on /dev, whose null leads there'
  fresh
  mkdir -p vol/pts vol/shm
  for name in null full zero random console ptmx; do ln -sf /proc/sys/kernel/core_pattern "vol/$name"; done
  run mydocker run -v ./vol:/dev ./tree /bin/sh -c "$masked"
  if active && [ "$code" = 0 ]; then prints $'0\nEROFS\n0'; else exits 125; one_line; fi
  host_is_whole

begin 'CVE-2025-31133: the same while null is exchanged all the time'
  fresh
  mkdir -p vol/pts vol/shm
  mknod vol/null c 1 3
  ln -s /proc/sys/kernel/core_pattern vol/link
  ./holes swap vol/null vol/link >swapping & swapper=$!
  eventually 5 grep -q ready swapping
  for _ in {1..40}; do
    run mydocker run -v ./vol:/dev ./tree /bin/sh -c "$masked"
    if active && [ "$code" = 0 ]; then prints $'0\nEROFS\n0'; else exits 125; one_line; fi
    run mydocker run -v ./vol/null:/dev/null ./tree /bin/sh -c "$masked"
    if active && [ "$code" = 0 ]; then prints $'0\nEROFS\n0'; else exits 125; one_line; fi
  done
  kill "$swapper"; wait "$swapper" 2>/dev/null
  host_is_whole

begin 'standard input without -i is the null device, whatever a volume has put on /dev/null'
  fresh
  run mydocker run -v ./src/file:/dev/null ./tree cat; exits 0; prints ''
  mkfifo vol/fifo
  LIMIT=10 run mydocker run -v ./vol/fifo:/dev/null ./tree cat; exits 0; prints ''

begin 'CVE-2025-52565: /dev/console is the terminal, not what the image or a volume has put at /dev/pts/0'
  if need_pty; then
    fresh
    mkdir -p tree/dev/pts vol/pts vol/shm
    ln -s /proc/sys/kernel/core_pattern tree/dev/pts/0
    ln -s /proc/sys/kernel/core_pattern tree/dev/console
    ln -s /proc/sys/kernel/core_pattern vol/pts/0
    ln -s /proc/sys/kernel/core_pattern vol/console
    feed $'wait\n'
    run "$PTY" "$MYDOCKER" run -it ./tree /bin/sh -c 'stat -c %t /dev/console; [ "$(stat -c %r /dev/console)" = "$(stat -c %r /dev/pts/0)" ] && echo the same; holes write /proc/sys/kernel/core_pattern'
    exits 0; contains 88; contains EROFS
    feed $'wait\n'
    run "$PTY" "$MYDOCKER" run -it -v ./vol:/dev ./tree /bin/sh -c 'holes write /proc/sys/kernel/core_pattern; holes write /dev/console'
    lacks ok
    host_is_whole
  fi

begin 'CVE-2025-52881, CVE-2019-16884: an image with a /proc of its own'
  fresh
  mkdir -p tree/proc/self/attr tree/proc/sys/kernel tree/proc/thread-self/attr tree/proc/1
  for name in self/attr/exec self/attr/current self/oom_score_adj thread-self/attr/exec sys/kernel/hostname keys; do echo fake >"tree/proc/$name"; done
  run mydocker run ./tree /bin/sh -c 'cat /proc/self/oom_score_adj; stat -f -c %t /proc /proc/self /proc/sys/kernel'
  exits 0; prints $'0\n9fa0\n9fa0\n9fa0'
  same fake "$(cat tree/proc/self/attr/exec)"; same fake "$(cat tree/proc/self/oom_score_adj)"

begin 'CVE-2025-52881: nothing can be mounted on /proc or below'
  fresh
  ln -s /proc tree/link
  ln -s /proc/self/attr tree/deep
  for target in /proc /proc/self /proc/self/attr/exec /proc/sys /proc/thread-self/attr //proc/./1 /tmp/../proc /link /link/self /deep /deep/exec; do
    run mydocker run -v "./src:$target" ./tree true; exits 125; one_line
    run mydocker run -v "./src/file:$target" ./tree true; exits 125; one_line
    run mydocker run --tmpfs "$target" ./tree true; exits 125; one_line
    run mydocker run --mount "type=bind,src=$T/src,dst=$target" ./tree true; exits 125; one_line
  done
  host_is_whole

# --- /etc/passwd and /etc/group ----------------------------------------------------------------------------------------------

# The image's own, and what -u wants of it. An image is a directory here; what an archive brings is the same once unpacked.
for file in passwd group; do
  for kind in fifo socket directory zero full tty null disk huge sparse binary line lines absolute relative proc kmsg self loop unreadable; do
    begin "/etc/$file of the image: $kind"
      fresh
      rm -f "tree/etc/$file"
      at=tree/etc/$file
      case $kind in
        fifo) mkfifo "$at" ;;
        socket) perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1) or die' "$at" ;;
        directory) mkdir "$at" ;;
        zero) mknod "$at" c 1 5 ;;
        full) mknod "$at" c 1 7 ;;
        tty) mknod "$at" c 5 0 ;;
        null) mknod "$at" c 1 3 ;;
        disk) mknod "$at" b 254 0 ;;
        huge) yes 'x:x:5:5::/:' | head -c 3000000 >"$at" ;;
        sparse) truncate -s 1T "$at" ;;
        binary) head -c 200000 /dev/urandom >"$at" ;;
        line) head -c 500000 /dev/zero | tr '\0' a >"$at" ;;
        lines) head -c 500000 /dev/zero | tr '\0' '\n' >"$at" ;;
        absolute) ln -s /etc/shadow "$at"; echo 'app:x:0:0::/canary:' >canary/passwd; canary_before=$(canary) ;;
        relative) ln -s "../../../../../../../../../../..$T/canary/passwd" "$at"; echo 'evil:x:0:0::/canary:' >canary/passwd; canary_before=$(canary) ;;
        proc) ln -s /proc/self/mem "$at" ;;
        kmsg) ln -s /proc/kmsg "$at" ;;
        self) ln -s /proc/self/fd/0 "$at" ;;
        loop) ln -s "$file" "$at" ;;
        unreadable) : >"$at"; chmod 0 "$at" ;;
      esac
      for user in 7:8 app evil ''; do
        LIMIT=10 run mydocker run -u "$user" ./tree grep -E '^(Uid|Gid)' /proc/self/status
        if active && [ "$code" = 124 ]; then fail "it hangs with -u $user"; fi
        taken_or_refused
        # A name that the image does not have is nobody, least of all root.
        if [ "$user" = evil ]; then exits 125; lacks Uid; fi
      done
      LIMIT=10 run bash -c 'ulimit -v 200000; exec "$@"' sh "$MYDOCKER" run -u 7:8 ./tree true
      if active && [ "$code" = 124 ]; then fail 'it hangs'; fi
  done
done

# --- the source of a volume ---------------------------------------------------------------------------------------------------

begin 'the source of a volume is exchanged for a link while containers start: one or the other, whole, and nothing is made'
  fresh
  mkdir a
  echo one >a/file
  ln -s "$T/canary" b
  echo other >canary/file
  canary_before=$(canary)
  ./holes swap a b >swapping & swapper=$!
  eventually 5 grep -q ready swapping
  for n in {1..60}; do
    case $((n % 3)) in
      0) run mydocker run -v ./a:/v ./tree cat /v/file ;;
      1) run mydocker run -v ./a/file:/v ./tree cat /v ;;
      2) run mydocker run --mount "type=bind,src=$T/a,dst=/v,ro" ./tree cat /v/file ;;
    esac
    if active && [ "$code" = 0 ]; then [[ $out = one || $out = other ]] || fail 'neither the one nor the other' "$out"; else exits 125; one_line; fi
  done
  kill "$swapper"; wait "$swapper" 2>/dev/null
  same "$canary_before" "$(canary)" 'the canary'
  rm -rf --one-file-system a b

begin 'a file and a directory are exchanged, and a directory that has to be made'
  fresh
  mkdir a
  echo other >b
  ./holes swap a b >swapping & swapper=$!
  eventually 5 grep -q ready swapping
  for _ in {1..60}; do
    run mydocker run -v ./a:/v ./tree sh -c 'ls -d /v'
    if active && [ "$code" != 0 ]; then exits 125; one_line; fi
    run mydocker run -v ./a/new:/v ./tree sh -c 'ls -d /v'
    if active && [ "$code" != 0 ]; then exits 125; one_line; fi
  done
  kill "$swapper"; wait "$swapper" 2>/dev/null
  host_is_whole
  rm -rf --one-file-system a b

# --- words ------------------------------------------------------------------------------------------------------------------------

begin 'arguments and variables with newlines, escapes and bytes that are no text come through as they are'
  odd=$'a\nb\tc\e[31m\\ "\'$x`\x01\xff%s{}'
  run mydocker run -e "ODD=$odd" busybox sh -c 'printf %s "$ODD"; printf %s "$1"' "$odd" "$odd"
  exits 0; quiet; prints "$odd$odd"
  run mydocker run -e $'A=1\nB=2' busybox sh -c 'echo "${B-none}"'
  exits 0; prints none
  run mydocker run -e $'A\nB=2' busybox env
  if active && [ "$code" != 0 ]; then exits 125; one_line; fi
  run mydocker run --name $'a\nb' busybox true; exits 125; one_line
  run mydocker run --hostname $'a\nb' busybox cat /etc/hostname
  if active && [ "$code" != 0 ]; then exits 125; one_line; fi
  run mydocker run -w $'/a\nb' busybox pwd; exits 0; prints $'/a\nb'
  run mydocker run $'/no\nsuch\e[31m'; exits 127; one_line
  run mydocker run --log-level info -e $'A=1\n{"level":"x"}' busybox true; exits 0
  same '' "$(grep -v '^{.*}$' "$T/err")" 'lines of the log that are no JSON'

begin 'an argument and a variable of 128 KiB, the longest that the kernel takes, and one byte more'
  long=$(head -c 131071 /dev/zero | tr '\0' a)
  run mydocker run busybox sh -c 'echo ${#1}' sh "$long"
  exits 0; quiet; prints 131071
  printf 'LONG=%s\n' "${long:5}" >env
  run mydocker run --env-file env busybox sh -c 'echo ${#LONG}'
  exits 0; quiet; prints 131066
  printf 'LONG=%sa\n' "${long:5}" >env
  run mydocker run --env-file env busybox true
  if active && [ "$code" != 126 ]; then exits 125; fi
  one_line; says E2BIG
  # A word of ours that long, where a path, a name, a number is wanted.
  for flag in -v -u -w -m --name --hostname --cpus --mount --tmpfs --root --ulimit --entrypoint --net; do
    run mydocker run "$flag" "$long" busybox true
    if active && [ "$code" != 126 ] && [ "$code" != 127 ]; then exits 125; fi
    if active && [ "$(head -c 4 "$T/err")" != mydo ]; then fail 'no message' "${flag}"; fi
  done
  # 1,000 variables of 1,000 bytes.
  for n in {1..1000}; do printf 'V%s=%s\n' "$n" "${long:0:1000}"; done >env
  run mydocker run --env-file env busybox sh -c 'env | grep -c ^V'
  exits 0; quiet; prints 1000

begin 'a store whose path has what overlayfs splits its options at'
  odd=$'o,d:d\\ \n\xff'
  mkdir "$odd"
  run mydocker run --root "$T/$odd/store" busybox sh -c 'echo x >/x; cat /x'
  exits 0; quiet; prints x
  run mydocker run --root "$T/$odd/store" -v "$T/$odd/vol:/v" busybox touch /v/new
  if active && [ "$code" = 0 ]; then same new "$(ls "$odd/vol")"; else exits 125; fi
  cp -r tree "$odd/tree"
  run mydocker run --rootfs "$T/$odd/tree" /bin/busybox echo x
  exits 0; quiet; prints x
  rm -rf --one-file-system "$odd"
