# SPDX-License-Identifier: MIT
# Builds the meter for Linux: a static program for arm64, linked with Debian's libc.

BENCH := $(OUT)/linux
SYSROOT := $(BENCH)/sysroot
BENCH_CC := $(CLANG) --target=aarch64-linux-gnu --sysroot=$(abspath $(SYSROOT))
BENCH_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -g $(WARN)

.PHONY: bench
## bench: the wake-up meter for Linux
bench: $(BENCH)/meter

# The libraries are fetched once, and not again when the script changes.
$(SYSROOT): | bench/fetch.sh
	$(Q)bench/fetch.sh $(BENCH) libraries

$(BENCH)/bench/%.o: bench/%.c Makefile bench/bench.mk | $(SYSROOT)
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) $(BENCH_FLAGS) -MMD -MP -c $< -o $@

$(BENCH)/meter: $(BENCH)/bench/meter.o $(BENCH)/bench/load.o
	$(Q)$(BENCH_CC) -fuse-ld=lld -static $^ -o $@

-include $(wildcard $(BENCH)/bench/*.d)
