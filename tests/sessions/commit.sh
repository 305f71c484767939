# commit: what a container has written becomes an image of one layer more. What must come is docker's.
. "$TESTS/tools/host.sh"
gone_with() { run mydocker rm -f "$@"; exits 0; }
of() { run mydocker inspect --format "$1" "$2"; exits 0; }
up() { eventually 20 sh -c "'$MYDOCKER' logs $1 | grep -q up" || fail "$1 never came up"; }

begin 'the id is printed; the image has what was written, and not what was deleted'
  run mydocker run -d --name bird -v /vol busybox sh -c 'echo hello >/greeting; rm /etc/group; rm -r /home; mkdir /home; touch /home/new
    ln /greeting /etc/same; chown 1234:2345 /greeting; chmod 640 /greeting; mkfifo /fifo; ln -s greeting /link; echo secret >/vol/file'
  exits 0
  run mydocker wait bird
  prints 0
  run mydocker commit bird nest
  exits 0; quiet
  check grep -qE '^sha256:[0-9a-f]{64}$' "$T/out"
  of '{{.Id}}' nest
  run mydocker commit bird other:tag
  run mydocker run --rm nest sh -c 'cat /greeting; ls /etc/group /vol /home; stat -c "%a %u:%g %h %F" /greeting /etc/same /fifo; readlink /link'
  exits 0
  says '/etc/group: No such file'
  prints $'hello\n/home:\nnew\n\n/vol:\n640 1234:2345 2 regular file\n640 1234:2345 2 regular file\n644 0:0 1 fifo\ngreeting'
  run mydocker run --rm other:tag true
  exits 0

begin "the layer is an archive as docker's: whiteouts by name, none of our own mount points"
  of '{{len .RootFS.Layers}}' nest
  prints 2
  of '{{index .RootFS.Layers 1}}' nest
  check test -d "$MYDOCKER_ROOT/layers/${out#sha256:}"
  same '' "$(cd "$MYDOCKER_ROOT/layers/${out#sha256:}" && ls -d proc sys dev etc/hosts etc/hostname etc/resolv.conf 2>/dev/null)" 'our mount points in the layer'
  same 0 "$(find "$MYDOCKER_ROOT/layers/${out#sha256:}" -name '.wh.*' | wc -l)" 'whiteouts by name in the unpacked layer'
  gone_with bird

begin "the container's settings over the image's, and --change over both"
  run mydocker create --name egg -e COLOUR=red -e SHAPE=egg -w /tmp -u daemon --label a=b --stop-signal SIGUSR1 -v /data busybox sh -c 'echo $COLOUR; pwd; id -un'
  run mydocker commit -a 'A Bird' -m 'a nest' -c 'ENV SHAPE=round' -c 'LABEL c=d' --change 'EXPOSE 80' egg nest:1
  exits 0
  run mydocker run --rm nest:1
  exits 0; prints $'red\n/tmp\ndaemon'
  run mydocker run --rm nest:1 sh -c 'echo $SHAPE'
  prints round
  of '{{.Author}}, {{.Comment}}, {{.Config.User}}, {{.Config.WorkingDir}}, {{.Config.StopSignal}}, {{json .Config.Cmd}}, {{json .Config.Labels}}, {{json .Config.Volumes}}' nest:1
  prints 'A Bird, a nest, daemon, /tmp, SIGUSR1, ["sh","-c","echo $COLOUR; pwd; id -un"], {"a":"b","c":"d"}, {"/data":{}}'
  run mydocker create --name chick --entrypoint echo nest:1 hi
  run mydocker commit -c 'CMD ["bye"]' chick nest:2
  run mydocker run --rm -u root nest:2
  prints bye
  # Two empty layers are the same one.
  of '{{len .RootFS.Layers}}' nest:2
  prints 3
  run mydocker commit -c 'RUN x' chick nest:3
  exits 1; one_line; says 'RUN x'
  refuse mydocker inspect nest:3
  gone_with egg chick

begin 'one that runs stands still meanwhile, and goes on; with -p=false it does not'
  run mydocker run -d --name bird busybox sh -c 'n=0; echo up; while :; do n=$((n + 1)); echo $n >/one.new; mv /one.new /one; echo $n >/two.new; mv /two.new /two; done'
  up bird
  for flag in '' '' -p=false; do
    run mydocker commit $flag bird nest:moving
    exits 0; quiet
    run mydocker run --rm nest:moving cat /one /two
    exits 0
  done
  of '{{.State.Status}}' bird
  prints running
  before=$(mydocker diff bird >/dev/null; cat "$(echo "$MYDOCKER_ROOT"/containers/*)/upper/one")
  eventually 10 sh -c "[ \"\$(cat '$MYDOCKER_ROOT'/containers/*/upper/one)\" != '$before' ]" || fail 'it does not go on'
  run mydocker pause bird
  run mydocker commit bird nest:paused
  exits 0
  of '{{.State.Status}}' bird
  prints paused
  run mydocker unpause bird
  gone_with bird

begin 'layer upon layer: what one has deleted the next can have again'
  run mydocker run -d --name l1 busybox sh -c 'mkdir /dir; echo 1 >/dir/a; echo 1 >/dir/b'
  run mydocker wait l1
  run mydocker commit l1 tower:1
  run mydocker run -d --name l2 tower:1 sh -c 'rm -r /dir; mkdir /dir; echo 2 >/dir/c'
  run mydocker wait l2
  run mydocker commit l2 tower:2
  run mydocker run -d --name l3 tower:2 sh -c 'echo 3 >/dir/a; rm /dir/c; rm /etc/passwd'
  run mydocker wait l3
  run mydocker commit l3 tower:3
  exits 0
  run mydocker run --rm tower:1 sh -c 'cd /dir && tail -n 1 *'
  exits 0
  run mydocker run --rm tower:2 ls /dir
  prints c
  run mydocker run --rm -u 0 tower:3 sh -c 'ls /dir; cat /dir/a; ls /etc/passwd'
  exits 1; prints $'a\n3'
  gone_with l1 l2 l3

begin 'one that was never started; no such container; a name that is none; a directory as image'
  run mydocker create --name egg busybox true
  run mydocker commit egg
  exits 0
  run mydocker commit nobody nest
  exits 1; one_line; says 'such container: nobody'
  run mydocker commit egg Nest
  exits 1; one_line; says 'invalid reference format'
  mkdir -p dir/bin && cp /bin/busybox dir/bin
  run mydocker create --name plain ./dir /bin/busybox true
  run mydocker commit plain nest
  exits 1; one_line; says 'was made of a directory'
  same '' "$(ls -A "$MYDOCKER_ROOT/layers" | grep '^\.')" 'what is half there'
  gone_with egg plain

begin 'of one that exchanges directories with symlinks meanwhile: nothing of the host'
  tool race
  mkdir canary && echo host >canary/file
  run mydocker run -d --name bird -v "$tool_path:/race:ro" busybox sh -c "mkdir -p /w/dir; echo inside >/w/dir/file; ln -s '$T/canary' /w/link; exec /race exchange /w/dir /w/link"
  exits 0
  eventually 20 sh -c "'$MYDOCKER' logs bird | grep -q ready" || fail 'it never began'
  for n in {1..15}; do
    run mydocker commit -p=false bird raced
    if active && [ "$code" != 0 ]; then one_line; fi
    run mydocker export bird
    exits 0
    same '' "$(tar -xOf "$T/out" w 2>/dev/null | grep -xa host)" 'what an export has of the host'
  done
  same '' "$(find "$MYDOCKER_ROOT/layers" -type f -size -2 -exec grep -lx host {} + 2>/dev/null)" 'what the layers have of the host'
  gone_with bird
