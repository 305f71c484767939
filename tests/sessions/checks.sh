# The checks of `make check` that read the sources, and the one that reads the program: each finds what it is for.

# sources: a copy of what they read, in copy/.
sources() {
  rm -rf copy
  mkdir -p copy/tests/fuzz
  cp -r "$TESTS/../src" "$TESTS/../build.rs" "$TESTS/../Cargo.toml" "$TESTS/../Cargo.lock" "$TESTS/../LICENSE-THIRD-PARTY" copy/
  cp "$TESTS"/fuzz/*.rs "$TESTS"/fuzz/Cargo.* copy/tests/fuzz/
}

begin 'unsafe: the sources are as they should be'
sources
run "$TESTS/unsafe" copy
exits 0
quiet

# planted FILE LINE: with that line at the file's end, the check fails and shows it.
planted() {
  begin "unsafe: '$2' in $1 is found"
  sources
  printf '%s\n' "$2" >>"copy/$1"
  run "$TESTS/unsafe" copy
  exits 1
  says "$1"
}
planted src/run.rs 'fn f(p: *const u8) -> u8 { unsafe { *p } }'
planted src/tar/gzip.rs 'fn f(p: *const u8) -> u8 { unsafe { *p } } // https://x'
planted src/cli/kind.rs '#[allow(unsafe_code)] mod x {}'
planted src/main.rs '#![allow(clippy::undocumented_unsafe_blocks)]'
planted src/sys/fd.rs '#![allow(clippy::undocumented_unsafe_blocks)]'
planted src/plan.rs 'core::arch::global_asm!("nop");'
planted src/plan.rs '#[unsafe(no_mangle)] fn f() {}'
planted src/plan.rs '#[no_mangle] fn f() {}'
planted src/plan.rs 'extern "C" { fn getpid() -> i32; }'
planted src/plan.rs '#[path = "../tests/other.rs"] mod other;'
planted src/plan.rs 'include!("/tmp/other.rs");'
planted build.rs 'fn f(p: *const u8) -> u8 { unsafe { *p } }'
planted tests/fuzz/jail.rs 'fn f(p: *const u8) -> u8 { unsafe { *p } }'

begin 'unsafe: a lint that is no longer denied is missed'
sources
sed -i '/^unsafe_code/d' copy/Cargo.toml
run "$TESTS/unsafe" copy
exits 1
says unsafe_code

# changed WHAT SED FILE SAYS: a lock file that is not as it should be.
changed() {
  begin "dependencies: $1"
  sources
  sed -i "$2" "copy/$3"
  run "$TESTS/dependencies" copy
  exits 1
  says "$4"
}
changed 'a crate from git' '/^name = "libc"/,/^$/s|^source = .*|source = "git+https://example.org/libc#0"|' Cargo.lock 'libc is from git'
changed 'a crate without a checksum' '/^name = "libc"/,/^$/{/^checksum/d}' Cargo.lock 'libc has no checksum'
changed 'a version that an advisory is about' '/^name = "sha2"/,/^$/s/^version = .*/version = "0.9.7"/' Cargo.lock RUSTSEC-2021-0100
changed 'a crate whose advisories nobody has looked up' 's/^name = "shlex"/name = "shlax"/' tests/fuzz/Cargo.lock 'shlax is not in'

# program: mydocker with its symbols, as it was linked: but for what the header says of sections, the same bytes.
program=$TESTS/../target/x86_64-unknown-linux-musl/release/mydocker
binutils() { command -v objdump >/dev/null || { skip 'no objdump (package binutils)'; return 1; }; }

begin 'cold: the child executes nothing that it has not copied'
  if binutils; then
    if [ ! -f "$program" ] || ! cmp -s -i 64 -n $(($(stat -c %s "$MYDOCKER") - 64)) "$program" "$MYDOCKER"; then
      skip 'this mydocker was not built here: its symbols are not known'
    else
      run "$TESTS/cold" "$program"
      exits 0; quiet; contains 'none of them cold'
    fi
  fi

# comes HOW DEFINED CODE ANSWER: the check's answer where the child comes like that to what it does not copy.
comes() {
  begin "cold: by $1"
  if ! binutils; then return; fi
  if ! command -v gcc >/dev/null; then skip 'no gcc for tests/tools/cold.c'; return; fi
  check gcc -O2 -static -no-pie -fno-pie -D"$2" -o child "$TESTS/tools/cold.c"
  run "$TESTS/cold" child
  exits "$3"; quiet; contains "$4"
}
comes 'nothing' NONE 0 'none of them cold'
comes 'a call' CALL 1 'the child can come to copy::tree'
comes 'a jump at the end' JUMP 1 'the child can come to copy::tree'
comes 'a pointer' POINTER 1 'the child can come to copy::tree'
comes 'a pointer in a table' TABLE 1 'the child can come to copy::tree'
