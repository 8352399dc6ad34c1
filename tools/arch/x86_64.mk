# What `make` uses for x86-64, where everything is built.

BUILD := build
CROSS :=
RUNTIME := $(DENO)
ENTRY_CFLAGS += -fcf-protection=none -mno-red-zone -mgeneral-regs-only
