# Building, testing, installing. `make help` lists what there is.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.DELETE_ON_ERROR:
.SECONDARY:

ARCH   := x86_64
PREFIX := /usr/local
BUILD  := build
DENO   := node_modules/@deno/linux-x64-glibc/deno
ESBUILD := node_modules/@esbuild/linux-x64/bin/esbuild

TOOLS := ch-run ch-image ch-convert ch-fromhost ch-checkns

# -- what things are made of ---------------------------------------------------------------------

C_COMMON := c/error.c $(wildcard c/squashfs/*.c)
C_SHIM   := $(C_COMMON) $(wildcard c/shim/*.c)
C_INIT   := $(C_COMMON) $(wildcard c/init/*.c)
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
ifeq ($(ARCH),x86_64)
ENTRY_CFLAGS += -fcf-protection=none -mno-red-zone -mgeneral-regs-only
endif

DECOMPRESSORS := -l:libz.a -l:libzstd.a -l:liblzma.a -l:liblz4.a -l:liblzo2.a
SHIM_LIBS := -l:libsquashfs.a -l:libdeflate.a -l:libbz2.a $(DECOMPRESSORS) -lpthread
# What newer C libraries export under a newer version.
WRAPPED := pthread_create pthread_join pthread_attr_setstacksize pthread_sigmask fstat fstatat statx
INIT_LIBS := -l:libdeflate.a $(DECOMPRESSORS) -lpthread

ENTRY_OBJECTS := $(patsubst c/%.c,$(BUILD)/%.o,$(wildcard c/entry/*.c)) $(BUILD)/entry/start_$(ARCH).o
SHIM_OBJECTS := $(C_SHIM:c/%.c=$(BUILD)/shim/%.o)
INIT_OBJECTS := $(C_INIT:c/%.c=$(BUILD)/init/%.o)
SANITIZED_OBJECTS := $(patsubst c/%.c,$(BUILD)/sanitized/%.o,\
	$(filter-out c/init/main.c c/shim/glibc.c,$(sort $(C_SHIM) $(C_INIT))))
CTESTS       := $(C_TESTS:c/tests/%.c=$(BUILD)/ctests/%)

# -- targets -------------------------------------------------------------------------------------

.PHONY: all help deps compile check fmt test ctests bench install demo clean

all: $(BUILD)/ch $(TOOLS:%=$(BUILD)/%) ## build build/ch and its names

help: ## list targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

deps: $(DENO) ## install what building needs (Debian packages as root, Deno from npm)

$(DENO): package.json package-lock.json tools/deps.sh
	tools/deps.sh build
	@touch $@

$(BUILD)/ch: $(DENO) $(BUILD)/entry.elf $(BUILD)/entry.bin $(BUILD)/js/.done $(BUILD)/libch.so \
		$(BUILD)/ch-init $(wildcard tools/graft/*.ts)
	$(DENO) run -A --no-lock tools/graft/main.ts $(DENO) $(BUILD)/entry.elf $(BUILD)/entry.bin \
		$(BUILD)/js $(BUILD)/libch.so $(BUILD)/ch-init $@

$(TOOLS:%=$(BUILD)/%): $(BUILD)/ch
	ln -sf ch $@

# One script a tool, so that each loads only its own code; cli/main.ts is the start of all. What a
# script leaves out is never asked for in it, because the entry code picks the script by the same rule.
$(BUILD)/js/.done: $(DENO) $(TS_CLI) deno.json
	@rm -rf $(@D); mkdir -p $(@D)
	for tool in ch $(TOOLS); do \
		others=$$(printf -- '--external:$(CURDIR)/cli/%s.ts ' $(TOOLS:ch-%=%) | sed "s#--external:[^ ]*/$${tool#ch-}.ts##"); \
		$(ESBUILD) cli/main.ts --bundle --format=iife --platform=neutral --target=esnext '--external:node:*' \
			'--define:import.meta.url="file:///none"' --footer:js="//# sourceURL=$$tool.js" \
			$$others --minify --sourcemap=external --sources-content=false \
			--log-level=warning --outfile=$(@D)/$$tool.js || exit 1; \
	done
	@touch $@

$(BUILD)/entry.elf: $(ENTRY_OBJECTS) c/entry/entry.ld
	$(LD) --no-warn-rwx-segments -T c/entry/entry.ld $(ENTRY_OBJECTS) -o $@

$(BUILD)/entry/%.o: c/entry/%.c $(C_HEADERS) | $(DENO)
	@mkdir -p $(@D)
	$(CC) $(ENTRY_CFLAGS) -c $< -o $@

$(BUILD)/entry.bin: $(BUILD)/entry.elf
	objcopy -O binary -j .all $< $@

$(BUILD)/entry/%.o: c/entry/%.S | $(DENO)
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

# The oldest C library that Deno runs with is 2.27: the shim must not ask for more (c/shim/glibc.c).
$(BUILD)/libch.so: $(SHIM_OBJECTS)
	$(CC) -shared -Wl,--gc-sections,--exclude-libs,ALL,-z,defs,-z,now -s $(WRAPPED:%=-Wl,--wrap=%) \
		$^ $(SHIM_LIBS) -o $@
	@! objdump -T $@ | grep -E 'GLIBC_2\.(2[89]|[3-9][0-9])' || \
		{ echo "$@: needs a newer C library than 2.27; see c/shim/glibc.c" >&2; rm $@; exit 1; }

$(BUILD)/ch-init: $(INIT_OBJECTS)
	$(CC) -static -s -Wl,--gc-sections $^ $(INIT_LIBS) -o $@

$(BUILD)/shim/%.o: c/%.c $(C_HEADERS) | $(DENO)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -fPIC -ffunction-sections -c $< -o $@

$(BUILD)/init/%.o: c/%.c $(C_HEADERS) | $(DENO)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -ffunction-sections -c $< -o $@

ctests: $(CTESTS)

# Shim and init but for its main(), under the sanitizers.
$(BUILD)/ctests/%: c/tests/%.c $(SANITIZED_OBJECTS) $(C_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) $< $(SANITIZED_OBJECTS) $(SHIM_LIBS) -o $@

$(BUILD)/ctests/squashfs_corpus_test: c/tests/fuzz_squashfs.c

$(BUILD)/sanitized/%.o: c/%.c $(C_HEADERS) | $(DENO)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -c $< -o $@

compile: $(DENO) $(BUILD)/libch.so $(BUILD)/ch-init ## the same program by `deno compile`
	tools/compile.sh $(DENO) $(BUILD)

check: $(DENO) ## formatting, lint, types, C warnings
	$(DENO) fmt --check
	$(DENO) lint
	$(DENO) check --no-lock mod.ts cli lib ffi tools tests
	clang-format --dry-run -Werror $$(git ls-files 'c/*.c' 'c/*.h')
	$(MAKE) -s --no-print-directory $(BUILD)/libch.so $(BUILD)/ch-init ctests

fmt: $(DENO) ## format everything
	$(DENO) fmt
	clang-format -i $$(git ls-files 'c/*.c' 'c/*.h')

test: ## all tests; ends with "N passed, N failed"
	tools/test.sh

bench: ## speed, side by side with the peers that are installed
	tools/bench.sh

demo: ## build everything, then build, convert and run an image
	tools/demo.sh

install: all ## install below PREFIX (default /usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/ch $(DESTDIR)$(PREFIX)/bin/ch
	for tool in $(TOOLS); do ln -sf ch $(DESTDIR)$(PREFIX)/bin/$$tool; done
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1

clean: ## remove build/ (but not the cached base images)
	rm -rf $(filter-out $(BUILD)/cache,$(wildcard $(BUILD)/*))
