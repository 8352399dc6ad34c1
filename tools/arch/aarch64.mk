# What `make ARCH=aarch64` uses: Debian's cross compiler, its packages for arm64 and the Deno for it
# (tools/deps.sh cross). The one program that runs while building, which makes the snapshot, does so in QEMU.

BUILD := build/aarch64
CROSS := aarch64-linux-gnu-
EMULATOR := qemu-aarch64-static -L /usr/aarch64-linux-gnu
SYSROOT := build/cache/aarch64
RUNTIME := node_modules/@deno/linux-arm64-glibc/deno
ENTRY_CFLAGS += -mgeneral-regs-only
CPPFLAGS += -isystem $(SYSROOT)/usr/include
LDFLAGS += -L$(SYSROOT)/usr/lib/aarch64-linux-gnu
CC := $(CROSS)gcc

$(RUNTIME) $(SYSROOT)/.complete &: $(DENO) tools/foreign_packages.sh
	tools/deps.sh build cross
	@touch $(RUNTIME) $(SYSROOT)/.complete
