# What goes in and out without a terminal: whole, in order, or an error.
. "$TESTS/tools/host.sh"

begin 'output that cannot be delivered is an error, whatever the command says'
run sh -c '"$MYDOCKER" run /bin/echo lost >/dev/full'
exits 125
says ENOSPC
one_line

begin 'a file that gets full in the middle is an error too'
mkdir small && mount -t tmpfs -o size=64k small small
run sh -c '"$MYDOCKER" run /bin/head -c 100000 /dev/zero >small/a'
exits 125
says ENOSPC
umount small

begin 'standard output and error in one file keep their order'
for _ in 1 2 3 4 5 6 7 8 9 10; do
  run sh -c '"$MYDOCKER" run /bin/sh -c "for i in 1 2 3 4; do echo out \$i; echo err \$i >&2; done" >both 2>&1'
  same $'out 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\nout 4\nerr 4' "$(<both)" 'the file'
done

begin 'in two files each gets its own'
run sh -c '"$MYDOCKER" run /bin/sh -c "echo out; echo err >&2" >o 2>e'
same out "$(<o)" 'standard output'
same err "$(<e)" 'standard error'

begin 'a file that was opened for reading cannot be opened for writing inside'
echo mine >read-only
chmod 444 read-only
run sh -c '"$MYDOCKER" run -i /bin/sh -c "cat; echo theirs >/proc/self/fd/0" <read-only'
contains mine
same mine "$(<read-only)" 'the file'

begin 'a directory as standard input leads nowhere'
run sh -c '"$MYDOCKER" run -i /bin/ls /proc/self/fd/0/../../.. </'
if [ "$code" = 0 ]; then fail 'expected ls to fail' "$(<"$T/out")"; fi

begin 'a pipe is passed as it is: no bytes through the supervisor'
run sh -c 'echo through | "$MYDOCKER" run -i /bin/readlink /proc/self/fd/0 | cat'
contains pipe:
