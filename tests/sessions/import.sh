# Importing an image: what the archive says is what the container sees.
. "$TESTS/tools/host.sh"

# image <DESCRIPTION: x.tar in the language of tools/tarmake.pl, with a busybox in it.
image() { { echo 'file bin/busybox mode=755 from=/bin/busybox'; cat; } | perl "$TESTS/tools/tarmake.pl" >"$T/x.tar"; }
# layer: the directory of the only unpacked image in the store.
layer() { dirname "$(dirname "$(find "$MYDOCKER_ROOT/layers" -path '*/bin/busybox' | head -n 1)")"; }
fresh() { rm -rf --one-file-system "$MYDOCKER_ROOT"; }
# imported EXPECTED: the tree of the only layer, without what every container mounts on and the import makes where the
# archive has it not; the number of entries of the two directories that it is made in is left out of both.
imported() {
  local points='^\./(proc|sys|dev|etc|etc/hosts|etc/hostname|etc/resolv\.conf)$'
  tree "$(layer)" | awk -v points="$points" -v expected="$1" '
    BEGIN { while ((getline line <expected) > 0) { split(line, word, " "); there[word[1]] = 1 } }
    { path = $1 ~ /^\./ ? $1 : $2 }
    path in there || path !~ points' >"$T/imported"
  sed -i -E '/^\.(\/etc)? d /s/ [0-9]+ *$//' "$1" "$T/imported"
}
see() { run mydocker run ./x.tar /bin/busybox "$@"; }

begin 'a tree of busybox is the tree that tar makes of it: names, types, modes, owners, times, links, content'
run mydocker run /bin/true
exits 0
quiet
mkdir "$T/by-tar" && tar -xpf "$TAR" --numeric-owner -C "$T/by-tar"
tree "$T/by-tar" >"$T/expected"
imported "$T/expected"
if active && ! cmp -s "$T/expected" "$T/imported"; then
  fail 'expected the same trees' "$(diff "$T/expected" "$T/imported" | head -n 20)"
fi

begin 'a run changes nothing in the imported tree'
run mydocker run -v "$T/vol:/new/place" --tmpfs /other /bin/sh -c 'echo x >/bin/x; rm /bin/ls; echo y >>/etc/passwd; chmod 700 /etc; mkdir /d'
exits 0
imported "$T/expected"
if active && ! cmp -s "$T/expected" "$T/imported"; then
  fail 'expected the same trees' "$(diff "$T/expected" "$T/imported" | head -n 20)"
fi

begin 'every file of a real tree comes out as tar makes it'
fresh
mkdir "$T/real" && cp -a /etc/. "$T/real" 2>/dev/null && mkdir -p "$T/real/bin" && cp /bin/busybox "$T/real/bin/busybox"
find "$T/real" -type s -delete
tar -C "$T/real" --format=pax --numeric-owner -cf "$T/x.tar" .
mkdir "$T/real-by-tar" && tar -xpf "$T/x.tar" --numeric-owner -C "$T/real-by-tar"
see true
exits 0
tree "$T/real-by-tar" >"$T/expected"
imported "$T/expected"
if active && ! cmp -s "$T/expected" "$T/imported"; then
  fail 'expected the same trees' "$(diff "$T/expected" "$T/imported" | head -n 20)"
fi
rm -rf --one-file-system "$T/real" "$T/real-by-tar" "$T/by-tar"

begin 'owners, also those that need base 256'
image <<'TAR'
file a uid=1000 gid=100
file b uid=3000000 gid=4000000000
file c pax.uid=123456789 pax.gid=987654321
dir d uid=7 gid=8
sym l to=a uid=9 gid=10
TAR
see stat -c '%n %u %g' /a /b /c /d /l
exits 0
prints '/a 1000 100
/b 3000000 4000000000
/c 123456789 987654321
/d 7 8
/l 9 10'

begin 'modes: suid, sgid, sticky, none'
image <<'TAR'
file s mode=4755 uid=1000
file g mode=2755 gid=1000
dir t mode=1777
dir u mode=2770
file z mode=0
file w mode=666
TAR
# An umask has no say in it.
run sh -c 'umask 0777; exec "$0" "$@"' "$MYDOCKER" run ./x.tar /bin/busybox stat -c '%n %a' /s /g /t /u /z /w
exits 0
prints '/s 4755
/g 2755
/t 1777
/u 2770
/z 0
/w 666'

begin 'times, with the nanoseconds of pax'
fresh
image <<'TAR'
file a mtime=1234567890
file b pax.mtime=1234567890.987654321
file c pax.mtime=1234567890.5
dir d mtime=1000000001
file d/inside
sym l to=a mtime=1000000002
file old pax.mtime=-5
file late pax.mtime=4102444800
TAR
see true
exits 0
if active; then
  same '1234567890.0000000000 a
1234567890.9876543210 b
1234567890.5000000000 c
1000000001.0000000000 d
1000000002.0000000000 l
-5.0000000000 old
4102444800.0000000000 late' "$(cd "$(layer)/." && find a b c d l old late -maxdepth 0 -printf '%T@ %p\n')"
fi

begin 'extended attributes'
fresh
tool xattr
image <<'TAR'
file bin/ping text=x pax.SCHILY.xattr.security.capability=\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00
file noted pax.SCHILY.xattr.user.note=a\sb=c
dir dir pax.SCHILY.xattr.user.note=d
TAR
see true
exits 0
if active; then
  same 'security.capability=\x01\x00\x00\x02\x00 \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00' \
    "$("$tool_path" "$(layer)/bin/ping" | grep capability)"
  same 'user.note=a b=c' "$("$tool_path" "$(layer)/noted")"
  same 'user.note=d' "$("$tool_path" "$(layer)/dir")"
fi

begin 'hard links are one file'
image <<'TAR'
file a text=one
hard b to=a
hard dir/c to=./b
file l/target text=two
sym l/sym to=target
hard l/symtoo to=l/sym
TAR
see sh -c '/bin/busybox stat -c %h /a; [ /a -ef /b ] && [ /a -ef /dir/c ] && echo one; /bin/busybox readlink /l/symtoo; [ "$(/bin/busybox stat -c %i /l/sym)" = "$(/bin/busybox stat -c %i /l/symtoo)" ] && echo link'
exits 0
prints '3
one
target
link'

begin 'symbolic links say what the archive says, whatever that is'
image <<'TAR'
sym a to=/etc/x
sym b to=../../../..
sym c to=nowhere
sym d to=./bin/../bin/busybox
sym e to=..
sym f to=e\sf
TAR
see sh -c 'for l in a b c d e f; do /bin/busybox readlink /$l; done'
exits 0
prints '/etc/x
../../../..
nowhere
./bin/../bin/busybox
..
e f'

begin 'devices, FIFOs and their numbers'
image <<'TAR'
chr n dev=1:3 mode=666
blk b dev=8:1 mode=600
fifo p mode=640
TAR
see stat -c '%n %F %t:%T %a' /n /b /p
exits 0
prints '/n character special file 1:3 666
/b block special file 8:1 600
/p fifo 0:0 640'

long=$(printf 'abcdefghi/%.0s' {1..30})
begin 'names longer than a header holds: pax, GNU, ustar'\''s prefix'
image <<TAR
file ${long}pax text=1
file ${long}gnu gnu=1 text=2
sym linkp to=/${long}pax
sym linkg to=/${long}gnu gnu=1
hard hardp to=${long}pax
hard hardg to=${long}gnu gnu=1
file name prefix=some/prefix text=3
file $(printf 'n%.0s' {1..100}) text=4
file $(printf 'm%.0s' {1..255}) text=5
TAR
see sh -c "/bin/busybox cat /${long}pax /${long}gnu /linkp /linkg /hardp /hardg /some/prefix/name /nnnnnnnn* /mmmmmmmm*"
exits 0
prints 121212345

begin 'GNU tar'\''s own archives: old GNU format, with a user'\''s names'
fresh
mkdir -p "$T/g/bin" "$T/g/${long%/}" && cp /bin/busybox "$T/g/bin/" && echo x >"$T/g/${long}file" && chown 5:6 "$T/g/${long}file"
tar -C "$T/g" --format=gnu -cf "$T/x.tar" .
see stat -c '%u %g %s' "/${long}file"
prints '5 6 2'
tar -C "$T/g" --format=ustar -cf "$T/x.tar" bin
see echo ustar
prints ustar
tar -C "$T/g" --format=v7 -cf "$T/x.tar" bin
see echo v7
prints v7
rm -rf --one-file-system "$T/g"

begin 'parents that the archive does not name are made, 0755 root'
image <<'TAR'
file deep/er/file text=x uid=1000
TAR
run sh -c 'umask 0777; exec "$0" "$@"' "$MYDOCKER" run ./x.tar /bin/busybox stat -c '%a %u' /deep /deep/er
exits 0
prints '755 0
755 0'

begin 'the root'\''s own entry gives the root its mode and owner'
image <<'TAR'
dir ./ mode=711 uid=5
TAR
see stat -c '%a %u' /
exits 0
prints '711 5'

begin 'names with odd bytes'
image <<'TAR'
file new\nline text=1
file \xff\xfe\x01 text=2
file \ssp\sace\s text=3
file -rf text=4
file 'quote" text=5
file back\\slash text=6
TAR
see sh -c 'cd /; /bin/busybox cat "$(/bin/busybox printf "new\nline")" "$(/bin/busybox printf "\377\376\001")" " sp ace " ./-rf "'\''quote\"" "back\\slash"'
exits 0
prints 123456

begin 'a later member replaces an earlier one'
image <<'TAR'
file a text=old mode=600
file a text=new mode=644
sym b to=a
file b text=file
dir c
dir c mode=700
TAR
see sh -c '/bin/busybox cat /a /b; /bin/busybox stat -c "%a" /a /c; /bin/busybox readlink /b; :'
exits 0
prints 'newfile644
700'

begin 'gzip, by its content and not by its name'
image <<'TAR'
file a text=zipped
TAR
gzip -c "$T/x.tar" >"$T/x.tar.gz"
cp "$T/x.tar.gz" "$T/x.tgz"
for file in x.tar.gz x.tgz; do
  run mydocker run "./$file" /bin/busybox cat /a
  exits 0
  prints zipped
done
cp "$T/x.tar.gz" "$T/z.tar"
run mydocker run ./z.tar /bin/busybox cat /a
prints zipped
cp "$T/x.tar" "$T/y.tar.gz"
run mydocker run ./y.tar.gz /bin/busybox cat /a
prints zipped

begin 'gzip at every level, with a name and a comment in its header'
for level in 1 6 9; do
  gzip "-$level" -c "$T/x.tar" >"$T/l.tar.gz"
  run mydocker run ./l.tar.gz /bin/busybox cat /a
  prints zipped
done
(cd "$T" && gzip -N <x.tar >n.tar.gz && cp x.tar named.tar && gzip -f named.tar)
run mydocker run ./named.tar.gz /bin/busybox cat /a
prints zipped
perl -e 'undef $/; $_ = <STDIN>; substr($_, 3, 1) = chr(4 | 8 | 16); substr($_, 10, 0) = "\3\0abc" . "name\0" . "comment\0"; print' < <(gzip -nc "$T/x.tar") >"$T/c.tar.gz"
run mydocker run ./c.tar.gz /bin/busybox cat /a
prints zipped

begin 'concatenated gzip members are one archive'
head -c 700000 "$T/x.tar" | gzip >"$T/cat.tar.gz"
tail -c +700001 "$T/x.tar" | gzip >>"$T/cat.tar.gz"
run mydocker run ./cat.tar.gz /bin/busybox cat /a
exits 0
prints zipped

# --- once -------------------------------------------------------------------------------------------------------

begin 'an image is imported once, and then not read again'
fresh
image <<'TAR'
file a text=first
TAR
see cat /a
prints first
if active; then inode=$(stat -c %i "$(layer)"); fi
if need strace; then
  # A run may look at the file, but not read its two megabytes.
  run strace -f -qq -y -e trace=read,pread64,readv,splice,sendfile,mmap,copy_file_range -o "$T/strace" "$MYDOCKER" run ./x.tar /bin/busybox cat /a
  prints first
  n=$(grep -c "x\.tar" "$T/strace")
  if active && [ "$n" -gt 4 ]; then fail 'expected the archive not to be read again' "$(grep 'x\.tar' "$T/strace" | head -n 5)"; fi
  same "$inode" "$(stat -c %i "$(layer)")" 'the layer'
fi

begin 'the same content under another name is the same layer'
cp "$T/x.tar" "$T/other.tar"
run mydocker run ./other.tar /bin/busybox cat /a
prints first
same 1 "$(ls -d "$MYDOCKER_ROOT"/layers/*/ | wc -l)" 'the number of layers'

begin 'a changed file is imported anew'
image <<'TAR'
file a text=other
TAR
see cat /a
exits 0
prints other

begin 'a file changed without a change of size and of mtime is imported anew'
touch -d @1500000000 "$T/x.tar"
see cat /a
prints other
image <<'TAR'
file a text=third
TAR
touch -d @1500000000 "$T/x.tar"
see cat /a
exits 0
prints third

begin 'the archive can be deleted while its container runs'
start ./x.tar /bin/busybox sh -c 'echo ready; /bin/busybox sleep 0.5; /bin/busybox cat /a'
ready
rm -f "$T/x.tar"
finish
exits 0
prints $'ready\nthird'

begin 'what was imported is the image of later runs, in whatever directory they start'
image <<'TAR'
file a text=fourth
TAR
see true
mkdir -p "$T/elsewhere"
run sh -c 'cd elsewhere && exec "$0" "$@"' "$MYDOCKER" run ../x.tar /bin/busybox cat /a
prints fourth
run mydocker run "$T/x.tar" /bin/busybox cat /a
prints fourth

begin '20 first runs at a time import once'
fresh
image <<'TAR'
repeat 200 file many/%d text=x
TAR
if active; then
  for i in {1..20}; do
    "$MYDOCKER" run ./x.tar /bin/busybox sh -c 'set -- /many/*; echo $#' </dev/null >"$T/out.$i" 2>"$T/err.$i" &
  done
  wait
  same 20 "$(cat "$T"/out.* | grep -cx 200)" 'the number of those that saw all of it'
  same '' "$(cat "$T"/err.*)" 'standard error'
  same 1 "$(ls -d "$MYDOCKER_ROOT"/layers/*/ | wc -l)" 'the number of layers'
  rm -f "$T"/out.* "$T"/err.*
fi

# --- words ------------------------------------------------------------------------------------------------------

begin 'progress is for terminals only'
fresh
image <<'TAR'
file pad zeros=150000000
TAR
see echo done
exits 0
quiet
prints done
fresh
if need_pty; then
  feed wait
  run "$PTY" -- "$MYDOCKER" run ./x.tar /bin/busybox echo done
  exits 0
  contains x.tar
  contains done
  feed wait
  run "$PTY" -- "$MYDOCKER" run ./x.tar /bin/busybox echo done
  exits 0
  same done "$(tr -d '\r' <"$T/out")" 'the second time'
fi

begin 'the default image is made of ./busybox.tar, else of $HOME/busybox.tar; without either one is told how to make it'
fresh
mkdir -p "$T/empty" "$T/home"
run sh -c 'cd empty && HOME=$PWD exec "$0" run /bin/true' "$MYDOCKER"
exits 125
says busybox.tar
one_line
if active && [ -n "$(ls -A "$MYDOCKER_ROOT/images" 2>/dev/null)" ]; then fail 'expected no image'; fi
ln "$TAR" "$T/home/busybox.tar"
run sh -c 'cd empty && HOME=$0 exec "$@"' "$T/home" "$MYDOCKER" run /bin/echo fine
exits 0
prints fine
# Imported once, it needs no file any more.
run sh -c 'cd empty && HOME=$PWD exec "$0" run /bin/echo fine' "$MYDOCKER"
exits 0
prints fine

begin 'an archive that is not there'
run mydocker run ./no-such.tar /bin/true
exits 125
one_line
says ./no-such.tar

begin 'an archive that is a directory, a FIFO, or not readable as a file'
mkdir -p "$T/dir.tar"
run mydocker run ./dir.tar /bin/true
exits 125
one_line
says dir.tar
mkfifo "$T/fifo.tar"
run mydocker run ./fifo.tar /bin/true
exits 125
one_line
says fifo.tar

begin '--rootfs runs a directory as it is, and does not write to it'
mkdir "$T/tree" && tar -xpf "$TAR" -C "$T/tree" && tree "$T/tree" >"$T/expected"
run mydocker run --rootfs "$T/tree" /bin/sh -c 'echo x >/mark; cat /mark; ls /etc'
exits 0
contains passwd
tree "$T/tree" >"$T/imported"
if active && ! cmp -s "$T/expected" "$T/imported"; then fail 'expected the same trees' "$(diff "$T/expected" "$T/imported" | head -n 20)"; fi
run mydocker run ./tree /bin/echo 'a directory as an image'
exits 0
prints 'a directory as an image'
rm -rf --one-file-system "$T/tree"
