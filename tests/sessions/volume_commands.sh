# volume create, ls, inspect, rm and prune. The reference is docker volume (20.10 and 28).

begin 'a volume is made, and made again'
  run mydocker volume create things; exits 0; quiet; prints things
  check test -d "$MYDOCKER_ROOT/volumes/things/_data"
  run mydocker volume create things; exits 0; prints things
  run mydocker volume ls
  exits 0; prints $'DRIVER    VOLUME NAME\nlocal     things'

begin 'without a name it gets 64 digits'
  run mydocker volume create; exits 0
  same 64 "${#out}"
  nameless=$out

begin 'names that are none'
  for name in a/b .. . -x /x 'a b' x ''; do
    run mydocker volume create -- "$name"
    exits 1; one_line; says 'includes invalid characters for a local volume name'
    run mydocker volume inspect -- "$name"; exits 1; prints '[]'
    run mydocker volume rm -- "$name"; exits 1; says 'no such volume'
  done
  check test -d "$MYDOCKER_ROOT/volumes"

begin 'labels, and filters'
  run mydocker volume create --label tier=front --label 'b=x=y' one; exits 0
  run mydocker volume inspect -f '{{json .Labels}}' one; prints '{"b":"x=y","tier":"front"}'
  run mydocker volume ls -q --filter label=tier; prints one
  run mydocker volume ls -q --filter label=tier=back; prints ''
  run mydocker volume ls -q --filter name=hing; prints things
  run mydocker volume ls --format '{{.Driver}} {{.Name}} {{.Labels}}' --filter name=one; prints 'local one tier=front,b=x=y'
  run mydocker volume ls --filter nosuch=1; exits 1; says "invalid filter 'nosuch'"

begin 'what a container writes is there, where inspect says'
  run mydocker run -v things:/data busybox sh -c 'echo kept >/data/file'; exits 0
  same kept "$(cat "$("$MYDOCKER" volume inspect -f '{{.Mountpoint}}' things)/file")"
  same things "$("$MYDOCKER" inspect -f '{{.Name}}' things)"

begin 'in use by a container, whether it runs or not, it cannot be removed'
  run mydocker create --name bird -v things:/data busybox true; exits 0; id=$out
  run mydocker volume rm things
  exits 1; one_line; says "remove things: volume is in use - [$id]"
  run mydocker volume rm -f things; exits 1
  same kept "$(cat "$MYDOCKER_ROOT/volumes/things/_data/file")"
  run mydocker volume ls -q --filter dangling=false; prints things
  run mydocker volume ls -q --filter dangling=true; prints "$(printf '%s\n' "$nameless" one | LC_ALL=C sort)"
  run mydocker rm bird; exits 0

begin 'nor by one in the foreground'
  mkfifo held
  "$MYDOCKER" run -i --name front --mount type=volume,src=things,dst=/data busybox cat <held >/dev/null &
  exec 7>held
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -q -f name=front)" ]; then break; fi; sleep 0.1; done
  run mydocker volume rm things; exits 1; says 'volume is in use'
  run mydocker volume prune -af; exits 0; lacks things
  exec 7>&-
  wait
  check test -e "$MYDOCKER_ROOT/volumes/things/_data/file"

begin 'nor by one whose command line cannot be read again'
  mkfifo held2; echo A=b >variables
  "$MYDOCKER" run -i -v things:/data --env-file variables busybox cat <held2 >/dev/null &
  exec 7>held2
  for _ in {1..50}; do if [ "$("$MYDOCKER" ps -q)" ]; then break; fi; sleep 0.1; done
  rm variables
  run mydocker volume rm things; exits 1; says 'volume is in use'
  exec 7>&-
  wait

begin 'prune: those that nobody uses, and nobody has named'
  run mydocker create --name bird -v one:/data busybox true; exits 0
  run mydocker volume create two; nameless=$("$MYDOCKER" volume create)
  run mydocker volume prune
  exits 0; contains 'WARNING! This will remove anonymous local volumes not used by at least one container.'; contains '[y/N]'
  check test -d "$MYDOCKER_ROOT/volumes/$nameless"
  run mydocker volume prune -f
  exits 0; prints $'Deleted Volumes:\n'"$nameless"$'\n\nTotal reclaimed space: 0B'
  check test -d "$MYDOCKER_ROOT/volumes/two"
  feed $'y\n'
  run mydocker volume prune -a; exits 0; contains two; contains things; contains 'Total reclaimed space: 5B'
  run mydocker volume ls -q; prints one
  run mydocker rm bird

begin 'prune: what is left of a volume by who was killed'
  mkdir -p "$MYDOCKER_ROOT/volumes/.gone-old/_data/x"
  run mydocker volume prune -f; exits 0
  check test ! -e "$MYDOCKER_ROOT/volumes/.gone-old"

begin 'rm: several, one of them missing'
  "$MYDOCKER" volume create a1 >/dev/null; "$MYDOCKER" volume create a2 >/dev/null
  run mydocker volume rm a1 nosuch a2
  exits 1; one_line; says 'get nosuch: no such volume'; prints $'a1\na2'
  run mydocker volume rm -f nosuch; exits 0; prints nosuch; quiet
  run mydocker volume rm one; exits 0

begin 'an immutable file, and a mount from outside'
  "$MYDOCKER" volume create odd >/dev/null
  at=$MYDOCKER_ROOT/volumes/odd/_data
  mkdir -p "$at/mnt" outside && echo precious >outside/file
  mount --bind outside "$at/mnt"
  run mydocker volume rm odd
  exits 1; one_line; says EBUSY
  same precious "$(cat outside/file)"
  umount "$MYDOCKER_ROOT/volumes/.gone-odd/_data/mnt" 2>/dev/null || umount "$at/mnt"
  "$MYDOCKER" volume create odd >/dev/null
  run mydocker volume rm odd; exits 0
  same '' "$(ls -A "$MYDOCKER_ROOT/volumes")" 'what is left'

begin 'a volume that is removed while a container starts with it: in use, or gone before and made anew'
  wrong=
  for _ in {1..15}; do
    "$MYDOCKER" volume create race >/dev/null
    rm -f held && mkfifo held
    "$MYDOCKER" run -i -v race:/data busybox sh -c 'echo x >/data/file; read -r; cat /data/file' <held >got 2>&1 &
    exec 7>held
    "$MYDOCKER" volume rm race >/dev/null 2>&1
    echo >&7
    exec 7>&-
    wait
    if [ "$(cat got "$MYDOCKER_ROOT/volumes/race/_data/file" 2>&1)" != $'x\nx' ]; then wrong=$(cat got); fi
  done
  same '' "$wrong"
  "$MYDOCKER" volume rm -f race >/dev/null

begin 'create makes the volume, and a start fills it from the image'
  run mydocker create --name bird -v etc:/etc busybox true; exits 0
  run mydocker volume ls -q; prints etc
  run mydocker start -a bird; exits 0
  check test -s "$MYDOCKER_ROOT/volumes/etc/_data/passwd"
  "$MYDOCKER" rm bird >/dev/null; "$MYDOCKER" volume rm etc >/dev/null
