# diff: what a container has added, changed and deleted. What must come is what docker (20.10, overlay2) said of the same
# commands; it lists the top directory in no order, so there the lines are compared sorted.
. "$TESTS/tools/host.sh"
gone_with() { run mydocker rm -f "$@"; exits 0; }

begin 'of one that was never started: nothing'
  run mydocker create --name egg busybox true
  exits 0
  run mydocker diff egg
  exits 0; quiet; prints ''
  gone_with egg

begin 'added, changed, deleted, replaced; what is as it was before is not there, nor what we mount on'
  run mydocker create --name base busybox sh -c 'mkdir -p /data/deep/er /gone/below /opq/x /moved; echo one >/data/one; echo two >/data/two
    echo f >/data/deep/er/f; echo a >/opq/a; echo m >/moved/m; ln -s /data/one /link; touch -d "2001-01-01 00:00:00" /old /same; echo k >/kept'
  run mydocker start -a base
  exits 0
  run mydocker commit base nest
  exits 0
  cat >script <<'SH'
echo new >/data/new
echo more >>/data/one
rm /data/two
chmod 700 /data/deep/er
rm -r /gone
rm -r /opq; mkdir /opq; echo a >/opq/a
mv /moved /renamed
mkdir -p /z/y; echo f >/z/y/f
mkfifo /z/fifo
ln /data/new /z/hard
rm /link; mkdir /link; echo in >/link/in
rm /old; mkdir /old
touch /same; touch -d "2001-01-01 00:00:00" /same
chmod 600 /kept; chmod 644 /kept
echo x >/tmp/x
chown 7 /home
SH
  run mydocker run -d --name bird -v /vol/ume -v "$T/script:/script:ro" nest sh /script
  exits 0
  run mydocker wait bird
  prints 0
  run mydocker diff bird
  exits 0; quiet
  same "A /data/new
A /link/in
A /renamed
A /renamed/m
A /script
A /tmp/x
A /vol
A /vol/ume
A /z
A /z/fifo
A /z/hard
A /z/y
A /z/y/f
C /data
C /data/deep
C /data/deep/er
C /data/one
C /home
C /link
C /old
C /opq
C /opq/a
C /tmp
D /data/two
D /gone
D /moved
D /opq/x" "$(sort "$T/out")" 'the changes'
  # A directory comes before what is in it.
  same 'C /data C /data/deep C /data/deep/er A /data/new C /data/one D /data/two' "$(grep data "$T/out" | paste -sd ' ')"

begin 'as it runs; and a name with a line break cannot forge a line'
  gone_with bird
  run mydocker run -d --name bird busybox sh -c 'touch "/a
D passwd"; sleep 1000'
  exits 0
  eventually 10 sh -c "'$MYDOCKER' diff bird | grep -q '^A /a'" || fail 'it never made its file'
  run mydocker diff bird
  prints 'A /a\nD passwd'
  gone_with bird

begin 'of a layer above another with an opaque directory: what is copied up from there is not opaque'
  run mydocker run --name one busybox sh -c 'mkdir /dir; touch /dir/below'
  run mydocker run -d --keep --name one busybox sh -c 'mkdir /dir; touch /dir/below'
  run mydocker wait one
  run mydocker commit one nest:1
  exits 0
  run mydocker run -d --name two nest:1 sh -c 'rm -r /dir; mkdir /dir; touch /dir/above'
  run mydocker wait two
  run mydocker commit two nest:2
  exits 0
  run mydocker run -d --name three nest:2 touch /dir/top
  run mydocker wait three
  run mydocker diff three
  prints $'C /dir\nA /dir/top'
  gone_with one two three

begin 'no such container; no word'
  run mydocker diff nobody
  exits 1; one_line; says 'such container: nobody'
  run mydocker diff
  exits 1; one_line
  gone_with base
