# inspect, of containers, images and volumes. The reference is docker inspect (20.10 and 28).
. "$TESTS/tools/host.sh"

# of PATH: what is there in the JSON that came, itself as JSON.
of() { perl -MJSON::PP -e 'my $json = JSON::PP->new->ascii->canonical->allow_nonref; my $at = $json->decode(do { local $/; open my $in, "<", $ARGV[0]; <$in> });
    for (split / /, $ARGV[1]) { $at = ref $at eq "ARRAY" ? $at->[$_] : $at->{$_} } print $json->encode($at)' "$T/out" "$1"; }
is() { if active; then same "$2" "$(of "$1")" "$1"; fi; }

mkdir -p here

begin 'a container: what it was made with'
  run mydocker create --name bird --hostname nest -e A=b -w /tmp -u 1000 --label tier=front --label x -v things:/data -v "$T/here:/host:ro" \
    -v /scratch -m 64m --cpus 1.5 --pids-limit 20 --read-only --cap-add SYS_ADMIN --cap-drop CHOWN --security-opt no-new-privileges \
    --restart on-failure:3 --ulimit nofile=10:20 --stop-signal USR1 --shm-size 1m --oom-score-adj 7 busybox sh -c 'echo "hi"'
  exits 0; id=$out
  run mydocker inspect bird
  exits 0; quiet
  same '    {' "$(sed -n 2p "$T/out")" 'the second line'
  same "        \"Id\": \"$id\"," "$(sed -n 3p "$T/out")" 'the third line'
  is '0 Path' '"sh"'; is '0 Args' '["-c","echo \"hi\""]'; is '0 Name' '"/bird"'; is '0 RestartCount' 0
  is '0 Config Hostname' '"nest"'; is '0 Config Env' '["A=b"]'; is '0 Config WorkingDir' '"/tmp"'; is '0 Config User' '"1000"'
  is '0 Config Cmd' '["sh","-c","echo \"hi\""]'; is '0 Config Entrypoint' null; is '0 Config Image' '"busybox"'
  is '0 Config Labels' '{"tier":"front","x":""}'; is '0 Config Tty' false
  is '0 HostConfig Memory' 67108864; is '0 HostConfig MemorySwap' 134217728; is '0 HostConfig NanoCpus' 1500000000
  is '0 HostConfig PidsLimit' 20; is '0 HostConfig ReadonlyRootfs' true; is '0 HostConfig ShmSize' 1048576
  is '0 HostConfig CapAdd' '["CAP_SYS_ADMIN"]'; is '0 HostConfig CapDrop' '["CAP_CHOWN"]'; is '0 HostConfig Privileged' false
  is '0 HostConfig SecurityOpt' '["no-new-privileges"]'; is '0 HostConfig OomScoreAdj' 7
  is '0 HostConfig RestartPolicy' '{"MaximumRetryCount":3,"Name":"on-failure"}'
  is '0 HostConfig Ulimits' '[{"Hard":20,"Name":"nofile","Soft":10}]'
  is '0 Mounts 0 Name' '"things"'; is '0 Mounts 0 Type' '"volume"'; is '0 Mounts 0 Source' "\"$MYDOCKER_ROOT/volumes/things/_data\""
  is '0 Mounts 1' "{\"Destination\":\"/host\",\"Mode\":\"ro\",\"Propagation\":\"rprivate\",\"RW\":false,\"Source\":\"$T/here\",\"Type\":\"bind\"}"
  is '0 Mounts 2 Destination' '"/scratch"'; is '0 Mounts 2 Type' '"volume"'
  is '0 State Status' '"created"'; is '0 State Running' false; is '0 State Pid' 0; is '0 State StartedAt' '"0001-01-01T00:00:00Z"'

begin 'by a template'
  run mydocker inspect -f '{{.Name}} {{.State.Status}} {{json .Config.Env}} {{index .Config.Labels "tier"}}' bird
  exits 0; quiet; prints '/bird created ["A=b"] front'
  run mydocker inspect --format '{{range .Mounts}}{{.Type}} {{.Destination}};{{end}}{{len .Mounts}}' "${id:0:12}"
  exits 0; prints 'volume /data;bind /host;volume /scratch;3'
  run mydocker inspect --format '{{if .State.Running}}up{{else}}down{{end}}' bird; exits 0; prints down
  run mydocker inspect --format '{{.Args}}' bird; prints '[-c echo "hi"]'
  # As a shell passes it: only a list's format has \t for a tab.
  run mydocker inspect --format '{{.Name}}\t' bird; prints '/bird\t'

begin 'json: in one line'
  run mydocker inspect -f json bird busybox
  exits 0; same 1 "$(wc -l <"$T/out")"; is '0 Name' '"/bird"'; is '1 Os' '"linux"'

begin 'what a running one is'
  run mydocker run -d --name runs busybox sh -c 'echo written >/file; sleep 60'; exits 0
  run mydocker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}}' runs; prints 'running true 0'
  pid=$("$MYDOCKER" inspect -f '{{.State.Pid}}' runs)
  if active; then same "$(readlink "/proc/$pid/exe" | sed 's,.*/,,')" busybox 'the program of PID 1'; fi
  for _ in {1..50}; do if [ "$("$MYDOCKER" inspect -s -f '{{.SizeRw}}' runs)" = 8 ]; then break; fi; sleep 0.1; done
  run mydocker inspect -s -f '{{.SizeRw}}' runs; prints 8
  run mydocker inspect -f '{{.SizeRw}}' runs; exits 1

begin 'and one that has ended'
  run mydocker stop -t 0 runs; exits 0
  run mydocker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.Pid}}' runs; prints 'exited false 137 0'

begin 'an image'
  run mydocker inspect busybox
  exits 0; is '0 RepoTags' '["busybox:latest"]'; is '0 Os' '"linux"'; is '0 RootFS Type' '"layers"'
  same "$("$MYDOCKER" inspect -f '{{.Image}}' bird)" "$("$MYDOCKER" inspect -f '{{.Id}}' busybox)" "the image's id"
  run mydocker image inspect -f '{{len .RootFS.Layers}}' busybox; prints 1

begin 'a volume'
  run mydocker volume create --label a=b pile
  run mydocker inspect pile
  exits 0; is '0 Name' '"pile"'; is '0 Labels' '{"a":"b"}'; is '0 Mountpoint' "\"$MYDOCKER_ROOT/volumes/pile/_data\""

begin 'of several those that there are; 1 if one is missing'
  run mydocker inspect -f '{{.Name}}' bird nobody runs
  exits 1; one_line; says 'no such object: nobody'; prints $'/bird\n/runs'
  run mydocker inspect nobody
  exits 1; one_line; prints '[]'

begin 'of one kind only'
  run mydocker inspect --type container busybox; exits 1; says 'no such container: busybox'
  run mydocker inspect --type image bird; exits 1; says 'no such image: bird'
  run mydocker container inspect busybox; exits 1; says 'no such container: busybox'
  run mydocker inspect --type tree bird; exits 1; one_line

begin 'what is wrong with a template'
  run mydocker inspect -f '{{.NoSuch}}' bird
  exits 1; one_line; says "template parsing error: template: :1:2: executing \"\" at <.NoSuch>: map has no entry for key \"NoSuch\""
  run mydocker inspect -f '{{.Name' bird
  exits 64; one_line; says 'template parsing error: template: :1: unclosed action'
  run mydocker inspect -f '{{with .Name}}' bird
  exits 64; one_line
  run mydocker inspect -f '{{range .Mounts}}' bird; exits 64

begin 'bytes that are no text are still JSON'
  run mydocker create --name odd --label $'a\xff"=\x01\n' busybox $'\xe4'; exits 0
  run mydocker inspect odd
  exits 0; is '0 Config Labels' '{"a\ufffd\"":"\u0001\n"}'

begin 'one that ends while it is looked at was running, or has ended as it did'
  need strace
  # Between the look at what is written and the one at whether its supervisor is there: the last flock of inspect.
  look() { strace -qq -o calls -e trace=flock "$@" "$MYDOCKER" inspect -f '{{.State.Status}} {{.State.ExitCode}}' ends; }
  for how in --name=ends --rm; do
    "$MYDOCKER" run -d $how --name=ends busybox sh -c 'trap "exit 6" TERM; echo ready; while :; do sleep 0.05; done' >/dev/null
    eventually 5 sh -c "'$MYDOCKER' logs ends | grep -q ready"
    look >/dev/null
    last=$(grep -c flock calls)
    rm calls
    look -e "inject=flock:delay_enter=2000000:when=$last" >looked 2>&1 &
    looks=$!
    eventually 5 sh -c "[ \"\$(grep -c flock calls 2>/dev/null)\" = $last ]"
    "$MYDOCKER" stop ends >/dev/null
    wait $looks
    if [ $how = --rm ]; then same 'running 0' "$(<looked)"; else same 'exited 6' "$(<looked)"; fi
    "$MYDOCKER" rm -f ends >/dev/null 2>&1
  done

begin 'one in the foreground'
  mkfifo held
  "$MYDOCKER" run -i --name front -e A=b --rm busybox cat <held >/dev/null &
  exec 7>held
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -q -f name=front)" ]; then break; fi; sleep 0.1; done
  run mydocker inspect -f '{{.Name}} {{.State.Status}} {{json .Config.Env}} {{json .Config.Cmd}} {{.HostConfig.AutoRemove}}' front
  exits 0; prints '/front running ["A=b"] ["cat"] true'
  exec 7>&-
  wait

"$MYDOCKER" rm -f bird runs odd >/dev/null
