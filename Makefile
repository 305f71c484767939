# mydocker: `make run` and `make test` are all one needs; `make help` lists the rest.
TARGET  ?= x86_64-unknown-linux-musl
PREFIX  ?= /usr/local
BUDGET  := 81920
OUT     := target/$(TARGET)/release/mydocker
SOURCES := $(shell find src -name '*.rs') Cargo.toml Cargo.lock Makefile

# Debian's toolchain builds std itself, without its panic machinery; see docs/adr/0001-no-std-main.md.
RUST    := /usr/bin
STD_SRC := $(firstword $(wildcard /usr/lib/rustlib/src/rust/library/std/Cargo.toml /usr/src/rustc-*/library/std/Cargo.toml))
LINK    := -Wl,--gc-sections,--build-id=none,-z,norelro,-z,noseparate-code,--no-eh-frame-hdr
FLAGS   := -Zunstable-options -Cpanic=immediate-abort -Cforce-unwind-tables=no -Clinker=musl-gcc -Clink-self-contained=no \
           -Ctarget-feature=+crt-static -Crelocation-model=static -L $(CURDIR)/target/link -Clink-arg=-nostartfiles -Clink-arg=$(LINK)
BUILD   := env -u RUSTUP_TOOLCHAIN RUSTC=$(RUST)/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="$(FLAGS)" \
           $(RUST)/cargo build -q --locked --release --target $(TARGET) -Z build-std=std,panic_abort -Z build-std-features=optimize_for_size

.PHONY: all run test check unit bench size install clean help deps initramfs faults
all: mydocker

mydocker: $(SOURCES) | deps
	@mkdir -p target/link && echo 'INPUT(-lgcc_eh)' > target/link/libunwind.a
	@$(BUILD)
	@cp $(OUT) $@ && echo "mydocker: $$(stat -c %s $@) bytes"

deps: ## install what is missing (apt, as root)
	@tests/deps build

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

test: mydocker ## the whole test suite, as root
	@[ "$$(id -u)" != 0 ] || tests/deps test
	@tests/run

