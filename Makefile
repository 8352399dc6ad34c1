# Building, testing, installing. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
.SECONDARY:

# The machine that things are built for; tools/arch has what depends on it.
ARCH   := x86_64
PREFIX := /usr/local
DENO   := node_modules/@deno/linux-x64-glibc/deno
ESBUILD := node_modules/@esbuild/linux-x64/bin/esbuild

TOOLS := ch-run ch-image ch-convert ch-fromhost ch-checkns ch-run-oci ch-test
# Tools with a script of their own: those, and what is called as a word of ch. "ch-x-y" is cli/x_y.ts.
SCRIPTS := $(TOOLS) ch-completion ch-doctor
# What cli/main.ts loads. A script has its own, and that of ch, to which old names lead, what these lead to.
MODULES := $(subst -,_,$(SCRIPTS:ch-%=%)) old_names

# Sub-commands of ch-image with a script of their own: those that are waited for most often.
PARTS := build delete import list pull
SUB_MODULES := $(shell sed -n 's/.*import("\.\/\(.*\)\.ts").*/image\/\1/p' cli/image/table.ts)

# -- what things are made of ---------------------------------------------------------------------

C_COMMON := c/error.c $(wildcard c/squashfs/*.c)
C_SHIM   := $(C_COMMON) $(wildcard c/shim/*.c)
C_INIT   := $(C_COMMON) $(wildcard c/init/*.c)
# What init has for the small engine, and the build tool that makes its snapshot.
C_ENGINE := $(wildcard c/engine/*.c) c/entry/caller_record.c \
	$(addprefix c/shim/,identity.c path.c squashfs_reader.c syslog.c tree_beneath.c)
C_SNAPSHOT := c/engine/machine.c c/engine/native.c c/engine/snapshot/main.c
XS       := node_modules/@agoric/xsnap/moddable/xs
C_TESTS  := $(wildcard c/tests/*_test.c)
C_HEADERS := $(wildcard c/*.h c/*/*.h)
TS_CLI   := $(shell find cli lib ffi -name '*.ts' 2>/dev/null)

WARNINGS := -Wall -Wextra -Werror
CFLAGS   := -std=gnu11 -Ic -O2 -g1 $(WARNINGS) -fvisibility=hidden
SANITIZE := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Freestanding: one flat piece of code without relocations, see c/entry/entry.ld.
ENTRY_CFLAGS := -std=gnu11 -Os $(WARNINGS) -ffreestanding -fPIC -fvisibility=hidden \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-builtin \
	-fno-tree-loop-distribute-patterns -nostdlib

include tools/arch/$(ARCH).mk
.DEFAULT_GOAL := all
# Scripts are the same for all machines.
SCRIPTED := build
# What has to be there before anything is compiled.
READY := $(sort $(DENO) $(RUNTIME))

XS_CFLAGS := -DINCLUDE_XSPLATFORM '-DXSPLATFORM="xs_platform.h"' -DmxDebug=1 -DmxNoConsole=1 \
	-DmxBoundsCheck=1 -DmxParse=1 -DmxRun=1 -DmxSloppy=1 -DmxSnapshot=1 -DmxMinusZero=1 \
	-Ic/engine -isystem $(XS)/includes -isystem $(XS)/platforms -isystem $(XS)/sources

DECOMPRESSORS := -l:libz.a -l:libzstd.a -l:liblzma.a -l:liblz4.a -l:liblzo2.a
SHIM_LIBS := -l:libsquashfs.a -l:libdeflate.a -l:libbz2.a $(DECOMPRESSORS) -lpthread
# What newer C libraries export under a newer version.
WRAPPED := pthread_create pthread_join pthread_attr_setstacksize pthread_sigmask fstat fstatat statx
INIT_LIBS := -l:libdeflate.a $(DECOMPRESSORS) -lpthread

ENTRY_OBJECTS := $(patsubst c/%.c,$(BUILD)/%.o,$(wildcard c/entry/*.c)) $(BUILD)/entry/start_$(ARCH).o
SHIM_OBJECTS := $(C_SHIM:c/%.c=$(BUILD)/shim/%.o)
INIT_OBJECTS := $(C_INIT:c/%.c=$(BUILD)/init/%.o)
ENGINE_OBJECTS := $(C_ENGINE:c/%.c=$(BUILD)/init/%.o) $(BUILD)/init/engine/payloads.o
SNAPSHOT_OBJECTS := $(C_SNAPSHOT:c/%.c=$(BUILD)/init/%.o)
XS_OBJECTS = $(patsubst $(XS)/sources/%.c,$(BUILD)/xs/%.o,$(wildcard $(XS)/sources/*.c))
SANITIZED_OBJECTS := $(patsubst c/%.c,$(BUILD)/sanitized/%.o,\
	$(filter-out c/init/main.c c/shim/glibc.c,$(sort $(C_SHIM) $(C_INIT))))
CTESTS       := $(C_TESTS:c/tests/%.c=$(BUILD)/ctests/%)

# -- targets -------------------------------------------------------------------------------------

.PHONY: all help deps compile check fmt test machine ctests bench install dist demo clean xs

all: $(BUILD)/ch $(TOOLS:%=$(BUILD)/%) ## build build/ch and its names

help: ## list targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

deps: $(DENO) ## install what building needs (Debian packages as root, Deno from npm)

$(DENO): package.json package-lock.json tools/deps.sh
	tools/deps.sh build
	@touch $@

$(BUILD)/ch: $(READY) $(BUILD)/entry.elf $(BUILD)/entry.bin $(SCRIPTED)/js/.done $(BUILD)/libch.so \
		$(BUILD)/ch-init $(wildcard tools/graft/*.ts)
	$(DENO) run -A --no-lock tools/graft/main.ts $(RUNTIME) $(BUILD)/entry.elf $(BUILD)/entry.bin \
		$(SCRIPTED)/js $(BUILD)/libch.so $(BUILD)/ch-init $@

$(TOOLS:%=$(BUILD)/%): $(BUILD)/ch
	ln -sf ch $@

# ch-run's script is for the small engine, which sees the language alone. It is not minified: stack
# traces there have no columns.
$(SCRIPTED)/ch-run.js: $(DENO) $(TS_CLI)
	$(ESBUILD) cli/start_small.ts --bundle --format=iife --platform=neutral --target=es2022 \
		--inject:ffi/small/deno.ts '--define:import.meta.url="file:///none"' \
		$(patsubst %,--external:$(CURDIR)/cli/%.ts,$(filter-out run,$(MODULES))) \
		--sourcemap=external --sources-content=false --log-level=warning --outfile=$@

$(BUILD)/ch-run.snapshot: $(SCRIPTED)/ch-run.js $(BUILD)/ch-snapshot
	$(EMULATOR) $(BUILD)/ch-snapshot $< ch-run.js $@

$(BUILD)/ch-snapshot: $(SNAPSHOT_OBJECTS) $(BUILD)/libxs.a
	$(CC) $^ -lm -lpthread -o $@

# Deno's scripts: one a tool, some for a single sub-command, so that each loads only its own code; cli/start.ts
# is the start of all. What a script leaves out is never asked for in it, because the entry code picks the
# script by the same rule.
$(SCRIPTED)/js/.done: $(DENO) $(TS_CLI) deno.json
	@rm -rf $(@D); mkdir -p $(@D)
	for tool in ch $(filter-out ch-run,$(SCRIPTS)) $(PARTS:%=ch-image.%); do \
		own=$${tool#ch-}; own=$${own//-/_}; modules='$(MODULES)'; others=; \
		case $$tool in \
			ch) own='old_names image convert' ;; \
			ch-image.*) own="image image/$${own#*.}"; modules+=' $(SUB_MODULES)' ;; \
		esac; \
		for module in $$modules; do \
			[[ " $$own " == *" $$module "* ]] || others+=" --external:$(CURDIR)/cli/$$module.ts"; \
		done; \
		$(ESBUILD) cli/start.ts --bundle --format=iife --platform=neutral --target=esnext '--external:node:*' \
			'--define:import.meta.url="file:///none"' --footer:js="//# sourceURL=$$tool.js" \
			$$others --minify --sourcemap=external --sources-content=false \
			--log-level=warning --outfile=$(@D)/$$tool.js || exit 1; \
	done
	@touch $@

$(BUILD)/entry.elf: $(ENTRY_OBJECTS) c/entry/entry.ld
	$(CROSS)ld --no-warn-rwx-segments -T c/entry/entry.ld $(ENTRY_OBJECTS) -o $@

$(BUILD)/entry/%.o: c/entry/%.c $(C_HEADERS) | $(READY)
	@mkdir -p $(@D)
	$(CC) $(ENTRY_CFLAGS) -c $< -o $@

$(BUILD)/entry.bin: $(BUILD)/entry.elf
	$(CROSS)objcopy -O binary -j .all $< $@

$(BUILD)/entry/%.o: c/entry/%.S | $(READY)
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

# The oldest C library that Deno runs with is 2.27: the shim must not ask for more (c/shim/glibc.c).
$(BUILD)/libch.so: $(SHIM_OBJECTS)
	$(CC) $(LDFLAGS) -shared -Wl,--gc-sections,--exclude-libs,ALL,-z,defs,-z,now -s $(WRAPPED:%=-Wl,--wrap=%) \
		$^ $(SHIM_LIBS) -o $@
	@! $(CROSS)objdump -T $@ | grep -E 'GLIBC_2\.(2[89]|[3-9][0-9])' || \
		{ echo "$@: needs a newer C library than 2.27; see c/shim/glibc.c" >&2; rm $@; exit 1; }

$(BUILD)/ch-init: $(INIT_OBJECTS) $(ENGINE_OBJECTS) $(BUILD)/libxs.a
	$(CC) $(LDFLAGS) -static-pie -s -Wl,--gc-sections $^ $(INIT_LIBS) -lm -o $@

# By a make of its own: this one began before npm had brought the sources, and knows of none.
$(BUILD)/libxs.a: $(READY) c/engine/xs_platform.h
	$(MAKE) -s --no-print-directory xs

xs: $(XS_OBJECTS)
	$(CROSS)ar rcs $(BUILD)/libxs.a $^

$(BUILD)/xs/%.o: $(XS)/sources/%.c c/engine/xs_platform.h | $(READY)
	@mkdir -p $(@D)
	$(CC) $(XS_CFLAGS) -O2 -w -fPIE -fno-common -ffunction-sections -c $< -o $@

$(BUILD)/init/engine/%.o: c/engine/%.c $(C_HEADERS) | $(READY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(XS_CFLAGS) -fPIE -ffunction-sections -c $< -o $@

$(SCRIPTED)/ch-run.lines: $(SCRIPTED)/ch-run.js tools/line_table.ts cli/source_place.ts
	$(DENO) run -A --no-lock tools/line_table.ts $<.map $@

$(BUILD)/init/engine/payloads.o: c/engine/payloads.S $(BUILD)/ch-run.snapshot $(SCRIPTED)/ch-run.lines
	$(CC) -Wa,-I$(BUILD),-I$(SCRIPTED) -c $< -o $@

$(BUILD)/shim/%.o: c/%.c $(C_HEADERS) | $(READY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -ffunction-sections -c $< -o $@

$(BUILD)/init/%.o: c/%.c $(C_HEADERS) | $(READY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -ffunction-sections -c $< -o $@

ctests: $(CTESTS)

# Shim and init but for its main(), under the sanitizers.
$(BUILD)/ctests/%: c/tests/%.c $(SANITIZED_OBJECTS) $(C_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) $< $(SANITIZED_OBJECTS) $(SHIM_LIBS) -o $@

$(BUILD)/ctests/squashfs_corpus_test: c/tests/fuzz_squashfs.c

$(BUILD)/sanitized/%.o: c/%.c $(C_HEADERS) | $(READY)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -c $< -o $@

compile: $(DENO) $(BUILD)/libch.so $(BUILD)/ch-init ## the same program by `deno compile`
	tools/compile.sh $(DENO) $(BUILD)

check: $(DENO) ## formatting, lint, types, C warnings
	$(DENO) fmt --check
	$(DENO) lint
	$(DENO) check --no-lock mod.ts cli lib ffi tools tests
	$(DENO) check --no-lock --config ffi/small/check.json cli/run.ts
	clang-format --dry-run -Werror $$(git ls-files 'c/*.c' 'c/*.h')
	$(MAKE) -s --no-print-directory $(BUILD)/libch.so $(BUILD)/ch-init ctests

fmt: $(DENO) ## format everything
	$(DENO) fmt
	clang-format -i $$(git ls-files 'c/*.c' 'c/*.h')

test: ## all tests; ends with "N passed, N failed"
	tools/test.sh

MACHINE := $(if $(filter x86_64,$(ARCH)),bullseye,$(ARCH))

machine: $(BUILD)/ch ## run, build and convert in a virtual machine with another kernel (tools/machine.sh)
	tools/machine.sh $(MACHINE)

bench: ## speed, side by side with the peers that are installed
	tools/bench.sh

demo: ## build everything, then build, convert and run an image
	tools/demo.sh

SHARE = $(DESTDIR)$(PREFIX)/share
COMPLETIONS := bash-completion/completions zsh/site-functions fish/vendor_completions.d

install: all ## install below PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/ch $(DESTDIR)$(PREFIX)/bin/ch
	for tool in $(TOOLS); do ln -sf ch $(DESTDIR)$(PREFIX)/bin/$$tool; done
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(COMPLETIONS:%=$(SHARE)/%)
	complete() { $(EMULATOR) $(DESTDIR)$(PREFIX)/bin/ch completion $$1 | sed 's#$(DESTDIR)$(PREFIX)/#$(PREFIX)/#' >$(SHARE)/$$2; }; \
		complete bash bash-completion/completions/ch; complete zsh zsh/site-functions/_ch; \
		complete fish fish/vendor_completions.d/ch.fish
	for tool in ch-run ch-image ch-convert; do ln -sf ch $(SHARE)/bash-completion/completions/$$tool; done
	for tool in $(TOOLS); do ln -sf ch.fish $(SHARE)/fish/vendor_completions.d/$$tool.fish; done

VERSION = $(shell sed -n 's/.*VERSION = "\(.*\)".*/\1/p' lib/version.ts)
RELEASE = ch-$(VERSION)-$(ARCH)
DIST   := $(BUILD)/dist

# The same source makes the same archive.
dist: all ## the release: the file, an archive with man pages and completions, checksums
	rm -rf $(DIST)
	$(MAKE) -s --no-print-directory install DESTDIR=$(CURDIR)/$(DIST)/tree PREFIX=/$(RELEASE)
	install -d $(DIST)/tree/$(RELEASE)/share/doc/ch/docs
	install -m 644 LICENSE README.md CHANGELOG.md $(DIST)/tree/$(RELEASE)/share/doc/ch
	install -m 644 docs/*.md $(DIST)/tree/$(RELEASE)/share/doc/ch/docs
	tar -C $(DIST)/tree --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} -cf - $(RELEASE) | gzip -n >$(DIST)/$(RELEASE).tar.gz
	mv $(DIST)/tree/$(RELEASE)/bin/ch $(DIST)/$(RELEASE)
	rm -rf $(DIST)/tree
	cd $(DIST) && sha256sum $(RELEASE) $(RELEASE).tar.gz >SHA256SUMS

clean: ## remove build/ (but not the cached base images)
	rm -rf $(filter-out $(BUILD)/cache,$(wildcard $(BUILD)/*))
