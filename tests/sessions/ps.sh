# ps, and what --format and --filter make of it. The reference is docker ps (20.10 and 28).

# forget NAME...: they are gone, however they are.
forget() { "$MYDOCKER" rm -f "$@" >/dev/null 2>&1; }
ids() { local name; for name; do "$MYDOCKER" inspect -f '{{.Id}}' "$name"; done; }

begin 'nothing: the columns'
  run mydocker ps
  exits 0; quiet; prints 'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES'

begin 'a container that was created is shown with -a only'
  run mydocker create --name bird busybox echo hello there; exits 0
  id=$out
  run mydocker ps -q; exits 0; prints ''
  run mydocker ps -aq; exits 0; prints "${id:0:12}"
  run mydocker ps -aq --no-trunc; exits 0; prints "$id"
  run mydocker ps -a --format '{{.ID}} {{.Image}} {{.Command}} {{.State}} {{.Status}} {{.Names}}.'
  exits 0; prints "${id:0:12} busybox \"echo hello there\" created Created bird."

begin 'the columns are as wide as what is in them, and ten at least'
  run mydocker ps -a --format 'table {{.Names}}\t{{.Command}}\t{{.Image}}'
  exits 0; prints $'NAMES     COMMAND              IMAGE\nbird      "echo hello there"   busybox'

begin 'json, a row a line'
  run mydocker ps -a --format json
  exits 0
  same bird "$(perl -MJSON::PP -e 'local $/; print decode_json(<STDIN>)->{Names}' <<<"$out")"
  same "$out" "$("$MYDOCKER" ps -a --format '{{json .}}')"

begin 'a long command is cut'
  run mydocker create --name long busybox echo one two three four five; exits 0
  run mydocker ps -l --format '{{.Command}}'; prints '"echo one two three …"'
  run mydocker ps -l --no-trunc --format '{{.Command}}'; prints '"echo one two three four five"'

begin 'the last one first; -n and -l'
  run mydocker ps -a --format '{{.Names}}'; prints $'long\nbird'
  run mydocker ps -n 1 --format '{{.Names}}'; prints long
  run mydocker ps -n 5 --format '{{.Names}}'; prints $'long\nbird'
  run mydocker ps -l --format '{{.Names}}'; prints long
  run mydocker ps -n -1 --format '{{.Names}}'; exits 0; prints ''
  run mydocker ps -n x; exits 125; one_line

begin 'what a container wrote cannot reach the terminal, nor break the table'
  run mydocker create --name odd busybox $'a\nb\tc\e[31m'; exits 0
  run mydocker ps -l --format 'table {{.Names}}\t{{.Command}}'
  same 2 "$(wc -l <"$T/out")"
  lacks $'\e'
  forget odd

begin 'filters: of one name either, of several all'
  run mydocker create --name ant --label tier=front --label x busybox true; exits 0
  run mydocker create --name antelope --label tier=back -v things:/data busybox true; exits 0
  names() { run mydocker ps -a --format '{{.Names}}' "$@"; }
  names --filter name=ant; prints $'antelope\nant'
  names -f name=^ant$; prints ant
  names -f name=^/ant$; prints ant
  names -f name=ant -f name=bird; prints $'antelope\nant\nbird'
  names -f label=tier; prints $'antelope\nant'
  names -f label=tier=front; prints ant
  names -f label=tier -f label=x; prints ant
  names -f label=tie; prints ''
  names -f label=tier -f name=lope; prints antelope
  names -f status=created -f name=bird; prints bird
  names -f status=running; prints ''
  names -f ancestor=busybox:latest -f name=bird; prints bird
  names -f ancestor=alpine; prints ''
  names -f volume=things; prints antelope
  names -f volume=/data; prints antelope
  names -f id="${id:0:12}"; prints bird
  names -f before=ant; prints $'long\nbird'
  names -f since=ant; prints antelope

begin 'filters that are none'
  run mydocker ps --filter nosuch=1; exits 1; says "invalid filter 'nosuch'"
  run mydocker ps --filter status=sleeping; exits 1; says "invalid filter 'status=sleeping'"
  run mydocker ps --filter name; exits 125; says 'bad format of filter (expected name=value)'

begin 'labels'
  run mydocker ps -a -f name=^ant$ --format '{{.Labels}} {{.Label "tier"}} [{{.Label "none"}}]'
  exits 0; prints 'tier=front,x= front []'

begin 'a field that is none'
  run mydocker ps -a --format '{{.Nosuch}}'
  exits 1; one_line; says "template: :1:2: executing \"\" at <.Nosuch>: can't evaluate field Nosuch"

begin 'one that runs, and one that has ended'
  run mydocker run -d --name runs busybox sleep 60; exits 0
  run mydocker ps --format '{{.Names}} {{.State}} {{.Status}}'; exits 0
  contains 'runs running Up '
  run mydocker run -d --name ends busybox sh -c 'exit 3'; exits 0
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -aq -f name=ends -f exited=3)" ]; then break; fi; sleep 0.1; done
  run mydocker ps -a -f exited=3 --format '{{.Names}} {{.State}} {{.Status}}'
  contains 'ends exited Exited (3) '

begin 'one that is paused'
  if active && ! "$MYDOCKER" pause runs >/dev/null 2>"$T/why"; then skip "$(head -n 1 "$T/why")"; fi
  run mydocker ps -f status=paused --format '{{.Names}} {{.State}} {{.Status}}'; exits 0
  contains 'runs paused Up '; contains '(Paused)'
  run mydocker inspect -f '{{.State.Status}} {{.State.Running}} {{.State.Paused}}' runs; prints 'paused true true'
  if active; then "$MYDOCKER" unpause runs >/dev/null; fi
  run mydocker ps -q -f status=paused; prints ''

begin 'one in the foreground'
  mkfifo held
  "$MYDOCKER" run -i --name front -e A=b busybox cat <held >/dev/null &
  exec 7>held
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -q -f name=front)" ]; then break; fi; sleep 0.1; done
  run mydocker ps -f name=front --format '{{.Names}} {{.Image}} {{.Command}}'; exits 0; prints 'front busybox "cat"'
  exec 7>&-
  wait
  run mydocker ps -aq -f name=front; prints ''

begin 'how much it has written'
  run mydocker run -d --name writes busybox sh -c 'dd if=/dev/zero of=/file bs=1000 count=5 2>/dev/null; ln /file /again; sleep 60'
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -s -f name=writes --format '{{.Size}}' | cut -c 1)" = 5 ]; then break; fi; sleep 0.1; done
  run mydocker ps -s -f name=writes --format '{{.Size}}'
  exits 0; contains '5kB (virtual '

forget runs ends writes bird long ant antelope
