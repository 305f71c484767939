# Images that come from other programs' archives and go back: the OCI image layout and docker's, layers with whiteouts, and
# the same bytes again. umoci, skopeo and docker say what is right.
. "$TESTS/tools/host.sh"
. "$TESTS/tools/oci.sh"

umask 022
fresh() { rm -rf --one-file-system "$MYDOCKER_ROOT"; }
made() { perl "$TESTS/tools/tarmake.pl" >"$1"; }
kept() { find "$MYDOCKER_ROOT"/{images,layers,configs} -mindepth 1 2>/dev/null; }
refused() {
  if active && { [ "$code" = 0 ] || [ "$code" -gt 125 ]; }; then fail 'expected it to be refused' "$(came)"; fi
  one_line
  prints ''
  says "$1"
  if active && [ -n "$(kept)" ]; then fail 'expected nothing to be kept' "$(kept | head -n 5)"; fi
}
blobs() { tar -xOf "$1" "blobs/sha256/$2"; }

# --- layers of everything ----------------------------------------------------------------------------------------

long=$(printf 'abcdefghi/%.0s' {1..25})
made "$T/base.tar" <<TAR
dir bin
file bin/busybox mode=755 from=/bin/busybox
sym bin/sh to=busybox
dir etc
file etc/passwd text=root:x:0:0::/:/bin/sh\\n
dir d mode=750 uid=5 gid=6
file d/one text=one mtime=1234567890 pax.mtime=1234567890.123456789
file d/two text=two
dir d/sub
file d/sub/three text=three
file empty
file large zeros=200001
file hard text=hard
hard hardtoo to=hard
hard ./d/hardthree to=./hard
sym link to=/nowhere/at/all
fifo pipe mode=640
file ${long}pax text=1
file ${long}gnu gnu=1 text=2
sym ${long}sym to=/${long}pax
dir gone
file gone/a text=a
dir opaque
file opaque/below text=below
dir opaque/dir
file opaque/dir/x
dir becomes-file
file becomes-file/x
file becomes-dir text=x
dir again
file again/below text=below
file noted text=x pax.SCHILY.xattr.user.note=a\\sb=c
file old text=old pax.mtime=-1.5
TAR
# A layer's hard link can only be to a file of the same layer.
made "$T/upper.tar" <<'TAR'
file .wh.gone
dir d mode=700 uid=7
file d/.wh.one
file d/two text=changed
dir opaque
file opaque/.wh..wh..opq
file opaque/new text=new
file .wh.becomes-file
file becomes-file text=file
file .wh.becomes-dir
dir becomes-dir
file becomes-dir/x text=x
file .wh.again
dir again
file again/new text=new
file .wh.never-was
file top text=top
hard topper to=top
TAR
# d is not named: it stays what it is below.
made "$T/third.tar" <<'TAR'
file d/.wh.two
file d/sub/.wh.three
file third text=3
TAR
gzip -nk "$T/base.tar" "$T/third.tar"
layout "$T/img"
CONFIG='"Cmd":["/bin/busybox","echo","from the config"],"Env":["A=1"]' oci "$T/img" some/name:1 "$T/base.tar.gz" "$T/upper.tar" "$T/third.tar.gz"
id=$image_id
pack "$T/img" "$T/x.tar"

begin 'an image of three layers is loaded from the OCI layout, and says what docker says'
fresh
run mydocker load -i x.tar
exits 0; quiet
prints 'Loaded image: some/name:1'
check test -e "$MYDOCKER_ROOT/configs/$id"
for layer in base upper third; do check test -d "$MYDOCKER_ROOT/layers/$(sha "$T/$layer.tar")"; done

begin 'a container sees what umoci unpacks of it: whiteouts, opaque directories, links, modes, owners'
if need umoci; then
  layout "$T/gzipped"
  gzip -nkf "$T/upper.tar"
  oci "$T/gzipped" all "$T/base.tar.gz" "$T/upper.tar.gz" "$T/third.tar.gz"
  umoci unpack --image "$T/gzipped:all" "$T/bundle" >/dev/null 2>"$T/umoci.log" || fail 'umoci does not unpack it' "$(cat "$T/umoci.log")"
  tree_of "$T/bundle/rootfs" >"$T/expected"
  run mydocker run --name seen some/name:1 /bin/busybox sh -c 'cat d/two 2>&1; ls opaque again becomes-dir; cat becomes-file; cat hardtoo'
  prints_line new
  run mydocker run -d --name tree some/name:1 /bin/busybox sleep 1000
  exits 0
  run mydocker export -o "$T/export.tar" tree
  exits 0
  mkdir "$T/seen" && tar -xpf "$T/export.tar" -C "$T/seen" 2>/dev/null
  tree_of "$T/seen" >"$T/found"
  if active && ! cmp -s "$T/expected" "$T/found"; then fail 'expected the same trees' "$(diff "$T/expected" "$T/found" | head -n 20)"; fi
  run mydocker rm -f tree
  exits 0
fi

seen='ls again becomes-dir d opaque; cat becomes-file hardtoo top; ls gone 2>&1'
expected='again:
new

becomes-dir:
x

d:
hardthree
sub

opaque:
new
filehardtopls: gone: No such file or directory'

begin 'whiteouts hold in a user namespace: root'\''s container in one, an ordinary user'\''s own store'
fresh
mydocker load -i x.tar >/dev/null
run mydocker run some/name:1 /bin/busybox sh -c "$seen"
prints "$expected"
run mydocker run --userns 300000:300000:65536 some/name:1 /bin/busybox sh -c "$seen"
prints "$expected"
user=54321
mkdir "$T/home" && chown "$user:$user" "$T/home"
as() { cd "$T/home" && exec setpriv --reuid "$user" --regid "$user" --clear-groups env -u MYDOCKER_ROOT -u XDG_DATA_HOME HOME="$T/home" "$@"; }
if (as unshare -Ur true) 2>/dev/null; then
  run as "$MYDOCKER" load -i "$T/x.tar"
  exits 0; quiet
  prints 'Loaded image: some/name:1'
  run as "$MYDOCKER" run some/name:1 /bin/busybox sh -c "$seen"
  prints "$expected"
  run as "$MYDOCKER" save -o w.tar some/name:1
  exits 0
  for layer in base upper third; do
    same "$(sha "$T/$layer.tar")" "$(blobs home/w.tar "$(sha "$T/$layer.tar")" | sha256sum | cut -d ' ' -f 1)" "the layer $layer"
  done
fi
rm -rf --one-file-system "$T/home"

begin 'the same image from a pipe, packed, behind something else in a file, its members the other way round'
gzip -c "$T/x.tar" >"$T/x.tar.gz"
{ head -c 1000 /dev/zero; cat "$T/x.tar"; } >"$T/behind"
pack "$T/img" "$T/back.tar" $(cd "$T/img" && find . -type f ! -name .entries -printf '%P\n' | sort -r)
for how in 'cat x.tar | "$0" load' '"$0" load -i x.tar.gz' '"$0" load <x.tar' '"$0" load -q -i back.tar' 'cat x.tar.gz | "$0" load' \
  '{ head -c 1000 >/dev/null; "$0" load; } <behind' 'mkfifo f; cat x.tar >f & "$0" load -i f; rm f'; do
  fresh
  run bash -c "$how" "$MYDOCKER"
  exits 0; quiet
  prints 'Loaded image: some/name:1'
  check test -e "$MYDOCKER_ROOT/configs/$id"
done

begin 'what is loaded is saved as the very same blobs'
run mydocker save -o y.tar some/name:1
exits 0; quiet; prints ''
for layer in base upper third; do
  same "$(sha "$T/$layer.tar")" "$(blobs y.tar "$(sha "$T/$layer.tar")" | sha256sum | cut -d ' ' -f 1)" "the layer $layer"
done
same "$id" "$(blobs y.tar "$id" | sha256sum | cut -d ' ' -f 1)" 'the config'
run sh -c '"$0" save some/name:1 | cmp - y.tar' "$MYDOCKER"
exits 0
run sh -c '"$0" save some/name | cmp - y.tar' "$MYDOCKER"
exits 0

begin 'skopeo reads what was saved, both ways, and what skopeo writes comes back with the same digests'
if need skopeo; then
  for from in oci-archive:y.tar:1 docker-archive:y.tar; do
    run skopeo inspect --config --raw "$from"
    exits 0
    same "$id" "$(printf %s "$out" | sha256sum | cut -d ' ' -f 1)" "the config's digest from $from"
  done
  for to in oci-archive docker-archive; do
    rm -f z.tar
    run skopeo copy -q oci-archive:y.tar:1 "$to:z.tar:other/name:2"
    exits 0
    fresh
    run mydocker load -i z.tar
    exits 0
    prints 'Loaded image: other/name:2'
    run mydocker save -o w.tar other/name:2
    exits 0
    same "$(blobs y.tar "$id" | sha256sum)" "$(blobs w.tar "$id" | sha256sum)" "the config by $to"
    for layer in base upper third; do
      same "$(sha "$T/$layer.tar")" "$(blobs w.tar "$(sha "$T/$layer.tar")" | sha256sum | cut -d ' ' -f 1)" "the layer $layer by $to"
    done
  done
fi

begin 'an image that umoci made'
if need umoci skopeo; then
  rm -rf --one-file-system u b
  run sh -c 'umoci init --layout u && umoci new --image u:t && umoci unpack --image u:t b && mkdir b/rootfs/bin && cp /bin/busybox b/rootfs/bin/ &&
    umoci repack --refresh-bundle --image u:t b && rm b/rootfs/bin/busybox && cp /bin/busybox b/rootfs/sh && umoci repack --image u:t b'
  exits 0
  run skopeo copy -q oci:u:t oci-archive:u.tar:umoci/made
  exits 0
  run mydocker load -i u.tar
  prints 'Loaded image: umoci/made:latest'
  run mydocker run umoci/made /sh -c '/sh ls /bin; echo $((6*7))'
  exits 0
  prints 42
  run mydocker save -o v.tar umoci/made
  same "$(skopeo inspect --config --raw oci:u:t | sha256sum)" "$(skopeo inspect --config --raw docker-archive:v.tar | sha256sum)" 'the config'
fi

begin "docker's archive: its layers as files and as links to each other, its config by its digest"
dir=$T/legacy
rm -rf "$dir" && mkdir -p "$dir"/{one,two,three}
cp base.tar "$dir/one/layer.tar"
cp upper.tar "$dir/two/layer.tar"
ln -s ../one/layer.tar "$dir/three/layer.tar"
printf '{"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s","sha256:%s","sha256:%s"]}}' "$(sha base.tar)" "$(sha upper.tar)" "$(sha base.tar)" >"$T/document"
config=$(sha "$T/document")
cp "$T/document" "$dir/$config.json"
printf '[{"Config":"%s.json","RepoTags":["a:1","docker.io/library/b:2"],"Layers":["one/layer.tar","two/layer.tar","./three/../three/layer.tar"]}]' "$config" >"$dir/manifest.json"
tar -C "$dir" -cf legacy.tar manifest.json three one two "$config.json"
fresh
run mydocker load -i legacy.tar
exits 0; quiet
prints $'Loaded image: a:1\nLoaded image: b:2'
run mydocker run b:2 /bin/busybox cat /top
prints top

begin 'docker saves and loads what mydocker loads and saves'
if need docker dockerd; then
  if mkdir /etc/docker 2>/dev/null; then made_etc_docker=1; fi
  mount -t tmpfs tmpfs /etc/docker
  mount -t tmpfs tmpfs /run
  mkdir -p D/{data,exec,config}
  export DOCKER_HOST=unix://$T/D/socket DOCKER_CONFIG=$T/D/config
  cgroups() { ls -d /sys/fs/cgroup/docker /sys/fs/cgroup/*/docker 2>/dev/null; }
  cgroups_before=$(cgroups)
  dockerd --data-root "$T/D/data" --exec-root "$T/D/exec" --pidfile "$T/D/pid" -H "$DOCKER_HOST" --iptables=false --ip-forward=false \
    --ip-masq=false --bridge=none --storage-driver=vfs --default-ulimit nofile=1024:1024 >dockerd.log 2>&1 &
  daemon=$!
  if eventually 40 docker version >/dev/null 2>&1; then
    fresh
    mydocker load -i x.tar >/dev/null
    mydocker save -o y.tar some/name:1
    run docker load -i y.tar
    exits 0
    prints 'Loaded image: some/name:1'
    same "sha256:$id" "$(docker image inspect -f '{{.Id}}' some/name:1)" "docker's image id"
    run docker save -o z.tar some/name:1
    exits 0
    fresh
    run mydocker load -i z.tar
    exits 0
    prints 'Loaded image: some/name:1'
    check test -e "$MYDOCKER_ROOT/configs/$id"
    run mydocker save -o w.tar some/name:1
    same "$(tar -xOf y.tar "blobs/sha256/$(sha upper.tar)" | sha256sum)" "$(tar -xOf w.tar "blobs/sha256/$(sha upper.tar)" | sha256sum)" 'a layer'
    # And one of docker's own making.
    docker import "$TAR" made:here >/dev/null
    run docker save -o z.tar made:here
    run mydocker load -i z.tar
    prints 'Loaded image: made:here'
    run mydocker run made:here /bin/echo fine
    prints fine
  else
    skip "dockerd does not run here: $(tail -n 1 dockerd.log)"
  fi
  kill "$daemon" 2>/dev/null
  wait "$daemon" 2>/dev/null
  unset DOCKER_HOST DOCKER_CONFIG
  umount /run /etc/docker
  if [ -n "${made_etc_docker:-}" ]; then rmdir /etc/docker; fi
  if [ -z "$cgroups_before" ]; then rmdir $(cgroups) 2>/dev/null; fi
  rm -rf --one-file-system D
fi

begin 'a user whom an upper layer has deleted is none: /etc/passwd is looked for as the container would see it'
made users.tar <<'TAR'
file bin/busybox mode=755 from=/bin/busybox
file etc/passwd text=somebody:x:77:77::/:/bin/sh\n
TAR
for deleted in 'file etc/.wh.passwd' 'file .wh.etc' 'file etc/.wh..wh..opq' 'file etc text=x' 'file .wh..wh..opq
file bin/busybox mode=755 from=/bin/busybox'; do
  made above.tar <<<"$deleted"
  layout "$T/users"
  oci "$T/users" users users.tar above.tar
  pack "$T/users" users-image.tar
  run mydocker load -q -i users-image.tar
  exits 0
  run mydocker run -u somebody users /bin/busybox id -u
  if active && [ "$code" = 0 ]; then fail "expected no such user after '$deleted'" "$(came)"; fi
  says somebody
done
made above.tar <<<'file etc/other text=x'
layout "$T/users"
oci "$T/users" users users.tar above.tar
pack "$T/users" users-image.tar
run mydocker load -q -i users-image.tar
run mydocker run -u somebody users /bin/busybox id -u
prints 77

begin 'a full disk, and SIGKILL: nothing is half there, and the next one works'
fresh
mkdir small && mount -t tmpfs -o size=3m tmpfs small
for how in '"$0" load --root small/s -i x.tar' 'cat x.tar | "$0" load --root small/s' 'cat x.tar.gz | "$0" load --root small/s'; do
  head -c 1200000 /dev/urandom >small/pad
  run bash -c "$how" "$MYDOCKER"
  exits 1; one_line
  says ENOSPC
  same '' "$(find small/s/{layers,images,configs} -mindepth 1)" 'what is left'
done
umount small && rmdir small
mkfifo f
"$MYDOCKER" load -i f >/dev/null 2>&1 &
killed=$!
exec 7>f
head -c 1000000 x.tar >&7
eventually 10 test -d "$MYDOCKER_ROOT/layers"
sleep 0.3
kill -9 "$killed"
wait "$killed" 2>/dev/null
exec 7>&-
rm f
same '' "$(kept)" 'what is left'
run mydocker load -i x.tar
exits 0
prints 'Loaded image: some/name:1'

# --- what is chosen ----------------------------------------------------------------------------------------------

begin 'of an index for several machines the image for this one, of several images all'
layout "$T/multi"
oci "$T/multi" '' base.tar
ours=$manifest
oci "$T/multi" '' third.tar
other=$manifest
: >"$T/multi/.entries"
platform() { printf '%s,"platform":{"os":"%s","architecture":"%s"}}' "${1%\}}" "$2" "$3"; }
machine=$(case $(uname -m) in aarch64) echo arm64 ;; *) echo amd64 ;; esac)
printf '{"schemaVersion":2,"manifests":[%s,%s,%s]}' "$(platform "$other" linux s390x)" "$(platform "$ours" linux "$machine")" \
  "$(platform "$other" unknown unknown)" >"$T/document"
blob "$T/multi" "$T/document"
index=$(descriptor index.v1+json)
entry "$T/multi" "${index%\}},\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/multi:3\",\"org.opencontainers.image.ref.name\":\"3\"}}"
entry "$T/multi" "$(platform "$other" windows amd64)"
entry "$T/multi" "$other"
pack "$T/multi" multi.tar
fresh
run mydocker load -i multi.tar
exits 0; quiet
prints_line 'Loaded image: multi:3'
contains 'Loaded image ID: sha256:'
run mydocker run multi:3 /bin/busybox cat /empty
exits 0
: >"$T/multi/.entries"
entry "$T/multi" "$(platform "$ours" linux s390x)"
pack "$T/multi" multi.tar
fresh
run mydocker load -i multi.tar
refused "no image for linux/$machine"

begin 'layers that are there already are shared'
fresh
mydocker load -i x.tar >/dev/null
layout "$T/sharing"
oci "$T/sharing" sharing base.tar third.tar
pack "$T/sharing" sharing.tar
inode=$(stat -c %i "$MYDOCKER_ROOT/layers/$(sha base.tar)")
run mydocker load -i sharing.tar
exits 0
prints 'Loaded image: sharing:latest'
same "$inode" "$(stat -c %i "$MYDOCKER_ROOT/layers/$(sha base.tar)")" 'the shared layer'
same 3 "$(ls -d "$MYDOCKER_ROOT"/layers/*/ | wc -l)" 'the number of layers'

# --- what is wrong -----------------------------------------------------------------------------------------------

begin 'a blob that is not what its digest says is refused, and nothing is kept'
for which in "$(sha base.tar.gz)" "$(sha upper.tar)" "$id"; do
  rm -rf bad && cp -r img bad
  # One bit in the middle of what it is.
  perl -e 'my ($file) = @ARGV; open my $f, "+<:raw", $file or die; my $at = int((-s $file) / 2); seek $f, $at, 0; read $f, my $b, 1; seek $f, $at, 0; print $f chr(ord($b) ^ 1)' "bad/blobs/sha256/$which"
  pack bad bad.tar
  fresh
  run mydocker load -i bad.tar
  refused ''
done
says 'digest'

begin 'a layer that is whole but another, a config of other layers'
layout bad
printf '{"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' "$(sha upper.tar)" >"$T/document"
blob bad "$T/document"
config=$(descriptor config.v1+json)
blob bad base.tar
printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$config" "$(descriptor layer.v1.tar)" >"$T/document"
blob bad "$T/document"
entry bad "$(descriptor manifest.v1+json)"
pack bad bad.tar
fresh
run mydocker load -i bad.tar
refused 'wrong digest'

begin 'a second layer that is damaged takes the first with it'
rm -rf bad && cp -r img bad
head -c 2000 upper.tar >"bad/blobs/sha256/$(sha upper.tar)"
pack bad bad.tar
fresh
run mydocker load -i bad.tar
refused 'size'
rm -rf bad && cp -r img bad
tr t T <upper.tar >"bad/blobs/sha256/$(sha upper.tar)"
pack bad bad.tar
fresh
run mydocker load -i bad.tar
refused ''

begin 'a layer packed with zstd is refused with the way out'
if need zstd skopeo; then
  zstd -q base.tar -o base.tar.zst
  layout bad
  oci bad z base.tar
  rm "bad/blobs/sha256/$(sha base.tar)"
  config=$(printf '{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%s}' "$image_id" "$(stat -c %s "bad/blobs/sha256/$image_id")")
  blob bad base.tar.zst
  printf '{"schemaVersion":2,"config":%s,"layers":[%s]}' "$config" "$(descriptor layer.v1.tar+zstd)" >"$T/document"
  blob bad "$T/document"
  : >bad/.entries
  entry bad "$(descriptor manifest.v1+json)"
  pack bad bad.tar
  fresh
  run mydocker load -i bad.tar
  refused zstd
  says 'skopeo copy --dest-compress-format gzip oci-archive:bad.tar oci-archive:NEW.tar'
  run skopeo copy -q --dest-compress-format gzip oci-archive:bad.tar oci-archive:NEW.tar
  run mydocker load -i NEW.tar
  exits 0
fi

begin 'what is no image says so'
printf x >no.tar
run mydocker load -i no.tar
exits 1; one_line; says no.tar
run mydocker load -i "$TAR"
exits 1; one_line; says 'neither manifest.json nor index.json'; says import
: >empty.tar
run mydocker load -i empty.tar
exits 1; one_line
run mydocker load -i no-such.tar
exits 1; one_line; says no-such.tar
run mydocker load -i /tmp
exits 1; one_line

begin 'save: an image that is not there, a terminal, a layer that was changed'
fresh
mydocker load -i x.tar >/dev/null
run mydocker save -o n.tar no/such
exits 1; one_line; says 'no such image'
refuse test -e n.tar
echo ONE >"$MYDOCKER_ROOT/layers/$(sha base.tar)/d/one"
run mydocker save -o n.tar some/name:1
exits 1; one_line
says 'not those that were unpacked'
refuse test -e n.tar
if need_pty; then
  run "$PTY" -- "$MYDOCKER" save some/name:1
  exits 1
  contains 'cowardly refusing to save to a terminal'
fi

begin 'an imported root file system is saved with the layer that it was, also one with two files of one name'
fresh
run mydocker import "$TAR" imported:1
exits 0
run mydocker save -o n.tar imported:1
exits 0
check test "$(blobs n.tar "$(sha "$TAR")" | sha256sum | cut -d ' ' -f 1)" = "$(sha "$TAR")"
made twice.tar <<'TAR'
file bin/busybox mode=755 from=/bin/busybox
file a text=first
file a text=second
TAR
run mydocker import twice.tar twice
exits 0
run mydocker save -o n.tar twice
exits 0
check test "$(blobs n.tar "$(sha twice.tar)" | sha256sum | cut -d ' ' -f 1)" = "$(sha twice.tar)"
run mydocker run twice /bin/busybox cat /a
prints second
gzip -nkf twice.tar
layout "$T/double"
oci "$T/double" double twice.tar.gz
pack "$T/double" double.tar
fresh
run mydocker load -i double.tar
exits 0
run mydocker save -o n.tar double
exits 0
check test "$(blobs n.tar "$(sha twice.tar)" | sha256sum | cut -d ' ' -f 1)" = "$(sha twice.tar)"
run mydocker import "$TAR" imported:1
run mydocker import twice.tar twice

begin 'several images in one archive, each blob once'
mydocker load -i x.tar >/dev/null
run mydocker save -o n.tar twice imported:1 some/name twice
exits 0
same '' "$(tar -tf n.tar | sort | uniq -d)" 'names that come twice'
fresh
run mydocker load -i n.tar
exits 0
prints_line 'Loaded image: twice:latest'
prints_line 'Loaded image: imported:1'
prints_line 'Loaded image: some/name:1'

begin 'forty layers take no more memory than one'
for number in {1..40}; do made "layer$number.tar" <<<"file f$number text=$number"; done
gzip -n layer{1..40}.tar
layout "$T/forty"
oci "$T/forty" forty layer{1..40}.tar.gz
pack "$T/forty" forty.tar
fresh
# Each has buffers of 512 KiB while it is unpacked or made again.
run bash -c 'ulimit -v 12000; "$0" load -q -i forty.tar && "$0" save -o /dev/null forty' "$MYDOCKER"
exits 0
prints 'Loaded image: forty:latest'
