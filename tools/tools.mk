# SPDX-License-Identifier: MIT
# Builds the host programs and their test.

T := $(OUT)/tools
TOOLS_CC := gcc
TOOLS_FLAGS := -std=c11 -D_GNU_SOURCE -O2 -g $(WARN)
TOOLS_OBJ := $(patsubst %,$(T)/%.o,measure rows bounds html)

.PHONY: tools tools-test tools-test-program
## tools: the host programs that read results
tools: $(T)/results

## tools-test-program: build the tests of the host programs
tools-test-program: $(T)/test_measure

## tools-test: build and run the tests of the host programs
tools-test: $(T)/test_measure
	$(Q)$(T)/test_measure

$(T)/%.o: tools/%.c Makefile tools/tools.mk
	@mkdir -p $(@D)
	$(Q)$(TOOLS_CC) $(TOOLS_FLAGS) -MMD -MP -c $< -o $@

$(T)/results: $(T)/results.o $(TOOLS_OBJ)
	$(Q)$(TOOLS_CC) $^ -ljansson -o $@

$(T)/test_measure: $(T)/test_measure.o $(TOOLS_OBJ)
	$(Q)$(TOOLS_CC) $^ -lcmocka -ljansson -o $@

-include $(wildcard $(T)/*.d)
