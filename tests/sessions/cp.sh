# cp: files between a container and the host, while it runs and when it does not. What must come is what docker did with the
# same commands, destination by destination.
. "$TESTS/tools/host.sh"
gone_with() { run mydocker rm -f "$@"; exits 0; }
cp_() { run mydocker cp "$@"; }
up() { eventually 20 sh -c "'$MYDOCKER' logs $1 | grep -q up" || fail "$1 never came up"; }
umask 022

mkdir -p d/sub source over/g
echo d >over/d
echo f >f; echo s >d/sub/s; echo x >d/x; ln -s f lf; ln -s d ld; ln -s ../x d/rel; mkfifo d/fifo
chown 1234:2345 f; chmod 640 f; touch -d '2001-02-03 04:05:06' f
inside='mkdir -p /vol/in /dst; echo v >/vol/in/v; ln -s /dst /ldst; ln -s /vol/in/v /lv; echo o >/o; ln -s nowhere /dangle; ln -s ../../../../../../etc/passwd /up; echo up; sleep 1000'
fresh() {
  run mydocker run -d --name bird -v /vol -v "$T/source:/ro:ro" busybox sh -c "$inside"
  exits 0
  up bird
  if [ "$how" = stopped ]; then run mydocker stop -t 0 bird; fi
  out_dir=$T/out_$how; mkdir "$out_dir"
}
# has PATH WHAT: in the container, by an archive.
has() { mydocker cp "bird:$1" - 2>"$T/has.err" | tar -tvf - --numeric-owner 2>/dev/null | sed -E 's/ +[0-9]+ [0-9-]+ [0-9:]+ / /' | sed 's/ -> / -> /'; }

for how in running stopped; do
  begin "into a container: what is where afterwards ($how)"
    fresh
    while read -r code from to what; do
      if [ "$from" = '#' ]; then continue; fi
      cp_ $from "bird:$to"
      exits "$code"
      if [ "$code" = 0 ]; then quiet; else one_line; says "$what"; fi
    done <<'TABLE'
0 f /dst
0 f /dst/g
1 f /none/ no such directory
0 f /none
1 f /no/such/x Could not find the file /no/such in container bird
0 d /dst
0 d /dst/new
0 d/. /dst/new2
1 d /o cannot copy directory
1 f /o/ no such directory
0 f /ldst
0 f /ldst/
0 lf /dst/l1
0 ld /dst/l3
0 ld/ /dst/l5
1 f /ro/x mounted volume is marked read-only
0 f /vol/f
0 f rel
0 f /dangle
0 f /dst/sub/..//q
1 d /no/such/dir Could not find the file /no/such in container bird
1 nofile / nofile: no such file or directory
0 f /dst/d
1 over/d /dst cannot overwrite a directory with what is none
1 over/g /dst cannot overwrite with a directory what is none
1 d /dst/f cannot copy directory
TABLE
    cp_ -L lf bird:/dst/l2; exits 0
    cp_ -L ld bird:/dst/l4; exits 0
    same '-rw-r----- 1234/2345 nowhere
-rw-r----- 1234/2345 none
-rw-r----- 1234/2345 rel' "$(for file in /nowhere /none /rel; do has $file; done)" 'the files in /'
    same '-rw-r----- 1234/2345 f' "$(has /vol/f)" 'what is in the volume'
    # That was the file's way to a directory: into it.
    same '-rw-r----- 1234/2345 f' "$(has /dst/d/f)"
    same 'drwxr-xr-x 0/0 dst/
-rw-r----- 1234/2345 dst/f
-rw-r----- 1234/2345 dst/g
lrwxrwxrwx 0/0 dst/l1 -> f
-rw-r----- 1234/2345 dst/l2
lrwxrwxrwx 0/0 dst/l3 -> d
-rw-r----- 1234/2345 dst/q' "$(has /dst | grep -E ' dst/[^/]*$| -> [fd]$')" 'what is in /dst'
    for dir in d new new2 l4 l5; do
      same "drwxr-xr-x 0/0 $dir/
prw-r--r-- 0/0 $dir/fifo
lrwxrwxrwx 0/0 $dir/rel -> ../x
drwxr-xr-x 0/0 $dir/sub/
-rw-r--r-- 0/0 $dir/sub/s
-rw-r--r-- 0/0 $dir/x" "$(has /dst/$dir | grep -v d/f\$)" "the directory $dir"
    done

  begin "out of a container: what is where afterwards ($how)"
    while read -r code from to what; do
      cp_ "bird:$from" "$out_dir/$to"
      exits "$code"
      if [ "$code" = 0 ]; then quiet; else one_line; says "$what"; fi
    done <<'TABLE'
0 /vol/in .
0 /vol/in/. c
0 /vol/in n
0 /o .
1 /o nope/ no such directory
1 /o nope/x does not exist
1 /vol/in o cannot copy directory
0 /lv .
0 /ldst .
1 /ldst/ . cannot overwrite
1 /nofile . Could not find the file /nofile in container bird
1 /o/ . Could not find the file /o in container bird
0 /o o
0 /dst/f fb
TABLE
    cp_ -L bird:/lv "$out_dir/L"; exits 0
    cp_ -a bird:/dst/f "$out_dir/fa"; exits 0
    cp_ -q bird:/o "$out_dir/q"; exits 0; quiet
    cp_ -L bird:/up "$out_dir/up"; exits 0
    same '. d 755 0:0 
./L f 644 0:0 
./c d 755 0:0 
./c/v f 644 0:0 
./fa f 640 1234:2345 
./fb f 640 0:0 
./in d 755 0:0 
./in/v f 644 0:0 
./ldst l 777 0:0 /dst
./lv l 777 0:0 /vol/in/v
./n d 755 0:0 
./n/v f 644 0:0 
./o f 644 0:0 
./q f 644 0:0 
./up f 644 0:0 ' "$(cd "$out_dir" && find . -printf '%p %y %m %U:%G %l\n' | sort)" 'the tree'
    same v "$(cat "$out_dir/L")"
    # The container's own, not the host's.
    same "$(tar -xOf busybox.tar ./etc/passwd)" "$(cat "$out_dir/up")"
    same 981173106 "$(stat -c %Y "$out_dir/fb")" 'the time of a file'

  begin "archives on the standard streams ($how)"
    for row in '/vol/in|in/ in/v' '/vol/in/.|./ ./v' '/o|o' '/lv|lv' '/ldst/|ldst/'; do
      run mydocker cp "bird:${row%|*}" -
      exits 0; quiet
      same "${row#*|}" "$(tar -tf "$T/out" | grep -v ldst/. | paste -sd ' ')" "the names of ${row%|*}"
    done
    run mydocker cp -L bird:/lv -
    same v "$(tar -tf "$T/out")"
    run mydocker cp bird:/ -
    exits 0; quiet
    same '/ /o' "$(tar -tPf "$T/out" | grep -xE '/|/o' | paste -sd ' ')"
    # What is the kernel's is not the container's.
    same '/dev/ /proc/ /sys/' "$(tar -tPf "$T/out" | grep -E '^/(proc|sys|dev)/' | sort | paste -sd ' ')"
    echo hi >tt
    tar -cf tt.tar tt f
    feed_file tt.tar; cp_ - bird:/dst; exits 0; quiet
    same '-rw-r--r-- 0/0 tt' "$(has /dst/tt)"
    feed_file tt.tar; cp_ - bird:/o; exits 1; says 'destination "bird:/o" must be a directory'
    feed_file tt.tar; cp_ - bird:/none/such; exits 1; one_line
    feed_file tt; cp_ - bird:/dst; exits 1; one_line; says 'was it cut off'
    gzip -c tt.tar >tt.gz; feed_file tt.gz; cp_ - bird:/vol; exits 0
    same '-rw-r--r-- 0/0 tt' "$(has /vol/tt)"
    gone_with bird
done

begin 'which side is the container'
  run mydocker create --name egg busybox cat /tmp/file
  cp_ f f2; exits 1; one_line; says 'must specify at least one container source'
  cp_ egg:/a egg:/b; exits 1; one_line; says 'copying between containers is not supported'
  cp_ f nobody:/; exits 1; one_line; says 'such container: nobody'
  echo content >egg:file
  cp_ ./egg:file egg:/tmp/file; exits 0; quiet
  run mydocker start -a egg
  exits 0; prints content
  gone_with egg

begin 'a root that is read-only for the container is so for cp; its volumes are not'
  run mydocker run -d --name bird --read-only -v /vol --tmpfs /scratch busybox sh -c 'echo up; sleep 1000'
  up bird
  for state in running stopped; do
    cp_ f bird:/x; exits 1; one_line; says 'container rootfs is marked read-only'
    cp_ f bird:/tmp/..; exits 1; one_line; says 'container rootfs is marked read-only'
    cp_ f bird:/vol/x; exits 0
    run mydocker stop -t 0 bird
  done
  gone_with bird

begin 'before its first start: a volume has its first content, and keeps what cp has put there'
  run mydocker create --name egg -v things:/home busybox true
  cp_ f egg:/home/; exits 0
  cp_ egg:/home there; exits 0
  same 'app f' "$(ls there | paste -sd ' ')"
  run mydocker run --rm -v things:/data busybox cat /data/f
  prints f
  gone_with egg
  run mydocker volume rm things

begin 'attributes come along; a bound file cannot be replaced; large files, many files'
  run mydocker run -d --name bird busybox sh -c 'echo up; sleep 1000'
  up bird
  cp_ f bird:/etc/hosts; exits 1; one_line; says 'device or resource busy'
  run mydocker exec bird grep -c localhost /etc/hosts
  exits 0
  if tool xattr; then
    check "$tool_path" d/x user.note hello
    cp_ d bird:/; cp_ bird:/d noted
    same user.note=hello "$("$tool_path" noted/x)"
  fi
  head -c 30000001 /dev/urandom >large
  mkdir many && (cd many && for n in {1..3000}; do echo "$n" >"$n"; done; ln 7 seven)
  cp_ large bird:/; exits 0
  cp_ bird:/large back; exits 0
  check cmp large back
  cp_ many bird:/; exits 0
  cp_ bird:/many again; exits 0
  same "$(tree many)" "$(tree again)" 'many files'
  gone_with bird

begin 'an archive that wants out of the container stays in it'
  run mydocker run -d --name bird busybox sh -c 'mkdir /dst; ln -s /etc /dst/etc; echo up; sleep 1000'
  up bird
  mkdir canary; touch -d @1000000000 canary
  canary_before=$(find canary -printf '%p %y %T@ %C@\n')
  perl "$TESTS/tools/tarmake.pl" >x.tar <<TAR
file ../../../../../../../..$T/canary/one text=x
TAR
  feed_file x.tar; cp_ - bird:/dst; exits 1; one_line; says 'leads out of the archive'
  perl "$TESTS/tools/tarmake.pl" >x.tar <<TAR
sym out to=$T/canary
file out/two text=x
file etc/three text=x
hard four to=$T/canary
TAR
  feed_file x.tar; cp_ - bird:/dst; exits 1; one_line
  same "$canary_before" "$(find canary -printf '%p %y %T@ %C@\n')" 'the canary'
  gone_with bird

begin 'and what a container has does not lead out of the directory that it is copied to'
  run mydocker run -d --name bird busybox sh -c "mkdir -p /d/a; ln -s '$T/canary' /d/out; echo x >/d/a/x; echo up; sleep 1000"
  up bird
  mkdir -p local; ln -s "$T/canary" local/a
  cp_ bird:/d/. local; exits 1; one_line
  rm local/a
  cp_ bird:/d/. local; exits 0
  same "$T/canary" "$(readlink local/out)"
  same "$canary_before" "$(find canary -printf '%p %y %T@ %C@\n')" 'the canary'
  gone_with bird

begin 'with --userns: ids are those of the container, both ways'
  run mydocker run -d --name bird --userns 200000:200000:65536 busybox sh -c 'echo hi >/hi; chown 7:8 /hi; rm -r /home; mkdir /home; touch /home/new; echo up; sleep 1000'
  exits 0
  up bird
  cp_ f bird:/f; exits 0; quiet
  run mydocker exec bird stat -c '%u:%g' /f /hi
  prints $'1234:2345\n7:8'
  same '-rw-r--r-- 7/8 hi' "$(has /hi)"
  run mydocker export -o ids.tar bird
  exits 0
  same '0/0 7/8' "$(tar -tvf ids.tar --numeric-owner etc/passwd hi | awk '{ print $2 }' | paste -sd ' ')"
  run mydocker commit bird ids
  exits 0
  run mydocker run --rm ids sh -c 'stat -c "%u:%g" /f /hi; ls /home'
  prints $'1234:2345\n7:8\nnew'
  gone_with bird

begin "an ordinary user has his containers' files, whether they run or not"
  home=$T/home; mkdir "$home"; ln busybox.tar "$home"; cp d/x "$home/file"; chown -R 54321:54321 "$home"
  as() { cd "$home" && exec setpriv --reuid 54321 --regid 54321 --clear-groups env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$home" "$@"; }
  user() { as timeout 30 "$MYDOCKER" "$@"; }
  (as unshare -Ur true) 2>/dev/null || skip 'ordinary users may not make user namespaces here'
  run user run -d --name bird busybox sh -c 'echo hi >/hi; rm /etc/group; echo up; sleep 1000'
  exits 0
  if active; then eventually 20 sh -c "$(declare -f as user); home='$home' MYDOCKER='$MYDOCKER'; (user logs bird) | grep -q up" || fail 'it never came up'; fi
  for state in running stopped; do
    run user cp bird:/hi "$home/$state"; exits 0; quiet
    run user cp "$home/file" bird:/tmp/; exits 0; quiet
    run user export -o "$home/$state.tar" bird; exits 0; quiet
    run user diff bird; exits 0
    contains 'D /etc/group'
    run user commit bird "nest:$state"; exits 0; quiet
    run user run --rm "nest:$state" cat /hi /tmp/file; prints $'hi\nx'
    run user stop -t 0 bird
  done
  same '54321:54321 hi' "$(stat -c %u:%g "$home/running") $(cat "$home/stopped")"
  run user rm -f bird

# A container exchanges a directory of its own with a symlink, all the time (CVE-2018-15664). Wherever the path leads at that
# moment is in its root: what is written lands there, what is read comes from there, or it is refused in one line.
rounds=${RACE_ROUNDS:-5}
host_canary() { find canary -printf '%p %y %m %U %G %s %T@ %C@ %n\n' | sort; }
for kernels in '' ' (no openat2)'; do
  for link in "$T/canary" "../../../../../../../..$T/canary" /proc/1/root/canary; do
    begin "a path that is exchanged with a link to ${link/$T/DIR} meanwhile$kernels"
      kernel=()
      if [ -n "$kernels" ]; then tool without && kernel=("$tool_path" openat2); fi
      tool race
      rm -rf canary && mkdir canary && echo host >canary/file && touch -d @1000000000 canary/file canary
      canary_before=$(host_canary)
      echo new >payload; mkdir -p tree/file.d; echo new >tree/file
      run mydocker run -d --name bird -v "$tool_path:/race:ro" busybox sh -c \
        "mkdir -p '$T/canary' /canary /w/dir; echo inside >'$T/canary/file'; echo inside >/canary/file; echo inside >/w/dir/file; ln -s '$link' /w/link; exec /race exchange /w/dir /w/link"
      exits 0
      eventually 20 sh -c "'$MYDOCKER' logs bird | grep -q ready" || fail 'it never began'
      if active; then
        for way in "payload bird:/w/dir/new@" "payload bird:/w/dir/file" "tree bird:/w/dir" "tree/. bird:/w" "bird:/w/dir/file got@" "bird:/w/dir got.d@" "-L bird:/w/link/file got.l@"; do
          "$tool_path" rounds "$rounds" "${kernel[@]}" "$MYDOCKER" cp $way >codes 2>refusals
          if grep -qvE '^[01] ' codes; then fail "exit codes other than 0 and 1: cp $way" "$(cat codes)" "$(sort refusals | uniq -c)"; fi
          same "$(sed -n 's/^1 //p' codes)" "$(grep -c '^mydocker: ' refusals | sed 's/^0$//')" "the refusals and their lines: cp $way"
        done
        same "$canary_before" "$(host_canary)" 'the canary'
        same '' "$(find got* -type f -exec grep -l '^host$' {} + 2>/dev/null)" 'what was read of the host'
        rm -rf got*
      fi
      gone_with bird
  done
done
