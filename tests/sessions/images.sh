# Images in the store: names, ids, configs; who has one keeps it.

# store: everything in the store that belongs to images, a line each.
store() { (cd "$MYDOCKER_ROOT" && find images layers configs archives -mindepth 1 -maxdepth 1 2>/dev/null | sort); }
fresh() { rm -rf --one-file-system "$MYDOCKER_ROOT"; }
# layers N: makes the image many:N, whose layer I has a file fI and says so in /top.
layers() {
  local base n
  run mydocker run /bin/true
  base=$(sed -n 's/^layer //p' "$MYDOCKER_ROOT/images/busybox:latest/manifest")
  mkdir -p "$MYDOCKER_ROOT/images/many:$1"
  {
    echo "layer $base"
    for ((n = 2; n <= $1; n++)); do
      mkdir -p "$MYDOCKER_ROOT/layers/$(printf %064d "$n")"
      echo "$n" | tee "$MYDOCKER_ROOT/layers/$(printf %064d "$n")"/{"f$n",top} >/dev/null
      printf 'layer %064d\n' "$n"
    done
  } >"$MYDOCKER_ROOT/images/many:$1/manifest"
}

begin 'import prints the id, which is the digest of the config; the config is as docker import makes it'
run mydocker import busybox.tar nest
exits 0; quiet
id=${out#sha256:}
same "$id" "$(sha256sum <"$MYDOCKER_ROOT/configs/$id" | cut -d ' ' -f 1)" 'the id'
same "$id" "$(cut -d ' ' -f 1 < <(sha256sum "$MYDOCKER_ROOT/configs/$id"))"
config=$(<"$MYDOCKER_ROOT/configs/$id")
layer=$(sha256sum <busybox.tar | cut -d ' ' -f 1)
for part in '"architecture":"' '"os":"linux"' '"comment":"Imported from -"' '"created":"20' \
  "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:$layer\"]}" '"history":[{"created":"20'; do
  if active && [[ $config != *"$part"* ]]; then fail "expected in the config: $part" "$config"; fi
done

begin 'an image is found by its name with and without tag and registry, and by a beginning of its id'
for name in nest nest:latest docker.io/library/nest docker.io/nest:latest library/nest "$id" "sha256:$id" "${id:0:12}" "sha256:${id:0:5}"; do
  run mydocker run "$name" /bin/echo found
  exits 0; prints found; quiet
done
run mydocker run nest:other /bin/echo found
exits 127
run mydocker rmi busybox
exits 0
run mydocker tag "${id:0:12}" quay.io:443/some/nest:v1.2
exits 0; quiet; prints ''
run mydocker run quay.io:443/some/nest:v1.2 /bin/echo found
prints found

begin 'what is no reference is refused, and so is what would leave images/'
for name in Nest nest:.x nest:a/b ../nest nest/../../x '' . 'a b' "$(printf 'a%.0s' {1..256})" sha256 "$id"; do
  run mydocker tag nest "$name"
  exits 1; one_line; says 'invalid reference format'
done

begin 'images lists the newest first, with docker'\''s columns'
feed_file busybox.tar
run mydocker import -m second - nest:two
exits 0
two=${out#sha256:}
run mydocker images
exits 0
if active; then
  same "REPOSITORY TAG IMAGE ID CREATED SIZE
nest two ${two:0:12}
quay.io:443/some/nest v1.2 ${id:0:12}
nest latest ${id:0:12}" "$(awk 'NR == 1 { $1 = $1; print; next } { print $1, $2, $3 }' "$T/out" | { read -r head; echo "$head"; read -r first; echo "$first"; sort -r; })" 'the list'
fi
run mydocker images -q --no-trunc nest:two
prints "sha256:$two"
run mydocker images --format '{{.Repository}}:{{.Tag}}' 'n*:t?o'
prints nest:two
run mydocker images --format '{{.Repository}}:{{.Tag}}' --filter reference='quay.io:443/*/nest'
prints quay.io:443/some/nest:v1.2
run mydocker images -q --filter reference='*nest*/*'
prints ''

begin 'history'
run mydocker history --format '{{.ID}} {{.Comment}}' nest:two
prints "${two:0:12} second"
run mydocker history -q --no-trunc nest
prints "sha256:$id"
run mydocker history nosuch
exits 1; says 'no such image: nosuch:latest'; one_line

begin 'rmi takes names away, and with the last one the image and what only it had'
run mydocker rmi nest
exits 0; prints 'Untagged: nest:latest'
run mydocker rmi quay.io:443/some/nest:v1.2
exits 0; prints "Untagged: quay.io:443/some/nest:v1.2
Deleted: sha256:$id"
run mydocker rmi nest:two
exits 0; prints "Untagged: nest:two
Deleted: sha256:$two
Deleted: sha256:$layer"
same '' "$(store)" 'what is in the store'
run mydocker rmi nosuch other
exits 1; says 'no such image: nosuch:latest'; says 'no such image: other:latest'

begin 'by the id: refused with names in several repositories, unless forced'
run mydocker import busybox.tar nest
id=${out#sha256:}
run mydocker tag nest tree
run mydocker rmi "${id:0:12}"
exits 1; one_line
says "conflict: unable to delete ${id:0:12} (must be forced) - image is referenced in multiple repositories"
run mydocker rmi -f "$id"
exits 0; prints_line 'Untagged: nest:latest'; prints_line 'Untagged: tree:latest'; prints_line "Deleted: sha256:$id"
same '' "$(store)" 'what is in the store'

begin 'a name that goes to another image leaves the first one without a name; prune removes it'
run mydocker import -m one busybox.tar nest
one=${out#sha256:}
run mydocker import -m two busybox.tar nest
run mydocker images --filter dangling=true --no-trunc --format '{{.Repository}} {{.Tag}} {{.ID}}'
prints "<none> <none> sha256:$one"
run mydocker image prune
exits 0; contains 'WARNING! This will remove all dangling images.'; lacks Deleted
run mydocker image prune -f
exits 0; prints "Deleted Images:
deleted: sha256:$one

Total reclaimed space: 0B"
run mydocker image prune -a -f
exits 0; prints_line 'untagged: nest:latest'; prints_line "deleted: sha256:$layer"; contains 'Total reclaimed space: '; contains MB
same '' "$(store)" 'what is in the store'

begin 'an image that was imported for a run can be removed and is imported again'
run mydocker run /bin/true
run mydocker rmi busybox
exits 0; prints_line "Deleted: sha256:$layer"
same '' "$(store)" 'what is in the store'
run mydocker run ./busybox.tar /bin/echo again
prints again
run mydocker images -q
prints ''
run mydocker image prune -a -f
same '' "$(store)" 'what is in the store'

begin 'a store of an older release: no config, no tag'
run mydocker run /bin/true
mv "$MYDOCKER_ROOT/images/busybox:latest" "$MYDOCKER_ROOT/images/busybox"
sed -i '/^bare/d' "$MYDOCKER_ROOT/images/busybox/manifest"
rm -r "$MYDOCKER_ROOT/configs" "$MYDOCKER_ROOT"/layers/*.size
rm busybox.tar
run mydocker run /bin/echo old
exits 0; prints old
run mydocker images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'
prints "busybox:latest sha256:$layer"
run mydocker tag busybox nest
run mydocker run nest /bin/echo old
prints old
run mydocker rmi busybox
prints 'Untagged: busybox:latest'
run mydocker rmi "${layer:0:12}"
prints_line "Deleted: sha256:$layer"
same '' "$(store)" 'what is in the store'
ln "$TAR" busybox.tar

begin 'the config says what is run: Env, Entrypoint, Cmd, WorkingDir, User, Volumes'
run mydocker import -c 'ENTRYPOINT ["/bin/echo", "a"]' -c 'CMD ["b c"]' busybox.tar echo
run mydocker run echo
exits 0; prints 'a b c'
run mydocker run echo d
prints 'a d'
run mydocker run --entrypoint /bin/pwd echo
prints /
run mydocker run --entrypoint '' echo
exits 125; one_line; says 'no command specified'
run mydocker run --entrypoint '' echo /bin/echo x
prints x
run mydocker import -c 'ENV A=1 B="2 3"' -c 'WORKDIR /usr' -c 'USER 12:34' -c 'VOLUME /made/here' -c 'CMD echo $A-$B; pwd; id -u; id -g; grep -c /made/here /proc/mounts' busybox.tar all
run mydocker run all
exits 0; prints $'1-2 3\n/usr\n12\n34\n1'
run mydocker run -e A=5 -w / -u 0 -v /made/here all
prints $'5-2 3\n/\n0\n0\n1'
run mydocker run --tmpfs /made/here all /bin/grep -c 'tmpfs /made/here' /proc/mounts
prints 1
run mydocker import -c 'ENV PATH=/bin:/x HOME=/h' -c 'CMD echo $PATH $HOME' busybox.tar path
run mydocker run path
prints '/bin:/x /h'
run mydocker import busybox.tar plain
run mydocker run plain
exits 125; says 'no command specified'

begin 'a config from elsewhere may say anything: a target that leads to the host is a name in the container'
printf '{"config":{"Volumes":{"/etc:/host":{}},"Cmd":["/bin/ls","-d","/etc:/host"],"StopSignal":"NOSUCH","WorkingDir":"../../x","User":"nobody"}}' >config
id=$(sha256sum <config | cut -d ' ' -f 1)
mv config "$MYDOCKER_ROOT/configs/$id"
sed "s/^bare .*/config $id/" "$MYDOCKER_ROOT/images/plain:latest/manifest" >manifest
mkdir "$MYDOCKER_ROOT/images/odd:latest" && mv manifest "$MYDOCKER_ROOT/images/odd:latest/"
run mydocker run -u 0 odd
exits 0; prints /etc:/host
run mydocker run -u 0 odd /bin/pwd
prints /x
for config in '' '{' '[]' '{"config":{"Env":[1,null,{}],"Cmd":"x","Volumes":["/a"]}}' "$(printf '[%.0s' {1..9000})"; do
  printf %s "$config" >"$MYDOCKER_ROOT/configs/$id"
  run mydocker run odd /bin/echo fine
  exits 0; prints fine; quiet
done
run mydocker images -q odd
exits 0; prints "${id:0:12}"

begin 'an image that a container has is kept: of one that runs, and of one that has ended'
fresh
run mydocker import busybox.tar nest
id=${out#sha256:}
run mydocker create --name bird nest /bin/true
bird=${out:0:12}
run mydocker rmi nest
exits 1; one_line
says "conflict: unable to remove repository reference \"nest\" (must force) - container $bird is using its referenced image ${id:0:12}"
run mydocker rmi "$id"
exits 1; says "conflict: unable to delete ${id:0:12} (must be forced) - image is being used by stopped container $bird"
run mydocker image prune -a -f
lacks deleted
run mydocker rmi -f nest
exits 0; prints_line 'Untagged: nest:latest'; prints_line "Deleted: sha256:$id"; lacks "$layer"
run mydocker start -a bird
exits 0; quiet
check test -d "$MYDOCKER_ROOT/layers/$layer"

begin 'a container in the foreground, of which there is no record, keeps its image'
fresh
run mydocker import busybox.tar nest
id=${out#sha256:}
mkfifo up
"$MYDOCKER" run -i nest /bin/sh -c 'echo up; read x; ls /bin/busybox' <up >said &
runs=$!
exec 9>up
for ((n = 0; n < 100; n++)); do if [ -s said ]; then break; fi; sleep 0.05; done
run mydocker rmi nest
exits 1; one_line; says 'conflict: unable to remove repository reference "nest" (must force)'
run mydocker rmi "$id"
exits 1; says "(cannot be forced) - image is being used by running container"
run mydocker rmi -f "$id"
exits 1; says '(cannot be forced)'
run mydocker rmi -f nest
exits 0; prints 'Untagged: nest:latest'
run mydocker image prune -a -f
lacks deleted
check test -d "$MYDOCKER_ROOT/layers/$layer"
echo go >&9
exec 9>&-
wait "$runs"
same $'up\n/bin/busybox' "$(<said)" 'what it said'
run mydocker image prune -f
prints_line "deleted: sha256:$layer"
same '' "$(store)" 'what is in the store'

begin 'up to 127 layers'
for n in 3 4 60 127; do
  layers "$n"
  run mydocker run "many:$n" /bin/sh -c 'ls -d /f* | wc -l; cat /top; echo x >/f2; cat /f2'
  exits 0; quiet; prints "$((n - 1))
$n
x"
done

begin '127 layers without the new mount calls, and in a user namespace'
run "$WITHOUT" fsopen,mount_setattr "$MYDOCKER" run many:127 /bin/sh -c 'ls -d /f* | wc -l; cat /top; echo x >/f2; cat /f2'
exits 0; quiet; prints $'126\n127\nx'
run mydocker run --userns 100000:100000:65536 many:127 /bin/sh -c 'ls -d /f* | wc -l; cat /top; echo x >/f2; cat /f2'
exits 0; quiet; prints $'126\n127\nx'
same '' "$(ls "$MYDOCKER_ROOT/containers")" 'what is in containers/'

begin 'a volume gets what all layers together have there; what a layer has deleted is not in the way'
layers 3
top=$MYDOCKER_ROOT/layers/$(printf %064d 3)
below=$MYDOCKER_ROOT/layers/$(printf %064d 2)
mkdir "$below/data" "$below/gone" "$top/data"
echo a >"$below/data/a"; echo z >"$below/data/z"; echo b >"$top/data/b"
mknod "$top/data/z" c 0 0; mknod "$top/gone" c 0 0
run mydocker run -v /data -v named:/gone many:3 sh -c 'ls /data; ls -A /gone; ls -d /gone'
exits 0; quiet; prints $'a\nb\n/gone'
run mydocker run --userns 100000:100000:65536 -v /data many:3 sh -c 'cat /data/b; ls /data/z'
exits 1; prints b

begin 'an import that is killed, and a removal, leave nothing half'
fresh
for n in {1..12}; do
  { timeout -s KILL "0.0$((n % 6 + 1))" "$MYDOCKER" import busybox.tar nest >/dev/null; } 2>/dev/null
  run mydocker images -q nest
  exits 0
  if active && [ -n "$out" ]; then
    run mydocker run nest /bin/echo whole
    exits 0; prints whole
    { timeout -s KILL "0.00$((n % 6 + 1))" "$MYDOCKER" rmi nest >/dev/null; } 2>/dev/null
  fi
done
run mydocker import busybox.tar nest
exits 0; quiet
run mydocker run nest /bin/echo whole
prints whole
run mydocker image prune -a -f
exits 0
same '' "$(store)" 'what is in the store'

begin 'run, import and rmi of one image at once: a run has a whole image or says that there is none'
if active; then
  : >wrong
  for n in 1 2 3; do
    for ((i = 0; i < 20; i++)); do
      "$MYDOCKER" run nest /bin/sh -c 'ls /bin/busybox' >"said.$n" 2>"err.$n"
      code=$?
      case "$code:$(<"said.$n")" in 0:/bin/busybox) ;; *) grep -q -e 'no such image' -e 'open the image' -e 'No such file' -e 'not found' "err.$n" || cat "err.$n" >>wrong ;; esac
    done &
  done
  for n in 1 2; do
    for ((i = 0; i < 20; i++)); do "$MYDOCKER" import busybox.tar nest; "$MYDOCKER" rmi nest; done >/dev/null 2>>removing &
  done
  wait
  same '' "$(<wrong)" 'errors of run'
  grep -v -e 'no such image' -e conflict removing >left
  same '' "$(<left)" 'errors of import and rmi'
fi
run mydocker image prune -a -f
same '' "$(store)" 'what is in the store'
