# SPDX-License-Identifier: MIT
# The tests' own programs in the guest: static programs for arm64.

GUEST_PROGRAMS := torture starve inject

.PHONY: guest
## guest: the programs and drivers of the tests on Linux
guest: $(GUEST_PROGRAMS:%=$(BENCH)/%) drivers

$(GUEST_PROGRAMS:%=$(BENCH)/%): $(BENCH)/%: tests/linux/guest/%.c Makefile \
		tests/linux/guest.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) $(BENCH_FLAGS) -fuse-ld=lld -static $< -o $@

# Drivers that firmware loads before Linux, and that turn QEMU's machine into another.
DRIVERS := $(addprefix $(B)/drivers/,ram.efi file.efi buffer.efi)
DRIVER_OBJ := $(addprefix $(B)/adversary/,attributes.obj split.obj) \
	$(addprefix $(B)/drivers/,ram.obj relocation.obj)

.PHONY: drivers
## drivers: the drivers that change QEMU's machine before Linux boots
drivers: $(DRIVERS)

$(B)/drivers/%.obj: tests/linux/drivers/%.c $(wildcard tests/linux/drivers/*.h) \
		$(wildcard adversary/*.h) Makefile tests/linux/guest.mk
	@mkdir -p $(@D)
	$(Q)$(PE_CC) $(PE_FLAGS) -c $< -o $@

$(DRIVERS): $(B)/drivers/%.efi: $(B)/drivers/%_entry.obj $(DRIVER_OBJ)
	$(Q)lld-link /subsystem:efi_runtime_driver /entry:driver_entry \
		/nodefaultlib /driver /align:65536 /merge:.rdata=.text /out:$@ $^
