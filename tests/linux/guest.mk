# SPDX-License-Identifier: MIT
# The tests' own program in the guest: static, for arm64.

.PHONY: guest
guest: $(BENCH)/torture

$(BENCH)/torture: tests/linux/guest/torture.c Makefile tests/linux/guest.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) $(BENCH_FLAGS) -fuse-ld=lld -static $< -o $@
