# A container exchanges a directory with a symlink, all the time, in a volume that it shares, while others start with a
# mount on a path through it (CVE-2021-30465 and its like). Wherever the path leads at that moment, it is in the root.
#   RACE_ROUNDS  starts a way (default 10, which takes 10 s in all); `make races` makes 20,000 in all
. "$TESTS/tools/host.sh"

rounds=${RACE_ROUNDS:-10}
umask 022
mkdir -p canary/inner shared/dir source
echo here >source/race-source
echo file >race-file
touch -d @1000000000 canary/inner canary
canary() { find canary -printf '%p %y %m %U %G %T@ %C@ %n\n' | sort; }
canary_before=$(canary)

# exchanging LINK: a container that exchanges shared/dir with a symlink of that content, until `settled`.
exchanging() {
  rm -rf shared/link shared/dir
  mkdir shared/dir
  ln -s "$1" shared/link
  start -v "$T/shared:/vol" -v "$tool_path:/race:ro" busybox /race exchange /vol/dir /vol/link
  ready
}
settled() {
  if active; then kill -TERM "$pid"; fi
  finish
  exits 0
  if active && ! [ "$(tail -n 1 "$T/out")" -gt "$rounds" ]; then fail 'there was hardly an exchange' "$(came)"; fi
}

# racing ARG...: the rounds. Each start is whole, with a mount of ours inside, or is refused in one line.
racing() {
  if ! active; then return 0; fi
  "$tool_path" rounds "$rounds" "${kernel[@]}" "$MYDOCKER" run -v "$T/shared:/vol" "$@" >"$T/codes" 2>"$T/refusals"
  if grep -qvE '^(0|125) ' "$T/codes"; then fail 'exit codes other than 0 and 125, and how often' "$(cat "$T/codes")" "$(sort "$T/refusals" | uniq -c)"; fi
  if [ "$rounds" -ge 100 ] && ! grep -q '^0 ' "$T/codes"; then fail 'none started' "$(sort "$T/refusals" | uniq -c)"; fi
  same "$(sed -n 's/^125 //p' "$T/codes")" "$(grep -c '^mydocker: ' "$T/refusals" | sed 's/^0$//')" 'the refusals and their lines'
  same "$canary_before" "$(canary)" 'the canary'
}
inside=(busybox grep -q race- /proc/self/mountinfo)

for how in '' ' (no openat2)'; do
  for link in "$T/canary" "../../../../../../../..$T/canary" /proc/1/root/canary; do
    begin "a volume on a path that is exchanged with a link to ${link/$T/DIR}$how"
      kernel=()
      if [ -n "$how" ]; then tool without && kernel=("$tool_path" openat2); fi
      tool race
      mkdir -p source/sub race-source
      exchanging "$link"
      racing -v "$T/race-source:/vol/dir/new@" "${inside[@]}"
      racing -v "$T/race-file:/vol/dir/file@" "${inside[@]}"
      racing -v "$T/race-source:/vol/dir" "${inside[@]}"
      racing -v "$T/race-source:/vol/dir/deep/er/new@:ro" -w /vol/dir/work@ "${inside[@]}"
      settled
      # The race was one: of those that were made, some were made in the directory and some elsewhere.
      if active && [ "$rounds" -ge 100 ]; then
        made=$(ls shared/dir shared/link 2>/dev/null | grep -c new)
        if [ "$made" -lt 1 ] || [ "$made" -ge "$rounds" ]; then fail "of $rounds targets, $made were made in the directory"; fi
      fi
      rm -rf --one-file-system shared/dir shared/link
  done
done

# A source that was a directory when it was looked at, and is a link to elsewhere when it is mounted.
for how in '' ' (mount(2) alone)'; do
  begin "a volume's source that is exchanged for a symlink after it was looked at is not mounted$how"
  rm -rf own trace && mkdir own own/dir
  kernel=()
  if [ -n "$how" ]; then tool without && kernel=("$tool_path" fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr); fi
  if active && need strace; then
    strace -f -qq -o trace -e trace=clone3 -e inject=clone3:delay_enter=1500000 "${kernel[@]}" \
      "$MYDOCKER" run -v "$T/own/dir:/mnt" busybox ls /mnt </dev/null >"$T/started.out" 2>"$T/started.err" &
    pid=$!
    typed='mydocker run -v DIR/own/dir:/mnt busybox ls /mnt'
    started=$typed
    eventually 20 grep -qs clone3 trace || fail 'it never came to clone3'
    mv own/dir own/other
    ln -s "$T/canary" own/dir
    finish
    exits 125
    one_line
    lacks inner
    says "own/dir:/mnt: ESTALE"
    same "$canary_before" "$(canary)" 'the canary'
  fi
done

# Of two images with one layer and two configs; of the other one there is a container, which has that layer's lock.
for where in mkdirat flock; do
  for how in create run; do
    begin "rmi of an image that $how has found, and has not made a container of yet (at $where)"
    need strace
    run mydocker import busybox.tar other
    run mydocker import -c 'ENV of=image' busybox.tar image
    if active; then
      start --name beside other sh -c 'echo ready; exec sleep 31890'
      ready
      beside=$pid
      # Before the container's directory is made, or before the lock is asked for under which that is done.
      strace -qq -o trace -e trace=flock,mkdirat "$MYDOCKER" $how --name made image true >/dev/null 2>&1
      "$MYDOCKER" rm -f made >/dev/null 2>&1
      nth=1
      if [ $where = flock ]; then nth=$(sed '/^mkdirat/,$d' trace | wc -l); fi
      rm trace
      strace -f -qq -o trace -e "trace=$where" -e "inject=$where:delay_enter=1000000:when=$nth" \
        "$MYDOCKER" $how --name made image sh -c 'echo $of; sleep 10' >"$T/made.out" 2>"$T/made.err" &
      maker=$!
      held_up() { [ -e trace ] && [ "$(grep -c "$where" trace)" -ge "$nth" ]; }
      eventually 5 held_up || fail 'it was never held up'
      LIMIT=10 run mydocker rmi image
      if [ $how = create ]; then wait $maker; fi
      eventually 5 sh -c "'$MYDOCKER' inspect made >/dev/null 2>&1 || ! kill -0 $maker 2>/dev/null"
      if [ "$code" = 0 ]; then
        same 'mydocker: no such image: image' "$(<"$T/made.err")" 'what is said of an image that is gone'
        same '' "$("$MYDOCKER" ps -aq --filter name=made)" 'a container of an image that is gone'
      else
        says 'is using its referenced image'
        same image "$("$MYDOCKER" inspect --format '{{.Config.Image}}' made)" 'the container whose image was kept'
        if [ $how = create ]; then
          same image "$("$MYDOCKER" start -a made)"
        else
          # What can be inspected need not be running yet.
          eventually 5 sh -c "'$MYDOCKER' exec made true 2>/dev/null"
          same image "$("$MYDOCKER" exec made sh -c 'echo $of')"
        fi
      fi
      "$MYDOCKER" rm -f made >/dev/null 2>&1
      wait $maker
      "$MYDOCKER" kill beside >/dev/null
      pid=$beside
      finish
      "$MYDOCKER" rmi -f image other >/dev/null 2>&1
    fi
  done
done
