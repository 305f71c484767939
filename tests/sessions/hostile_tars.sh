# Archives that want out. Each is imported in a mount namespace where everything but this session's directory is read-only.
# What is refused exits with 125, says so in one line and leaves nothing under images/ and layers/. What is taken has all
# of it inside. A canary beside the store stays as it was, to the nanosecond.
. "$TESTS/tools/host.sh"

umask 022
store=$T/store
mkdir "$T/jail"
canary() { (cd "$T/canary" && find . -printf '%p %y %m %U %G %s %T@ %C@ %n %l\n' | sort && cat file dir/file); }
new_canary() {
  rm -rf --one-file-system "$T/canary"
  mkdir -p "$T/canary/dir"
  echo alive >"$T/canary/file"
  echo alive >"$T/canary/dir/file"
  chmod 640 "$T/canary/file"
  touch -d @1000000000 "$T/canary/file" "$T/canary/dir/file" "$T/canary/dir" "$T/canary"
  canary_before=$(canary)
}

# The way from the store's deepest directory to the canary is not known to the one who makes an archive: all are tried.
ups() { local up=; for _ in {1..9}; do up=../$up; printf "$1\n" "${up}canary"; done; }

# jailed COMMAND...: with / and all else read-only, this directory writable, /run an empty one of its own.
jailed() {
  unshare -m --propagation private -- /bin/bash -c '
    mount --bind "$T" "$T"
    while read -r _ _ _ _ at _; do
      case $at in "$T" | /proc* | /sys* | /dev*) ;; *) mount -o remount,bind,ro "$(printf "%b" "$at")" 2>/dev/null ;; esac
    done </proc/self/mountinfo
    mount -t tmpfs run /run
    if (: >"$(dirname "$T_ALL")/outside") 2>/dev/null; then echo "the jail leaks" >&2; exit 99; fi
    ulimit -f unlimited; cd "$T"; exec timeout -k 5 "${LIMIT:-60}" "$@"' jailed "$@"
}

# tar <DESCRIPTION: x.tar; with a busybox first, so that what is taken can run.
hostile() { { echo 'file bin/busybox mode=755 from=/bin/busybox'; cat; } | perl "$TESTS/tools/tarmake.pl" >"$T/x.tar"; }
bare() { perl "$TESTS/tools/tarmake.pl" >"$T/x.tar"; }

# import [FILE]: a first run of it in a new store; try ARG...: a later one.
import() {
  new_canary
  rm -rf --one-file-system "$store"
  run jailed "$MYDOCKER" run --root "$store" "./${1:-x.tar}" /bin/busybox true
  outside_is_whole
}
try() { run jailed "$MYDOCKER" run --root "$store" ./x.tar /bin/busybox "$@"; }

outside_is_whole() {
  same "$canary_before" "$(canary)" 'the canary'
  same $'canary\njail' "$(cd "$T" && find . -mindepth 1 -maxdepth 1 -type d -printf '%P\n' | grep -vxE 'root|store' | sort)" 'the directories beside the store'
  if active && [ -n "$(ls -A "$store/containers" 2>/dev/null)" ]; then fail 'a container is left' "$(ls -A "$store/containers")"; fi
  # It was the jail that stopped it, not mydocker.
  if active && [[ $err == *'Read-only file system'* ]]; then fail 'it tried to write outside' "$(came)"; fi
}
in_store() { find "$store/images" "$store/layers" "$store/archives" -mindepth 1 2>/dev/null; }
refused() {
  exits 125
  one_line
  prints ''
  if [ $# -gt 0 ]; then says "$1"; fi
  if active && [ -n "$(in_store)" ]; then fail 'expected nothing under images/ and layers/' "$(in_store | head -n 8)"; fi
}
taken() { exits 0; quiet; }
# Either is right; which, is mydocker's choice.
refused_or_taken() { if [ "$code" = 0 ]; then taken; else refused "$@"; fi; }
layer() { dirname "$(dirname "$(find "$store/layers" -path '*/bin/busybox' | head -n 1)")"; }

# --- names that leave -------------------------------------------------------------------------------------------

begin 'a name with ..'
for way in $(ups %s/new) $(ups %s/file); do
  hostile <<<"file $way text=x"
  import
  refused_or_taken
done

begin 'a name with .. in its middle'
hostile < <(echo 'dir a'; ups 'file a/../%s/new text=x')
import
refused_or_taken
hostile < <(echo 'dir a'; ups 'dir a/b/../../../%s/new')
import
refused_or_taken

begin 'an absolute name'
hostile <<<"file $T/canary/file text=x"
import
refused_or_taken
hostile <<<"dir $T/canary/dir mode=777"
import
refused_or_taken
hostile <<<"file //$T//canary/new text=x"
import
refused_or_taken

begin 'a name with .. in the pax record, the GNU record, the prefix'
hostile < <(ups 'file harmless pax.path=%s/new text=x')
import
refused_or_taken
hostile < <(ups "type:L extra text=%s/new\\\\x00\nfile harmless text=x")
import
refused_or_taken
hostile < <(ups 'file new prefix=%s text=x')
import
refused_or_taken

begin 'a device, a FIFO, a directory and links with .. in their names'
for kind in 'chr %s/new dev=1:3' 'blk %s/new dev=8:0' 'fifo %s/new' 'dir %s/new' 'dir %s mode=777' 'sym %s/new to=x' 'hard %s/new to=bin/busybox'; do
  hostile < <(ups "$kind")
  import
  refused_or_taken
done

begin 'only .. and only / and only .'
hostile <<'TAR'
dir ..
dir ../
dir ../..
dir /
dir .
file .. text=x
file . text=x
TAR
import
refused_or_taken

# --- symbolic links ---------------------------------------------------------------------------------------------

begin 'a symbolic link, then a file through it'
hostile <<TAR
sym l to=$T/canary
file l/file text=overwritten
file l/new text=x
TAR
import
refused_or_taken

begin 'a relative symbolic link, then a file through it'
for way in $(ups %s); do
  hostile <<<"sym l to=$way
file l/file text=overwritten"
  import
  refused_or_taken
done

begin 'a symbolic link at the place of a file: it is replaced, not followed'
hostile <<TAR
sym l to=$T/canary/file
file l text=overwritten
TAR
import
taken
try cat /l
prints overwritten

begin 'a symbolic link that dangles, then a file of that name'
hostile <<TAR
sym l to=$T/canary/new
file l text=x
TAR
import
taken

begin 'a symbolic link, then a directory of that name, then files in it'
hostile <<TAR
sym l to=$T/canary
dir l mode=777
file l/file text=overwritten
TAR
import
refused_or_taken

begin 'a chain of links, each harmless'
hostile <<TAR
dir a
sym a/up to=..
sym a/up/b to=a/up/..
sym c to=a/up/../..
sym d to=c/../../../../../../../..$T/canary
file d/file text=overwritten
dir d/dir mode=777
hard e to=d/file
TAR
import
refused_or_taken

begin 'a link to a directory link, and a mode and an owner through it'
hostile <<TAR
sym one to=two
sym two to=three
sym three to=$T/canary
dir one/dir mode=777 uid=1000
dir one mode=777 uid=1000
TAR
import
refused_or_taken

begin 'a directory that becomes a link after its time is to be set'
hostile <<TAR
dir d mode=777 uid=1000 mtime=1
file d/x
sym d to=$T/canary
TAR
import
refused_or_taken

begin 'a directory that becomes a link, and then a file through it'
hostile <<TAR
dir d
dir d/dir
sym d to=$T/canary
file d/dir/file text=overwritten
file d/file text=overwritten
TAR
import
refused_or_taken

begin 'a link in the place of /, /bin, /proc, /dev, /etc'
hostile <<TAR
sym proc to=$T/canary
sym sys to=$T/canary
sym dev to=$T/canary
sym etc to=$T/canary
sym tmp to=$T/canary
TAR
import
outside_is_whole
hostile <<TAR
sym . to=$T/canary
file file text=overwritten
TAR
import
refused_or_taken

begin 'an extended attribute and a time on a link that leaves'
hostile <<TAR
sym l to=$T/canary/file pax.SCHILY.xattr.user.x=y pax.mtime=5 mode=777 uid=1000
TAR
import
refused_or_taken

# --- hard links -------------------------------------------------------------------------------------------------

begin 'a hard link to a file of the host'
hostile <<<"hard h to=/etc/shadow"
import
refused_or_taken
if active && [ "$code" = 0 ]; then refuse test "$(layer)/h" -ef /etc/shadow; fi
hostile <<<"hard h to=$T/canary/file"
import
refused_or_taken

begin 'a hard link with .., and then a file over it'
for way in $(ups %s/file); do
  hostile <<<"hard h to=$way
file h text=overwritten"
  import
  refused_or_taken
done

begin 'a hard link through a symbolic link that leaves, then written to'
hostile <<TAR
sym l to=$T/canary
hard h to=l/file
file h text=overwritten
TAR
import
refused_or_taken

begin 'a hard link to a symbolic link that leaves: it is a link still, and not followed'
hostile <<TAR
sym l to=$T/canary/file
hard h to=l
file h text=overwritten
TAR
import
refused_or_taken
if active && [ "$code" = 0 ]; then try cat /h; prints overwritten; fi

begin 'a file over a hard link does not write into the other name'
hostile <<'TAR'
file a text=first
hard b to=a
file b text=second
TAR
import
taken
try cat /a /b
prints firstsecond

begin 'a hard link to itself, to a directory, to what is not there, to nothing'
for kind in 'hard h to=h' 'hard h to=bin' 'hard h to=/' 'hard h to=.' 'hard h to=nowhere' 'hard h to=' 'hard h to=..'; do
  hostile <<<"$kind"
  import
  refused_or_taken
done

# --- types ------------------------------------------------------------------------------------------------------

begin 'a member whose type changes: file, directory, link, device, in every order'
for one in 'file x text=1' 'dir x' "sym x to=$T/canary" 'chr x dev=1:3' 'fifo x' 'hard x to=bin/busybox'; do
  for two in 'file x text=2' 'dir x' "sym x to=$T/canary" 'fifo x' 'hard x to=bin/busybox'; do
    hostile <<<"$one
$two
file y"
    import
    refused_or_taken
  done
done

begin 'a directory that is not empty becomes a file'
hostile <<'TAR'
file d/e/f text=x
file d text=y
TAR
import
refused_or_taken

begin 'busybox itself becomes a directory, and what is below a file'
hostile <<'TAR'
file a text=x
file a/b text=y
dir a/c
TAR
import
refused_or_taken

begin 'devices are kept, and are no way to the host'\''s'
hostile <<'TAR'
blk disk dev=254:0 mode=666
blk sda dev=8:0 mode=666
chr mem dev=1:1 mode=666
TAR
import
taken
try sh -c '/bin/busybox head -c 1 /disk || /bin/busybox head -c 1 /sda || /bin/busybox head -c 1 /mem'
if active && [ "$code" = 0 ]; then fail 'expected the devices not to open' "$(came)"; fi

begin 'unknown types, and those that only some tar knows'
for letter in 7 8 A D M N V X Z '\x01' '\xff'; do
  hostile <<<"type:$letter strange text=x"
  import
  refused_or_taken
done

begin 'sparse files are refused in clear words'
hostile <<'TAR'
type:S holes text=x size=512
TAR
import
refused sparse
hostile <<'TAR'
file holes text=0\n pax.GNU.sparse.major=1 pax.GNU.sparse.minor=0 pax.GNU.sparse.name=holes pax.GNU.sparse.realsize=1099511627776
TAR
import
refused sparse
hostile <<'TAR'
file holes text=x pax.GNU.sparse.size=1099511627776 pax.GNU.sparse.numblocks=1 pax.GNU.sparse.map=0,1
TAR
import
refused sparse
truncate -s 1M "$T/sparse" && echo x >>"$T/sparse"
tar -C "$T" -S --format=gnu -cf "$T/x.tar" sparse
import
refused sparse
rm -f "$T/sparse"

# --- attributes -------------------------------------------------------------------------------------------------

begin 'overlayfs'\''s own attributes are not taken from an archive'
tool xattr
hostile <<'TAR'
dir d pax.SCHILY.xattr.trusted.overlay.opaque=y pax.SCHILY.xattr.user.mine=1
dir e pax.SCHILY.xattr.trusted.overlay.redirect=/../../..
file f text=x pax.SCHILY.xattr.trusted.overlay.metacopy= pax.SCHILY.xattr.trusted.overlay.redirect=/etc/shadow
file g text=x pax.SCHILY.xattr.trusted.overlay.origin=x
dir h pax.SCHILY.xattr.user.overlay.opaque=y pax.SCHILY.xattr.trusted.overlay.overlay.opaque=y
TAR
import
refused_or_taken
if active && [ "$code" = 0 ]; then
  for name in d e f g h; do
    if "$tool_path" "$(layer)/$name" | grep -q '^trusted\.overlay\.'; then
      fail "expected no trusted.overlay.* on $name" "$("$tool_path" "$(layer)/$name")"
    fi
  done
  same 'user.mine=1' "$("$tool_path" "$(layer)/d")" 'the other attributes'
fi

begin 'file capabilities are kept'
hostile <<'TAR'
file p text=x mode=755 pax.SCHILY.xattr.security.capability=\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00
TAR
import
taken
if active; then
  "$tool_path" "$(layer)/p" | grep -q '^security.capability=.x01' || fail 'expected the capability' "$("$tool_path" "$(layer)/p")"
fi

begin 'attributes without a name, of a name of 300 bytes, of a value of 70000 bytes'
hostile <<<'file a text=x pax.SCHILY.xattr.=y'
import
refused_or_taken
hostile <<<"file a text=x pax.SCHILY.xattr.user.$(printf 'n%.0s' {1..300})=y"
import
refused_or_taken
hostile <<<"file a text=x pax.SCHILY.xattr.user.big=$(head -c 70000 /dev/zero | tr '\0' v)"
import
refused_or_taken

begin 'whiteouts and names like them delete nothing'
hostile <<'TAR'
file a text=kept
dir d
file d/b text=kept
file .wh.a
file d/.wh..wh..opq
file .wh...
file .wh..
file .wh.
file .wh.../x
chr w dev=0:0
file d/.wh.b
TAR
import
refused_or_taken
if active && [ "$code" = 0 ]; then
  same kept "$(cat "$(layer)/a" 2>/dev/null)" 'a'
  same kept "$(cat "$(layer)/d/b" 2>/dev/null)" 'd/b'
fi

# --- names ------------------------------------------------------------------------------------------------------

begin 'empty names, names with NUL, names too long'
for kind in 'file - text=x' 'dir -' 'sym - to=x' 'hard h to=' 'sym s to=' 'file a pax.path=' 'file a pax.path=a\x00b text=x' \
  "file $(printf 'n%.0s' {1..256}) text=x" "file $(printf 'n%.0s' {1..256}) gnu=1" "sym l to=$(printf 'n%.0s' {1..5000})" \
  "file $(printf 'abc/%.0s' {1..1500})x" "sym s to=a\\x00b pax.linkpath=a\\x00b"; do
  hostile <<<"$kind"
  import
  refused_or_taken
done

begin 'a name with escape sequences does not reach the terminal as such'
hostile <<<"hard \\e]0;title\\x07\\e[2J\\n\\x9b to=nowhere"
import
refused_or_taken
if active && grep -q $'[\001-\011\013-\037\177]' "$T/err"; then fail 'expected no control bytes on stderr' "$(cat -v "$T/err")"; fi

begin 'directories 300 deep'
hostile <<<'deep 300 d'
import
taken
try sh -c 'p=/; for i in 1 2 3; do p=$p$(/bin/busybox printf "d/%.0s" $(/bin/busybox seq 100)); done; [ -d $p ] && echo there'
prints there

begin 'a name of 4000 directories in one pax record'
hostile <<<"file $(printf 'd/%.0s' {1..4000})x text=y"
import
refused_or_taken

# --- numbers ----------------------------------------------------------------------------------------------------

begin 'bad checksums'
hostile <<<'file a text=x sum=bad'
import
refused x.tar
bare <<<'file a text=x sum=bad'
import
refused x.tar

begin 'sizes that are negative, enormous, no numbers'
for size in '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' '\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff' '\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' \
  '\x80\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff' '-0000000001\x00' '77777777777\x00' '777777777777' 'zzzzzzzzzzz\x00' '9999999999\s\x00' '0x000000010\x00'; do
  hostile <<<"file a text=x rawsize=$size
file b text=y"
  import
  refused_or_taken
  if active && [ "$code" = 0 ]; then fail 'expected it to be refused' "size $size"; fi
done

begin 'a directory, a link and a device with a size'
for kind in 'dir d size=1073741824' 'sym s to=x size=1073741824' 'hard h to=bin/busybox size=1073741824' 'fifo p size=1073741824'; do
  hostile <<<"$kind
file after text=x"
  import
  refused_or_taken
done

begin 'a size in the pax record that is a lie'
for size in 99999999 18446744073709551616 18446744073709551615 9223372036854775807 -1 x 1e3; do
  hostile <<<"file a text=x pax.size=$size
file b text=y"
  import
  refused_or_taken
  if active && [ "$code" = 0 ]; then fail 'expected it to be refused' "size=$size"; fi
done

begin 'pax records whose lengths lie'
for records in '99999\spath=x\n' '5\spath=x\n' '0\spath=x\n' '-1\spath=x\n' '18446744073709551626\spath=x\n' 'path=x\n' '\n' '10\spath=xx' '11\spath\sxxx\n' '3\s=\n' '9999999999' '\x00\x00\x00\x00' '11\spath=xxx\x00'; do
  hostile <<<"file a text=x paxraw=$records"
  import
  refused_or_taken
done

begin 'a pax record of 100 MiB is not held in memory'
tool maxrss
{ echo 'type:x extra size=104857600 zeros=0'; } | perl "$TESTS/tools/tarmake.pl" | head -c 512 >"$T/x.tar"
{ printf '104857600 path='; head -c 104857583 /dev/zero | tr '\0' a; printf '\n'; } >>"$T/x.tar"
rm -rf --one-file-system "$store"
run jailed "$tool_path" "$T/jail/rss" "$MYDOCKER" run --root "$store" ./x.tar /bin/busybox true
refused
if active && [ "$(<"$T/jail/rss")" -gt 16384 ]; then fail 'expected at most 16384 KiB of memory' "$(<"$T/jail/rss") KiB"; fi

begin 'records without a member, twice, after each other, global ones'
for kind in 'type:x extra text=11\spath=xxx\n' 'type:L extra text=name' 'type:K extra text=name' 'type:L extra text=' 'type:L extra size=99999999'; do
  hostile <<<"$kind"
  import
  refused_or_taken
  hostile <<<"$kind
$kind
file a text=x"
  import
  refused_or_taken
done
hostile < <(ups 'global path=%s/new'; echo 'file a text=x')
import
refused_or_taken
hostile <<<"global linkpath=$T/canary/file size=5 mtime=x
hard a to=bin/busybox
sym b to=bin/busybox"
import
refused_or_taken

begin 'owners, modes, times and device numbers that are too large'
for field in pax.uid=99999999999 pax.uid=-1 pax.gid=x pax.uid=4294967295 pax.mtime=99999999999999999999 pax.mtime=x pax.mtime=1.9999999999 pax.mtime=-1.5 \
  mode=7777777 mtime=99999999999 uid=4294967296; do
  hostile <<<"file a text=x $field"
  import
  refused_or_taken
done
hostile <<<'chr a dev=9999999:9999999'
import
refused_or_taken

# --- the archive as a whole -------------------------------------------------------------------------------------

begin 'truncated anywhere'
hostile <<'TAR'
file a text=x
file b zeros=5000
TAR
size=$(stat -c %s "$T/x.tar")
cp "$T/x.tar" "$T/jail/whole.tar"
for cut in 1 100 511 513 1000 100000 $((size - 1024 - 5120 - 512 + 1)) $((size - 1024 - 5000)) $((size - 1024 - 130)); do
  head -c "$cut" "$T/jail/whole.tar" >"$T/x.tar"
  import
  refused x.tar
done

begin 'without the two zero blocks at its end, as some programs write it'
head -c $((size - 1024)) "$T/jail/whole.tar" >"$T/x.tar"
import
refused_or_taken

begin 'not a tar at all'
for content in '' x "$(head -c 2000 /dev/urandom | base64)" '#!/bin/sh
exit 0
'; do
  printf '%s' "$content" >"$T/x.tar"
  import
  refused x.tar
done
cp /bin/busybox "$T/x.tar"
import
refused x.tar
head -c 1048576 /dev/urandom >"$T/x.tar"
import
refused x.tar

begin 'nothing but zeros'
head -c 1024 /dev/zero >"$T/x.tar"
import
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi
head -c 10485760 /dev/zero >"$T/x.tar"
import
if active && [ "$code" = 0 ]; then fail 'expected an error' "$(came)"; fi

begin 'compressed otherwise: it is said'
printf '\3757zXZ\000\000' >"$T/x.tar" && head -c 1000 /dev/urandom >>"$T/x.tar"
import
refused x.tar
printf '\050\265\057\375' >"$T/x.tar" && head -c 1000 /dev/urandom >>"$T/x.tar"
import
refused x.tar
printf 'BZh9' >"$T/x.tar" && head -c 1000 /dev/urandom >>"$T/x.tar"
import
refused x.tar

begin 'gzip: truncated, a bit wrong, a wrong checksum, a wrong length, no end, nothing'
gzip -c "$T/jail/whole.tar" >"$T/jail/good.gz"
gz=$(stat -c %s "$T/jail/good.gz")
for cut in 2 9 11 1000 $((gz / 2)) $((gz - 9)) $((gz - 8)) $((gz - 1)); do
  head -c "$cut" "$T/jail/good.gz" >"$T/x.tar.gz"
  import x.tar.gz
  refused x.tar.gz
done
for at in 3 $((gz / 3)) $((gz - 6)) $((gz - 2)); do
  perl -e 'undef $/; $_ = <STDIN>; substr($_, $ARGV[0], 1) ^= "\x55"; print' "$at" <"$T/jail/good.gz" >"$T/x.tar.gz"
  import x.tar.gz
  refused x.tar.gz
done
: >"$T/x.tar.gz"
import x.tar.gz
refused x.tar.gz

begin 'gzip: garbage and zeros after the end'
{ cat "$T/jail/good.gz"; head -c 10000 /dev/zero; } >"$T/x.tar.gz"
import x.tar.gz
refused_or_taken
{ cat "$T/jail/good.gz"; echo 'garbage, more garbage'; } >"$T/x.tar.gz"
import x.tar.gz
refused_or_taken
{ cat "$T/jail/good.gz"; cat "$T/jail/good.gz"; } >"$T/x.tar.gz"
import x.tar.gz
refused_or_taken
{ cat "$T/jail/good.gz"; head -c 100 "$T/jail/good.gz"; } >"$T/x.tar.gz"
import x.tar.gz
refused_or_taken

begin 'gzip in gzip'
gzip -c "$T/jail/good.gz" >"$T/x.tar.gz"
import x.tar.gz
refused x.tar.gz

begin 'a gzip bomb: 1 GiB out of 1 MiB onto a disk of 40 MiB, with 16 MiB of memory'
if active; then
  {
    printf 'file bin/busybox mode=755 from=/bin/busybox\nfile bomb size=1073741824\nnoend\n' | perl "$TESTS/tools/tarmake.pl"
    head -c 1073741824 /dev/zero
    head -c 1024 /dev/zero
  } | gzip -1 >"$T/x.tar.gz"
  bomb() {
    jailed /bin/bash -c 'mkdir -p "$T/jail/disk"; mount -t tmpfs -o size=40m disk "$T/jail/disk"
      "$@"; code=$?
      find "$T/jail/disk/root/images" "$T/jail/disk/root/layers" "$T/jail/disk/root/containers" -mindepth 1 2>/dev/null; exit $code' bomb \
      "$tool_path" "$T/jail/rss" "$MYDOCKER" run --root "$T/jail/disk/root" ./x.tar.gz /bin/busybox true
  }
  rm -rf --one-file-system "$store"
  mkdir "$store"
  run bomb
  refused 'No space left on device'
  outside_is_whole
  if active && [ "$(<"$T/jail/rss")" -gt 16384 ]; then fail 'expected at most 16384 KiB of memory' "$(<"$T/jail/rss") KiB"; fi
fi

begin 'a file of 1 GiB that is a lie: the archive ends after a byte'
hostile <<'TAR'
file bomb size=1099511627776 text=x
noend
TAR
import
refused x.tar

begin '100,000 empty members, in little memory'
tool maxrss
hostile <<'TAR'
repeat 100000 file many/%d
TAR
rm -rf --one-file-system "$store"
LIMIT=120 run jailed "$tool_path" "$T/jail/rss" "$MYDOCKER" run --root "$store" ./x.tar /bin/busybox sh -c 'set -- /many/*; echo $#'
taken
prints 100000
if active && [ "$(<"$T/jail/rss")" -gt 16384 ]; then fail 'expected at most 16384 KiB of memory' "$(<"$T/jail/rss") KiB"; fi
outside_is_whole

begin '100,000 directories, whose times are set at the end, in little memory'
hostile <<'TAR'
repeat 100000 dir many/%d mtime=5
TAR
rm -rf --one-file-system "$store"
LIMIT=120 run jailed "$tool_path" "$T/jail/rss" "$MYDOCKER" run --root "$store" ./x.tar /bin/busybox stat -c %Y /many/1 /many/100000
taken
prints $'5\n5'
if active && [ "$(<"$T/jail/rss")" -gt 16384 ]; then fail 'expected at most 16384 KiB of memory' "$(<"$T/jail/rss") KiB"; fi

begin 'the same member a thousand times'
hostile <<'TAR'
repeat 1000 file same text=%d
TAR
import
taken
try cat /same
prints 1000

begin 'an archive that is a symbolic link, and one that is a link to a device'
cp "$T/jail/whole.tar" "$T/jail/target.tar"
ln -sf "$T/jail/target.tar" "$T/x.tar"
import
taken
ln -sf /dev/zero "$T/x.tar"
LIMIT=20 import
refused x.tar
rm -f "$T/x.tar"
ln -sf /dev/null "$T/x.tar"
import
refused x.tar
rm -f "$T/x.tar"

begin 'after all of that a good archive is taken'
cp "$T/jail/whole.tar" "$T/x.tar"
import
taken
rm -rf --one-file-system "$store" "$T/jail" "$T/canary"

# --- archives of images -----------------------------------------------------------------------------------------
. "$TESTS/tools/oci.sh"

# loads: ./i.tar into a new store. runs ARG...: the image in it.
loads() {
  new_canary
  rm -rf --one-file-system "$store"
  run jailed "$MYDOCKER" load --root "$store" -i ./i.tar
  outside_is_whole
}
runs() { run jailed "$MYDOCKER" run --root "$store" hostile "$@"; }
unloaded() {
  exits 1
  one_line
  prints ''
  if [ $# -gt 0 ]; then says "$1"; fi
  if active && [ -n "$(find "$store"/{images,layers,configs} -mindepth 1 2>/dev/null)" ]; then
    fail 'expected nothing under images/, layers/ and configs/' "$(find "$store"/{images,layers,configs} -mindepth 1 | head -n 8)"
  fi
}
loaded() { exits 0; quiet; prints 'Loaded image: hostile:latest'; }
loaded_or_not() { if [ "$code" = 0 ]; then loaded; else unloaded "$@"; fi; }
# layered <DESCRIPTION: i.tar, an image of a whole first layer and this one.
perl "$TESTS/tools/tarmake.pl" >"$T/first.tar" <<'TAR'
file bin/busybox mode=755 from=/bin/busybox
file a text=first
dir d
file d/b text=first
file d/e/f text=first
TAR
layered() {
  perl "$TESTS/tools/tarmake.pl" >"$T/x.tar"
  layout "$T/jail/img"
  oci "$T/jail/img" hostile "$T/first.tar" "$T/x.tar"
  pack "$T/jail/img" "$T/i.tar"
  rm -rf --one-file-system "$T/jail/img"
}
# docker_archive <MANIFEST: i.tar with that manifest.json, a config of one layer and the layer.
config=$(printf '{"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(sha "$T/first.tar")")
docker_archive() {
  mkdir -p "$T/jail/d/l"
  cat >"$T/jail/d/manifest.json"
  printf %s "$config" >"$T/jail/d/config"
  cp "$T/first.tar" "$T/jail/d/l/layer.tar"
  tar -C "$T/jail/d" -cf "$T/i.tar" manifest.json config l
  rm -rf --one-file-system "$T/jail/d"
}

begin 'a layer: names that leave, links that leave, and files through them'
for kind in "file ../../canary/file text=x" "file $T/canary/file text=x" "sym l to=$T/canary
file l/file text=x" "hard h to=../../../canary/file
file h text=x" "sym d to=$T/canary
file d/file text=x" "file d/.wh.b/../../../../canary/file"; do
  layered <<<"$kind"
  loads
  loaded_or_not
done

begin 'whiteouts of nothing, of what is above, of paths, through links'
for name in .wh. .wh.. .wh... d/.wh.. d/.wh... .wh.a/x .wh.a/../../x d/.wh..wh..opq/x .wh..wh.x/../../canary; do
  layered <<<"file $name"
  loads
  loaded_or_not
done
layered <<TAR
sym l to=$T/canary
file l/.wh.file
TAR
loads
unloaded 'symbolic link'
layered <<TAR
sym d to=$T/canary
file d/.wh..wh..opq
TAR
loads
unloaded 'symbolic link'
for name in ../.wh.canary /.wh.a ./d/../.wh.a; do
  layered <<<"file $name"
  loads
  loaded_or_not
done

begin 'whiteouts delete what is below, and nothing of their own layer'
layered <<'TAR'
file own text=own
file .wh.own
file .wh.a text=some\scontent
dir d
file d/new text=new
file d/.wh..wh..opq
sym .wh.link to=/etc
file .wh..wh.plnk/123.456 text=aufs
file .wh..wh.aufs
hard .wh.hard to=own
dir .wh.directory
TAR
loads
loaded
runs /bin/busybox sh -c '/bin/busybox cat own; /bin/busybox ls a 2>&1; /bin/busybox ls d; /bin/busybox find / -xdev -name ".wh*"'
prints 'ownls: a: No such file or directory
new'

begin 'a name that was deleted is made anew: nothing of the layers below shows through'
layered <<'TAR'
file .wh.d
file d/new text=new
TAR
loads
loaded
runs /bin/busybox ls d
prints new
layered <<'TAR'
dir d
file d/new text=new
file .wh.d
TAR
loads
loaded
runs /bin/busybox ls d
prints new

begin 'a root that is opaque hides the layers below'
layered <<'TAR'
file .wh..wh..opq
file bin/busybox mode=755 from=/bin/busybox
file new text=new
TAR
loads
loaded
runs /bin/busybox sh -c '/bin/busybox ls a d 2>&1; /bin/busybox cat new'
prints 'ls: a: No such file or directory
ls: d: No such file or directory
new'

begin 'devices of overlayfs, and its attributes, are not taken from a layer'
layered <<<'chr a dev=0:0'
loads
unloaded
layered <<'TAR'
dir d pax.SCHILY.xattr.trusted.overlay.redirect=/../../etc pax.SCHILY.xattr.trusted.overlay.opaque=y
file m text=x pax.SCHILY.xattr.trusted.overlay.metacopy=
TAR
loads
loaded
runs /bin/busybox cat d/b m
prints firstx

begin 'manifests whose paths leave'
for path in ../../../etc/shadow /etc/shadow "$T/canary/file" ../config l/../../config '' . l; do
  docker_archive <<<"[{\"Config\":\"config\",\"RepoTags\":[\"hostile\"],\"Layers\":[\"$path\"]}]"
  loads
  unloaded
  docker_archive <<<"[{\"Config\":\"$path\",\"RepoTags\":[\"hostile\"],\"Layers\":[\"l/layer.tar\"]}]"
  loads
  loaded_or_not
done
docker_archive <<<'[{"Config":"./l/../config","RepoTags":["hostile"],"Layers":["/l/../l//layer.tar"]}]'
loads
loaded

begin 'names that are none, or a path'
for name in ../../x '' /x 'a b' 'x:y:z' 'A' 'sha256:x' '\u0000' 'x\u0000y' '..' "$(printf 'x%.0s' {1..300})"; do
  docker_archive <<<"[{\"Config\":\"config\",\"RepoTags\":[\"$name\"],\"Layers\":[\"l/layer.tar\"]}]"
  loads
  if [ "$code" = 0 ]; then quiet; else unloaded; fi
done

begin 'members that are links: in a circle, out of the archive, to a directory, for a config'
for to in manifest.json ../../etc/passwd /etc/passwd "$T/canary/file" l . config2; do
  mkdir -p "$T/jail/d/l"
  cp "$T/first.tar" "$T/jail/d/l/layer.tar"
  ln -s "$to" "$T/jail/d/config"
  ln -s config "$T/jail/d/config2"
  printf '[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"]}]' >"$T/jail/d/manifest.json"
  tar -C "$T/jail/d" -cf "$T/i.tar" manifest.json config config2 l
  rm -rf --one-file-system "$T/jail/d"
  loads
  unloaded
done

begin 'JSON that is none, deep, huge, of other types, with names twice'
deep=$(printf '[%.0s' {1..100000})
for manifest in '' x '[' '{}' '[]' '[{}]' '[null]' 'null' '[[]]' '"x"' '[{"Config":1,"Layers":2,"RepoTags":3}]' '[{"Config":"config","Layers":{"a":"l/layer.tar"}}]' \
  "$deep" "{\"a\":$deep" '[{"Config":"config","Layers":[null]}]' '[{"Config":"config","Layers":[["l/layer.tar"]]}]' '[{"Config":"config","Layers":[]}]' \
  '[{"Config":"config","Layers":["l/layer.tar","l/layer.tar"]}]'; do
  docker_archive <<<"$manifest"
  loads
  if [ "$code" = 0 ]; then quiet; else unloaded; fi
done
docker_archive < <(printf '[{"Config":"x","Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"],"x":['; printf '0,%.0s' {1..300000}; printf '0]}]')
loads
loaded
docker_archive < <(printf '[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"],"x":"'; head -c 5000000 /dev/zero | tr '\0' x; printf '"}]')
loads
unloaded 'too large'

begin 'thousands of layers, thousands of members, thousands of images'
docker_archive < <(printf '[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"'; printf ',"l/layer.tar"%.0s' {1..5000}; printf ']}]')
loads
unloaded
saved=$config
config=$(printf '{"rootfs":{"diff_ids":["sha256:%s"' "$(sha "$T/first.tar")"; for _ in {1..200}; do printf ',"sha256:%s"' "$(sha "$T/first.tar")"; done; printf ']}}')
docker_archive < <(printf '[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"'; printf ',"l/layer.tar"%.0s' {1..200}; printf ']}]')
config=$saved
loads
unloaded 'max depth exceeded'
docker_archive < <(printf '[{"Config":"x"}'; printf ',{"Config":"x"}%.0s' {1..50000}; printf ']')
loads
unloaded 'more images'
bare <<'TAR'
repeat 9000 file m%d
TAR
mv x.tar i.tar
loads
unloaded 'more members'

begin 'sizes that lie: a member longer than the archive, a layer that is cut off'
docker_archive <<<'[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"]}]'
size=$(stat -c %s i.tar)
for cut in 100 600 2000 100000 $((size - 20000)); do
  docker_archive <<<'[{"Config":"config","RepoTags":["hostile"],"Layers":["l/layer.tar"]}]'
  head -c "$cut" i.tar >cut.tar && mv cut.tar i.tar
  loads
  unloaded
done
bare <<'TAR'
file manifest.json text=[] size=9223372036854775807
TAR
mv x.tar i.tar
loads
unloaded

begin 'descriptors: no digest, a digest that is a path, another algorithm, a size that is none'
for descriptor in '{}' '{"digest":"sha256:../../../../etc/shadow","size":1}' '{"digest":"sha512:00","size":1}' '{"digest":"sha256:'"$(sha first.tar)"'","size":-1}' \
  '{"digest":"sha256:'"$(sha first.tar)"'","size":"1"}' '{"digest":"sha256:'"$(sha first.tar)"'","size":99999999999999999999}' 'null' '[]'; do
  layout "$T/jail/img"
  blob "$T/jail/img" "$T/first.tar"
  entry "$T/jail/img" "$descriptor"
  pack "$T/jail/img" "$T/i.tar"
  rm -rf --one-file-system "$T/jail/img"
  loads
  unloaded
done
rm -f first.tar x.tar i.tar
