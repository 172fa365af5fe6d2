# SPDX-License-Identifier: MIT
# Builds the kernel images, the adversary's drivers, the host tools and the host
# tests. The front door is ./caesura; `make help` lists the targets here.

TOOLCHAIN ?= clang
OUT ?= build
B := $(OUT)/$(TOOLCHAIN)
V ?= 0
Q := $(if $(filter 1,$(V)),,@)

LLVM ?=
CLANG := clang$(LLVM)
ifeq ($(TOOLCHAIN),clang)
TARGET_CC := $(CLANG) --target=aarch64-linux-gnu
TARGET_LD := ld.lld
# The images are optimised across files, as in a kernel that compiles the library with
# its own sources.
LTO := -flto
NO_LTO := -fno-lto
else
TARGET_CC := aarch64-linux-gnu-gcc
TARGET_LD := aarch64-linux-gnu-ld
endif
OBJCOPY := $(if $(shell command -v llvm-objcopy-14),llvm-objcopy-14,aarch64-linux-gnu-objcopy)
OBJDUMP := $(if $(shell command -v llvm-objdump-14),llvm-objdump-14,aarch64-linux-gnu-objdump)
READELF := $(if $(shell command -v llvm-readelf-14),llvm-readelf-14,aarch64-linux-gnu-readelf)
NM := $(if $(shell command -v llvm-nm-14),llvm-nm-14,aarch64-linux-gnu-nm)

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes \
	-Wshadow -Wundef -Wvla -Wimplicit-fallthrough
FREESTANDING := -std=c11 -ffreestanding -fno-builtin-printf -nostdinc \
	-isystem $(shell $(TARGET_CC) -print-file-name=include) \
	-O2 -g -gdwarf-4 -fno-strict-aliasing -fno-common \
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-stack-protector \
	-ffunction-sections -fno-omit-frame-pointer \
	-mgeneral-regs-only -mno-outline-atomics -march=armv8-a \
	-fvisibility=hidden -mcmodel=small -fno-pic -fno-pie
BOOT_FLAGS := $(NO_LTO) -fpie -mstrict-align -include kernel/boot/hidden.h
LIB_CFLAGS := $(WARN) $(FREESTANDING) $(LTO) -Iinclude -Isrc
KERNEL_CFLAGS := $(WARN) $(FREESTANDING) $(LTO) -Iinclude -Ikernel/include -Ikernel -I$(B)

include src/sources.mk
LIB_SRC := $(CAESURA_EL1)
KERNEL_SRC := $(wildcard kernel/*.c kernel/*/*.c kernel/*/*.S)
PROGRAM_SRC := $(wildcard programs/*/*.c programs/*/*.S)

obj = $(patsubst %.c,$(B)/%.o,$(patsubst %.S,$(B)/%.S.o,$(1)))
LIB_OBJ := $(call obj,$(LIB_SRC))
KERNEL_OBJ := $(call obj,$(KERNEL_SRC))
PROGRAM_OBJ := $(call obj,$(PROGRAM_SRC))

# The file that each ablation replaces by tests/ablate/NAME.c.
ABLATIONS := fp lock buffers space pin owner wake permission daif broker \
	recover limit note withdraw mend
ABLATE_fp := kernel/sched/fp.c
ABLATE_lock := programs/lib/rival.c
ABLATE_buffers := src/arguments.c
ABLATE_space := kernel/mm/install.c
ABLATE_pin := kernel/sched/pin.c
ABLATE_owner := src/owner.c
ABLATE_wake := kernel/port/event.c
ABLATE_permission := kernel/mm/permission.c
ABLATE_daif := src/arm64/mask.c
ABLATE_broker := src/arm64/broker.c
ABLATE_recover := src/arm64/end.c
ABLATE_limit := src/watch.c
ABLATE_note := src/device_writes.c
ABLATE_withdraw := src/policy.c
ABLATE_mend := src/arm64/mend.c

.PHONY: all help images secure-images tools unit fuzz clean
## all: images and tools
all: images tools

# Prints the lines of all makefiles that begin with two hashes.
## help: the list of targets
help:
	@sed -n 's/^## //p' $(filter Makefile %.mk,$(MAKEFILE_LIST)) | \
		LC_ALL=C sort | awk -F ': ' '{ printf "%-20s %s\n", $$1, $$2 }'
	@echo 'Variables: TOOLCHAIN=clang|gcc OUT=DIR RUNS=N (inputs of a fuzz target) V=1'

IMAGES := image with-gate $(addprefix without-,$(ABLATIONS))
## images: the kernel's images, those of the ablations among them
images: $(IMAGES:%=$(B)/%.efi)
## secure-images: the same images, signed for secure boot
secure-images: $(IMAGES:%=$(B)/secure/%.efi)

## clean: remove everything that was built
clean:
	rm -rf $(OUT)

# ---- objects ----

$(B)/src/%.o: src/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(LIB_CFLAGS) -MMD -MP -c $< -o $@

$(B)/src/%.S.o: src/%.S Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(LIB_CFLAGS) -MMD -MP -c $< -o $@

# This code runs at the load address, where nothing relocates it: it may need no
# relocation.
$(B)/kernel/boot/%.o: kernel/boot/%.c tools/relocations.awk Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) $(BOOT_FLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.unchecked
	$(Q)$(READELF) -rW $@.unchecked | awk -f tools/relocations.awk
	@mv $@.unchecked $@

# The compiler emits calls of these functions by itself, so the linker must find them in an
# ordinary object.
$(B)/kernel/lib/string.o: KERNEL_CFLAGS += $(NO_LTO)

$(B)/kernel/%.o: kernel/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/kernel/%.S.o: kernel/%.S Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/programs/%.o: programs/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -Iprograms -Iadversary -MMD -MP -c $< -o $@

$(B)/programs/%.S.o: programs/%.S Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -Iprograms -MMD -MP -c $< -o $@

$(B)/tests/ablate/%.o: tests/ablate/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -Isrc -Iprograms -MMD -MP -c $< -o $@

$(B)/tests/gate/%.o: tests/gate/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -Isrc -Iprograms -MMD -MP -c $< -o $@

$(B)/tests/gate/%.S.o: tests/gate/%.S Makefile
	@mkdir -p $(@D)
	$(Q)$(TARGET_CC) $(KERNEL_CFLAGS) -MMD -MP -c $< -o $@

# ---- libfdt, from Debian's package for arm64 ----

LIBFDT := $(OUT)/libfdt/libfdt.a

# Fetched once, and not again when the script is newer.
$(LIBFDT): | tools/fetch-libfdt.sh
	$(Q)tools/fetch-libfdt.sh $(@D)

$(B)/kernel/dev/tree_parse.o: $(LIBFDT)
$(B)/kernel/dev/tree_parse.o: KERNEL_CFLAGS += -Ikernel/dev/libfdt \
	-isystem $(OUT)/libfdt/include

# ---- the signed values that a program writes to an authenticated variable ----

$(B)/programs/measure/authvar_payloads.S.o: $(B)/authvar.list
$(B)/programs/measure/authvar_payloads.S.o: KERNEL_CFLAGS += -Wa,-I$(B)

$(B)/authvar.list: tools/sign-variable.sh
	@mkdir -p $(@D)
	$(Q)tools/sign-variable.sh $@

# ---- the runtime driver that the image carries ----

$(B)/kernel/boot/payload.S.o: $(B)/adversary.efi

# The key for secure boot is $(SNAKEOIL).key, its certificate $(SNAKEOIL).pem. Everything is
# signed again when the certificate differs from that of the last build.
SNAKEOIL ?= /usr/share/qemu-efi-aarch64/PkKek-1-snakeoil
CERTIFICATE := $(B)/secure/certificate.pem

.PHONY: FORCE
$(CERTIFICATE): FORCE
	@mkdir -p $(@D)
	@cmp -s $(SNAKEOIL).pem $@ || cp $(SNAKEOIL).pem $@

# Firmware checks each image that it loads, so the driver has a signature of its own.
SECURE_PAYLOAD := $(B)/secure/payload.S.o
$(SECURE_PAYLOAD): kernel/boot/payload.S $(B)/secure/adversary.efi Makefile
	$(Q)$(TARGET_CC) -I$(@D) -c $< -o $@

$(B)/secure/adversary.efi: $(B)/adversary.efi $(CERTIFICATE) tools/sign.sh
	$(Q)tools/sign.sh $(SNAKEOIL) $< $@

PE_CC := $(CLANG) --target=aarch64-unknown-windows
PE_FLAGS := -std=c11 -O2 -ffreestanding -fshort-wchar -mgeneral-regs-only \
	-fno-stack-protector -mno-stack-arg-probe -gdwarf-4 $(WARN) \
	-fno-omit-frame-pointer -fno-builtin -Iinclude -Iadversary
ADVERSARY_SRC := $(wildcard adversary/*.c adversary/*.S)
ADVERSARY_OBJ := $(patsubst %.S,$(B)/%.S.obj,$(patsubst %.c,$(B)/%.obj,$(ADVERSARY_SRC)))

$(B)/adversary/%.obj: adversary/%.c $(wildcard adversary/*.h) Makefile
	@mkdir -p $(@D)
	$(Q)$(PE_CC) $(PE_FLAGS) -c $< -o $@

$(B)/adversary/%.S.obj: adversary/%.S $(wildcard adversary/*.h) Makefile
	@mkdir -p $(@D)
	$(Q)$(PE_CC) $(PE_FLAGS) -c $< -o $@

# Firmware would map debug data like every other section, so gdb gets a file of its own.
# The driver keeps the record that names the image in reports (RSDS).
$(B)/adversary.debug.efi: $(ADVERSARY_OBJ)
	$(Q)lld-link /subsystem:efi_runtime_driver /entry:adversary_entry \
		/nodefaultlib /driver /align:65536 /merge:.rdata=.text \
		/debug:full /ignore:longsections /pdb:$(@:.efi=.pdb) \
		/pdbaltpath:adversary.dll /out:$@ $^

$(B)/adversary.efi: $(B)/adversary.debug.efi
	$(Q)$(OBJCOPY) --strip-debug $< $@

# ---- images: linked, and linked again with a table of their own symbols ----

# The arguments are $(1), the image's name, and $(2), its objects.
define link
$(B)/$(1).elf: $(2) kernel/kernel.lds tools/symbols.awk
	$(Q)awk -f tools/symbols.awk /dev/null > $(B)/$(1).sym0.S
	$(Q)$$(TARGET_CC) -c $(B)/$(1).sym0.S -o $(B)/$(1).sym0.o
	$(Q)$$(TARGET_LD) -T kernel/kernel.lds --gc-sections -o $(B)/$(1).elf0 $(2) $(B)/$(1).sym0.o
	$(Q)$(NM) -n $(B)/$(1).elf0 | awk -f tools/symbols.awk > $(B)/$(1).sym1.S
	$(Q)$$(TARGET_CC) -c $(B)/$(1).sym1.S -o $(B)/$(1).sym1.o
	$(Q)$$(TARGET_LD) -T kernel/kernel.lds --gc-sections -o $$@ $(2) $(B)/$(1).sym1.o
	@rm -f $(B)/$(1).elf0 $(B)/$(1).sym?.S $(B)/$(1).sym?.o
endef

# An image, and in secure/ the same image for secure boot: it and its driver are signed.
define image
$(call link,$(1),$(2))
$(B)/$(1).efi: $(B)/$(1).elf
	$(Q)$(OBJCOPY) -O binary $$< $$@
$(call link,secure/$(1),$(subst $(PAYLOAD),$(SECURE_PAYLOAD),$(2)))
$(B)/secure/$(1).efi: $(B)/secure/$(1).elf $(CERTIFICATE) tools/sign.sh
	$(Q)$(OBJCOPY) -O binary $$< $$@.unsigned
	$(Q)tools/sign.sh $(SNAKEOIL) $$@.unsigned $$@
	@rm -f $$@.unsigned
endef

PAYLOAD := $(B)/kernel/boot/payload.S.o
ALL_OBJ := $(LIB_OBJ) $(KERNEL_OBJ) $(PROGRAM_OBJ) $(LIBFDT)
$(eval $(call image,image,$(ALL_OBJ)))
# The image with programs that test the gate from inside.
$(eval $(call image,with-gate,$(ALL_OBJ) $(call obj,$(wildcard tests/gate/*.[cS]))))
$(foreach a,$(ABLATIONS),$(eval $(call image,without-$(a),$(filter-out $(call obj,$(ABLATE_$(a))),$(ALL_OBJ)) $(B)/tests/ablate/$(a).o)))

-include $(shell find $(B) -name '*.d' 2>/dev/null)

include tests/host.mk
include tools/tools.mk
include bench/bench.mk
include linux/linux.mk
include tests/linux/guest.mk
