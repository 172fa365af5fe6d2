# SPDX-License-Identifier: MIT
# The meter for Linux: a static program for arm64.

BENCH := $(OUT)/linux
BENCH_CC := aarch64-linux-gnu-gcc
BENCH_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -g $(WARN)

.PHONY: bench
bench: $(BENCH)/meter

$(BENCH)/bench/%.o: bench/%.c Makefile bench/bench.mk
	@mkdir -p $(@D)
	$(Q)$(BENCH_CC) $(BENCH_FLAGS) -MMD -c $< -o $@

$(BENCH)/meter: $(BENCH)/bench/meter.o $(BENCH)/bench/load.o
	$(Q)$(BENCH_CC) -static $^ -o $@

-include $(wildcard $(BENCH)/bench/*.d)
