# SPDX-License-Identifier: MIT
# caesurad is a static program for arm64, so that no shared library takes an address that
# firmware wants. It is linked with Debian's libc, libfuse3, libseccomp and libfdt, from
# $(SYSROOT) (bench/bench.mk).

LINUX := $(OUT)/linux
DAEMON_LIB := $(CAESURA_PROCESS)
DAEMON_SRC := $(wildcard $(addsuffix /*.c,$(addprefix linux/,\
	daemon host machine commit efivars)))
DAEMON_CC := $(CLANG) --target=aarch64-linux-gnu \
	--sysroot=$(abspath $(SYSROOT)) -fPIE
DAEMON_FLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g $(WARN) -Iinclude -MMD -MP
daemon_obj = $(patsubst %.c,$(LINUX)/%.o,$(patsubst %.S,$(LINUX)/%.S.o,$(1)))

.PHONY: daemon
## daemon: caesurad
daemon: $(LINUX)/caesurad

$(LINUX)/src/%.o: src/%.c Makefile linux/linux.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(DAEMON_CC) $(DAEMON_FLAGS) -ffreestanding -fno-builtin-printf \
		-fno-strict-aliasing -fno-stack-protector -mgeneral-regs-only \
		-Isrc -c $< -o $@

$(LINUX)/src/%.S.o: src/%.S Makefile linux/linux.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(DAEMON_CC) $(DAEMON_FLAGS) -Isrc -c $< -o $@

# Signal handlers call functions of these folders, and may not look a stack canary up first.
# The rule names folders, so that it holds for a new file as well.
$(LINUX)/linux/host/%.o $(LINUX)/linux/commit/%.o $(LINUX)/linux/machine/%.o: \
	DAEMON_FLAGS += -fno-stack-protector

$(LINUX)/linux/%.o: linux/%.c Makefile linux/linux.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(DAEMON_CC) $(DAEMON_FLAGS) -isystem $(SYSROOT)/usr/include/fuse3 -Ilinux \
		-Isrc -c $< -o $@

$(LINUX)/caesurad: $(call daemon_obj,$(DAEMON_LIB) $(DAEMON_SRC))
	$(Q)$(DAEMON_CC) -fuse-ld=lld -static-pie -Wl,--gc-sections $^ \
		-lfuse3 -lseccomp -lfdt -o $@

# Checks the instructions that the compiler made of the functions that access devices.
.PHONY: devices
## devices: the instructions by which caesurad accesses devices
devices: $(LINUX)/linux/machine/device.o $(LINUX)/src/arm64/el0/machine.o
	$(Q)$(OBJDUMP) -d --no-show-raw-insn $^ | awk -f tools/devices.awk

-include $(shell find $(LINUX)/linux $(LINUX)/src -name '*.d' 2>/dev/null)

# A provider without firmware, for the module's tests.
$(LINUX)/fake_provider: tests/linux/fake_provider.c \
		$(addprefix linux/machine/,provider.c fdt_chosen.c provider.h fdt_chosen.h) \
		linux/module/caesura-uapi.h | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(DAEMON_CC) $(DAEMON_FLAGS) -Ilinux -fuse-ld=lld -static-pie \
		$(filter %.c,$^) -lfdt -o $@

# Makes the Debian packages of the daemon and of the module's source.
.PHONY: deb
## deb: Debian packages of caesurad and of the module's source
deb: $(LINUX)/caesurad
	@mkdir -p $(OUT)/deb
	$(Q)$(OBJCOPY) --strip-all $< $(OUT)/deb/caesurad
	$(Q)linux/debian/build.sh $(OUT)/deb/caesurad $(OUT)/deb
