# mydocker: `make run` and `make test` are all one needs; `make help` lists the rest.
TARGET  ?= x86_64-unknown-linux-musl
PREFIX  ?= /usr/local
DESTDIR ?=
OUT     := target/$(TARGET)/release/mydocker
SOURCES := $(shell find src -name '*.rs' -o -name '*.ld') build.rs Cargo.toml Cargo.lock Makefile

# Debian's toolchain builds std itself, without its panic machinery; see docs/adr/0001-no-std-main.md. Where it isn't
# installed (and cannot be, see tests/deps), an installed musl target will do: the binary is larger then.
RUST    := /usr/bin
STD_SRC := $(firstword $(wildcard /usr/lib/rustlib/src/rust/library/std/Cargo.toml /usr/src/rustc-*/library/std/Cargo.toml))
LINK    := -Wl,--gc-sections,--sort-section=alignment,--build-id=none,-z,norelro,-z,noseparate-code,--no-eh-frame-hdr
COMMON  := -Clinker=musl-gcc -Clink-self-contained=no -Ctarget-feature=+crt-static -Crelocation-model=static \
           -L $(CURDIR)/target/link -Clink-arg=-Wl,-T,$(CURDIR)/src/sys/layout.ld -Clink-arg=-nostartfiles -Clink-arg=$(LINK)
# At -Oz LLVM still inlines whatever is called from one place, however large, and in a large function each access to
# the stack and each jump is longer: these weigh an instruction twenty times as heavy against that (-1.5 %). The
# outliner does the reverse and makes functions of sequences that repeat (-0.9 %). A table of eight bytes a case is larger
# than the comparisons that it saves (-0.9 %); blocks in the order that needs the fewest jumps (-0.2 %); no common code into a
# block behind its branches (-0.2 %), which also hid from the compiler that to drop a vector is nothing (src/sys/alloc.rs).
TIGHT   := -Cllvm-args=-inline-instr-cost=100 -Cllvm-args=-inline-call-penalty=500 -Cllvm-args=-inline-threshold=100 \
           -Cllvm-args=-enable-machine-outliner=always -Cno-redzone=y -Cllvm-args=-min-jump-table-entries=48 \
           -Cllvm-args=-enable-ext-tsp-block-placement -Cllvm-args=-simplifycfg-sink-common=false
# For our crate alone, and so, since it is linked with LTO, for the code of all: no optimisation of MIR before LLVM's, and
# no noalias of &mut, both of which make more code than they save (-0.6 %); nothing is moved out of loops, where it would
# need a register (-0.9 %), no loads into several (-0.1 %).
# ld pads the file to a page before the data where that spares one in memory: not with pages of 16 bytes.
OURS    := -Zmir-opt-level=0 -Zmutable-noalias=no -Cllvm-args=-disable-machine-licm \
           -Cllvm-args=-enable-pre=false -Cllvm-args=-enable-load-pre=false \
           -Clink-arg=-Wl,-z,common-page-size=16
CARGO   := rustc -q --locked --release --target $(TARGET) --bin mydocker
define BUILD
mkdir -p target/link && echo 'INPUT(-lgcc_eh)' > target/link/libunwind.a && \
if [ -n "$(STD_SRC)" ] && [ -x $(RUST)/rustc ]; then \
  env -u RUSTUP_TOOLCHAIN RUSTC=$(RUST)/rustc RUSTC_BOOTSTRAP=1 \
    RUSTFLAGS="-Zunstable-options -Cpanic=immediate-abort -Cforce-unwind-tables=no $(TIGHT) $(COMMON)" \
    $(RUST)/cargo $(CARGO) -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size $(1) -- $(OURS); \
elif [ -d "$$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$(TARGET)" ]; then \
  echo "std's source is not installed: a larger binary" >&2; RUSTFLAGS="$(COMMON)" cargo $(CARGO) $(1); \
else \
  echo "install rustc-web cargo-web rust-web-src musl-tools, or a Rust with the target $(TARGET)" >&2; exit 1; \
fi
endef

# What is executed ends with the last segment. The sections' names and places behind it, and the symbols, are for linkers: the
# header says that there are none (e_shoff; e_shentsize, e_shnum, e_shstrndx), and they are left out.
define TRIM
set -- $$(readelf -lW $(1) | sed -n 's/^ *LOAD *//p' | tail -1) && head -c $$(($$1 + $$4)) $(1) > $(2).new && \
printf '\0\0\0\0\0\0\0\0' | dd of=$(2).new bs=1 seek=40 conv=notrunc status=none && \
printf '\0\0\0\0\0\0' | dd of=$(2).new bs=1 seek=58 conv=notrunc status=none && chmod 755 $(2).new && mv $(2).new $(2)
endef

.PHONY: all run test check unit fuzz bench size install clean help faults races load loglines sanitize deps initramfs differential model detached
all: mydocker ## build ./mydocker

mydocker: $(SOURCES) | deps
	@$(call BUILD)
	@$(call TRIM,$(OUT),$@) && echo "mydocker: $$(stat -c %s $@) bytes"

deps:
	@tests/deps build

run: mydocker busybox.tar ## a shell in a container with /root/volume on /tmp
	@if [ -t 0 ]; then exec ./mydocker run -it -v /root/volume:/tmp /bin/sh; \
	else exec ./mydocker run -i -v /root/volume:/tmp /bin/sh; fi

busybox.tar: ## the default image, from the package busybox-static
	@tests/deps image
	@tests/busybox-tar $@

test: ## the whole test suite, as root
	@if [ "$$(id -u)" = 0 ]; then tests/deps test && $(MAKE) -s mydocker; fi
	@tests/run

check: ## rustfmt, clippy with warnings denied, unit tests; needs no root
	@tests/check

unit: ## the unit tests of the pure parts
	@cargo test -q

faults: mydocker ## every system call of a start failed and killed in turn, as root: half an hour
	@tests/faults/run -j 2

races: mydocker ## 20,000 starts on paths that are exchanged meanwhile, as root: some minutes
	@SESSION_LIMIT=9999 RACE_ROUNDS=834 tests/run races

load: mydocker ## 1,000 starts in a row, 200 at a time, as root: what the kernel holds afterwards
	@LOAD_ROW=1000 LOAD_ABREAST=200 SESSION_LIMIT=9999 tests/run load

differential: mydocker ## some hundred commands typed to docker and to mydocker, as root: what differs
	@tests/differential/run

model: mydocker ## MODEL_STEPS (5,000) random commands, 8 at a time, some killed, against what must hold, as root
	@tests/model/run --steps $(or $(MODEL_STEPS),5000) --seed $(or $(MODEL_SEED),1)

detached: mydocker ## 200 containers that stay, at once: times and memory, into docs/bench/detached.md, as root
	@tests/bench/detached

loglines: mydocker ## 10 MiB of log a second for a minute, as root: what is lost, and what it costs
	@LOG_SECONDS=60 SESSION_LIMIT=9999 tests/run log_limits

sanitize: ## the unit tests with AddressSanitizer, and some under Miri, where the toolchain has them
	@tests/sanitize

fuzz: ## each fuzz target for FUZZ_SECONDS (60); FUZZ="unpack cli" for some; see docs/fuzzing.md
	@tests/deps fuzz
	@tests/fuzz/run $(FUZZ)

bench: mydocker ## start-up, memory, import: a table and a plot in docs/bench
	@tests/bench/run

size: mydocker ## the binary's bytes by crate and module
	@tests/size $(OUT)

initramfs: mydocker ## an initramfs with mydocker, busybox and an image: initramfs.cpio.gz
	@tests/initramfs/build

install: mydocker ## into PREFIX (/usr/local): bin/mydocker, manual pages, completions
	@install -D -m 755 mydocker $(DESTDIR)$(PREFIX)/bin/mydocker
	@install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 docs/mydocker.1 docs/mydocker-commands.1
	@install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	@./mydocker completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mydocker
	@./mydocker completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/mydocker.fish
	@echo "installed $(DESTDIR)$(PREFIX)/bin/mydocker"

clean: ## remove what was built
	@rm -rf target mydocker busybox.tar initramfs.cpio.gz

help: ## this list
	@grep -hE '^[a-z.]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14
