# make quickstart   everything, from an empty machine to a sandbox that runs
# make test         the whole test suite
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= 2
SWIFT ?= swift
RELEASE := .build-release
BIN := $(RELEASE)/release
# One scratch folder a flavour, so that flags never change under a build. The parts with NIO are built once each.
# Libraries go in as archives, and none is looked for beside the program: both are felt at every start.
ARCHIVES := $(CURDIR)/.build-archives
# A program begins by relocating itself: packed, that is a quarter of what `aibox config get` takes. glibc 2.36 and later.
PACKED := $(shell grep -qs GLIBC_ABI_DT_RELR /lib/*/libc.so.6 && echo -Xlinker -z -Xlinker pack-relative-relocs)
RELEASE_FLAGS := -c release --static-swift-stdlib --disable-local-rpath -Xlinker -s -Xswiftc -L$(ARCHIVES) \
	-Xswiftc -use-ld=lld $(PACKED) \
	-Xswiftc -Xclang-linker -Xswiftc -static-libgcc --scratch-path $(RELEASE) -j $(JOBS)
PREFIX ?= /usr/local
PROGRAMS := aibox aibox-credential-helper aibox-docker-runtime aibox-gateway aibox-lease-keeper aibox-llm-proxy aibox-tool-gate

.PHONY: help deps build test clients check fmt bench install quickstart clean

help:
	@sed -n 's/^# //p' Makefile | head -2
	@echo "also: make deps build clients check fmt bench install clean"

deps:
	@scripts/deps

build:
	@scripts/static-libraries $(ARCHIVES)
	@export PKG_CONFIG_PATH=$(ARCHIVES); for program in $(PROGRAMS); do echo "== building $$program"; $(SWIFT) build $(RELEASE_FLAGS) --product $$program; done

test: deps
	@scripts/test

# Package managers of seven languages through the gateway: needs the image `full`, 2 GB.
clients: deps
	@$(SWIFT) build --build-tests -j $(JOBS)
	@scripts/sandbox-tests .build/debug clients

check:
	$(SWIFT) format lint --strict --parallel --recursive Sources Tests Package.swift

fmt:
	$(SWIFT) format --in-place --parallel --recursive Sources Tests Package.swift

bench: build
	@$(SWIFT) build $(RELEASE_FLAGS) --product audit-benchmark
	@scripts/bench-rego $(BIN)
	@scripts/bench-policy $(BIN)
	@scripts/bench $(BIN)
	@scripts/bench-network $(BIN)
	@scripts/bench-llm $(BIN)

install: build
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BIN)/aibox
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/libexec/aibox $(BIN)/aibox-docker-runtime $(BIN)/aibox-gateway $(BIN)/aibox-lease-keeper $(BIN)/aibox-llm-proxy $(BIN)/aibox-credential-helper $(BIN)/aibox-tool-gate
	ln -sf ../libexec/aibox/aibox-credential-helper $(DESTDIR)$(PREFIX)/bin/git-credential-aibox

quickstart: deps build
	@scripts/quickstart $(BIN)

clean:
	rm -rf .build .build-release .build-archives
