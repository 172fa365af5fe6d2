# SPDX-License-Identifier: MIT
# Tests that run on the build machine: `unit` (cmocka, with sanitizers and both
# compilers), `model` (spin), `fuzz` (libFuzzer), and `embed` (undefined symbols, size
# and stack of the library, on which embedders depend).

# The unit tests are built and run with each of these.
HOST_COMPILERS ?= clang gcc
HOST_CC_clang := $(CLANG)
HOST_CC_gcc := gcc
HOST_CFLAGS := $(WARN) -std=gnu11 -O1 -g -fno-strict-aliasing \
	-fno-omit-frame-pointer -pthread -Iinclude -Isrc
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
# The library without a gate: the tests have one of their own.
CORE_SRC := $(filter-out src/arm64/%,$(CAESURA_CORE) $(CAESURA_RECOVERY) $(CAESURA_NOW))
CORE_HEADERS := $(wildcard include/caesura/*.h src/*.h)

# ---- unit ----

UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_HEADERS := $(wildcard tests/unit/*.h) tests/model/states.h
INTERLEAVED := -DINTERLEAVE -include tests/unit/interleave.h

## unit-clang: the library's unit tests, compiled by clang
## unit-gcc: the library's unit tests, compiled by gcc
# $(1) compiler
define unit_build
$(OUT)/unit-$(1)/%.o: %.c $(CORE_HEADERS) $(UNIT_HEADERS) tests/host.mk
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC_$(1)) $(HOST_CFLAGS) $(SANITIZE) \
		$$(if $$(filter src/%,$$<),$(INTERLEAVED)) -c $$< -o $$@

$(OUT)/unit-$(1)/unit: $(patsubst %.c,$(OUT)/unit-$(1)/%.o,$(CORE_SRC) $(UNIT_SRC))
	$(Q)$(HOST_CC_$(1)) $(SANITIZE) -pthread $$^ -lcmocka -o $$@

.PHONY: unit-$(1)
unit-$(1): $(OUT)/unit-$(1)/unit
	@echo "# unit tests, $(1)"
	$(Q)UBSAN_OPTIONS=print_stacktrace=1 $(OUT)/unit-$(1)/unit
endef
$(eval $(call unit_build,clang))
$(eval $(call unit_build,gcc))

# The kernel's parsers of the tables that describe a machine.
TABLES_SRC := tests/tables/test_tables.c tests/fuzz/machine_seeds.c \
	kernel/boot/ram.c \
	$(addprefix kernel/dev/,acpi_parse.c tree_parse.c machine_check.c)
$(OUT)/unit-tables/tables: $(TABLES_SRC) $(wildcard kernel/dev/*.h kernel/boot/*.h \
		kernel/include/kernel/*.h tests/fuzz/*.h) tests/host.mk
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SANITIZE) -Ikernel/include -Ikernel \
		-Itests/fuzz $(TABLES_SRC) -lcmocka -lfdt -o $@

.PHONY: unit-tables
## unit-tables: tests of the kernel's parsers of ACPI and device trees
unit-tables: $(OUT)/unit-tables/tables
	@echo "# tables of machines"
	$(Q)UBSAN_OPTIONS=print_stacktrace=1 $<

# The sandbox's emulation, on a simulated processor.
ARM64_SRC := $(CAESURA_EMULATION) $(filter-out src/watch.c,$(CAESURA_RECOVERY)) \
	$(addprefix src/arm64/,frame.c mode.c end.c fixup.c) \
	$(addprefix src/,names.c regions.c memmap.c memattr.c tables.c)
ARM64_HEADERS := $(CORE_HEADERS) tests/unit/interleave.h \
	$(wildcard src/arm64/*.h tests/arm64/*.h)

# $(1) compiler, $(2) test
define arm64_build
$(OUT)/unit-arm64/$(2)-$(1): tests/arm64/$(2).c tests/arm64/fake.c tests/unit/interleave.c \
		$(ARM64_SRC) $(ARM64_HEADERS) tests/host.mk
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC_$(1)) $(HOST_CFLAGS) $(SANITIZE) -Itests/arm64 \
		-Itests/unit $(INTERLEAVED) $$(filter %.c,$$^) -lcmocka -o $$@
endef
ARM64_TESTS := $(foreach c,$(HOST_COMPILERS),$(foreach t,test_arm64 test_access,$(OUT)/unit-arm64/$(t)-$(c)))
$(foreach c,$(HOST_COMPILERS),$(foreach t,test_arm64 test_access,$(eval $(call arm64_build,$(c),$(t)))))

.PHONY: unit-arm64
## unit-arm64: tests of the sandbox's emulation
unit-arm64: $(ARM64_TESTS)
	@echo "# the sandbox's emulation"
	$(Q)for test in $^; do \
		UBSAN_OPTIONS=print_stacktrace=1 $$test || exit 1; done

# The Linux front ends, on the unit tests' simulated machine. A real mount is tested where
# FUSE is available.
EFIVARS_SRC := $(wildcard linux/efivars/*.c)
EFIVARS_TESTS := $(addprefix tests/linux/,linux_fixture.c test_name.c \
	test_rules.c test_efivars.c test_tree.c test_fuse.c) \
	$(addprefix tests/unit/,sim_host.c sim_firmware.c sim_gate.c)
EFIVARS_HEADERS := $(CORE_HEADERS) $(UNIT_HEADERS) \
	$(wildcard linux/efivars/*.h linux/lib/*.h tests/linux/*.h)
FUSE_CFLAGS = $(shell pkg-config --cflags fuse3)
FUSE_LIBS = $(shell pkg-config --libs fuse3)

# $(1) compiler
define efivars_build
$(OUT)/unit-efivars-$(1)/%.o: %.c $(EFIVARS_HEADERS) tests/host.mk
	@mkdir -p $$(@D)
	$(Q)$(HOST_CC_$(1)) $(HOST_CFLAGS) $(SANITIZE) $$(FUSE_CFLAGS) \
		-Ilinux -c $$< -o $$@

$(OUT)/unit-efivars-$(1)/unit: $(patsubst %.c,$(OUT)/unit-efivars-$(1)/%.o,\
		$(CORE_SRC) $(EFIVARS_SRC) $(EFIVARS_TESTS))
	$(Q)$(HOST_CC_$(1)) $(SANITIZE) -pthread $$^ -lcmocka $$(FUSE_LIBS) -o $$@
endef
$(foreach c,$(HOST_COMPILERS),$(eval $(call efivars_build,$(c))))

.PHONY: unit-linux-efivars
## unit-linux-efivars: tests of the variables as files
unit-linux-efivars: $(HOST_COMPILERS:%=$(OUT)/unit-efivars-%/unit)
	@echo "# variables as files, on Linux"
	$(Q)for test in $^; do \
		UBSAN_OPTIONS=print_stacktrace=1 $$test || exit 1; done

# caesurad's flash chip and state file; the firmware in these tests is arm64 code.
LINUX_UNIT := $(OUT)/unit-linux
LINUX_FLASH := $(addprefix linux/commit/,a64.c flash.c flash_apply.c flash_chip.c \
	flash_copy.c flash_fault.c nor.c)
LINUX_STATE := $(addprefix linux/commit/,journal.c pending.c state.c)
LINUX_COMMIT := $(LINUX_FLASH) $(LINUX_STATE) \
	$(addprefix linux/commit/,belief.c persist.c store_check.c)
LINUX_UNIT_SRC := $(LINUX_COMMIT) linux/host/pin.c \
	$(addprefix linux/machine/,fdt_chosen.c pl031.c resume.c) \
	src/arm64/access.c $(addprefix tests/linux/,fixture.c chip.c device.c)
LINUX_HEADERS := $(wildcard linux/*/*.h tests/linux/*.h)
LINUX_UNIT_HEADERS := $(CORE_HEADERS) src/arm64/access.h $(LINUX_HEADERS)
# The test replaces the clock and sleeping, for the times of the flash chip.
LINUX_UNIT_LINK_test_flash := -Wl,--wrap=clock_gettime,--wrap=nanosleep
LINUX_UNIT_TESTS := test_flash test_state test_a64 test_store_check \
	test_pl031 test_persist test_pin test_fdt_chosen test_resume \
	test_belief test_origin
LINUX_UNIT_SRC_test_origin := linux/host/origin.c linux/host/report.c

$(LINUX_UNIT)/firmware.bin: tests/linux/firmware.c tests/linux/firmware.h tests/host.mk
	@mkdir -p $(@D)
	$(Q)aarch64-linux-gnu-gcc $(WARN) -std=gnu11 -O2 -ffreestanding \
		-fno-tree-loop-distribute-patterns -mgeneral-regs-only \
		-fno-stack-protector -fno-asynchronous-unwind-tables -fno-pic \
		-no-pie -nostdlib -static -Wl,--section-start=.entry=0x40000000 \
		-Wl,-Ttext=0x40001000 -Wl,--build-id=none -Wl,-e,entry $< \
		-o $(@:.bin=.elf)
	$(Q)$(OBJCOPY) -O binary -j .entry -j .text -j .rodata \
		$(@:.bin=.elf) $@

# $(1) compiler, $(2) test
define linux_unit_build
$(LINUX_UNIT)/$(2)-$(1): tests/linux/$(2).c $(LINUX_UNIT_SRC) \
		$(LINUX_UNIT_SRC_$(2)) \
		$(LINUX_UNIT_HEADERS) $(LINUX_UNIT)/firmware.bin tests/host.mk
	$(Q)$(HOST_CC_$(1)) $(HOST_CFLAGS) $(SANITIZE) -D_GNU_SOURCE -Ilinux -Itests/linux \
		-DFIRMWARE_IMAGE='"$(LINUX_UNIT)/firmware.bin"' $(LINUX_UNIT_LINK_$(2)) \
		$$(filter %.c,$$^) -lcmocka -lfdt -o $$@
endef
$(foreach c,$(HOST_COMPILERS),$(foreach t,$(LINUX_UNIT_TESTS),$(eval $(call linux_unit_build,$(c),$(t)))))

.PHONY: unit-linux
## unit-linux: tests of caesurad's flash and state
unit-linux: $(foreach c,$(HOST_COMPILERS),$(foreach t,$(LINUX_UNIT_TESTS),$(LINUX_UNIT)/$(t)-$(c)))
	@echo "# caesurad's flash and state"
	$(Q)for test in $^; do \
		UBSAN_OPTIONS=print_stacktrace=1 $$test || exit 1; done

# The misbehaving driver: how it splits its entry in the Memory Attributes Table, and how
# it goes wrong in a chosen write to the flash, whatever number of writes firmware makes.
ADVERSARY_TESTS := $(OUT)/unit-adversary/split $(OUT)/unit-adversary/flash
$(ADVERSARY_TESTS): $(OUT)/unit-adversary/%: tests/adversary/test_%.c \
		adversary/%.c $(wildcard adversary/*.h) tests/host.mk
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(SANITIZE) -Iadversary $(filter %.c,$^) \
		-lcmocka -o $@

.PHONY: unit-adversary
## unit-adversary: tests of the misbehaving driver's own parts
unit-adversary: $(ADVERSARY_TESTS)
	@echo "# the misbehaving driver"
	$(Q)for test in $^; do \
		UBSAN_OPTIONS=print_stacktrace=1 $$test || exit 1; done

## unit: all unit tests
unit: $(HOST_COMPILERS:%=unit-%) unit-tables unit-arm64 unit-linux unit-linux-efivars \
	unit-adversary

# Builds the programs of the unit tests without running them.
.PHONY: unit-programs
## unit-programs: build all unit tests and run none
unit-programs: $(foreach c,$(HOST_COMPILERS),$(OUT)/unit-$(c)/unit $(OUT)/unit-efivars-$(c)/unit) \
	$(OUT)/unit-tables/tables $(ADVERSARY_TESTS) $(ARM64_TESTS) \
	$(foreach c,$(HOST_COMPILERS),$(foreach t,$(LINUX_UNIT_TESTS),$(LINUX_UNIT)/$(t)-$(c)))

# ---- model: the request's state machine, by spin ----

.PHONY: model
## model: check the model of a request's states with spin
model:
	$(Q)sh tests/model/check.sh $(OUT)/model

# ---- fuzz: RUNS inputs for each target, which start from the corpus in the tree and from
# generated seeds; new findings stay in $(FUZZ)/corpus ----

RUNS ?= 20000
# The library's parsers have a small host of their own; the kernel's are linked with libfdt.
FUZZ_LIBRARY := memory_map attributes images tables
FUZZ_KERNEL := acpi tree
FUZZ_TARGETS := $(FUZZ_LIBRARY) $(FUZZ_KERNEL) trap flash state store_check \
	efivars_name
FUZZ_LIBRARY_SRC := $(addprefix src/,memmap.c memattr.c regions.c tables.c \
	images.c names.c) tests/fuzz/host.c
FUZZ_KERNEL_SRC := $(addprefix kernel/dev/,acpi_parse.c tree_parse.c \
	machine_check.c) tests/fuzz/machine.c
FUZZ_TRAP_SRC := $(ARM64_SRC) tests/arm64/fake.c
FUZZ_FLASH_SRC := $(LINUX_FLASH) src/arm64/access.c tests/linux/chip.c
FUZZ_STATE_SRC := $(FUZZ_FLASH_SRC) $(LINUX_STATE)
FUZZ_STORE_CHECK_SRC := linux/commit/store_check.c tests/linux/chip.c
FUZZ_EFIVARS_SRC := linux/efivars/name.c linux/efivars/rules.c
FUZZ_HEADERS := $(ARM64_HEADERS) $(wildcard tests/fuzz/*.h kernel/dev/*.h \
	kernel/include/kernel/*.h) $(LINUX_HEADERS)
FUZZ := $(OUT)/fuzz
FUZZ_CFLAGS := $(HOST_CFLAGS) -O2 -Itests/fuzz -Itests/arm64 \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_LINUX := $(addprefix tests/fuzz/,flash.c state.c store_check.c efivars_name.c)
FUZZ_CC = $(CLANG) $(FUZZ_CFLAGS) $(if $(filter src/%,$<),,-Ikernel/include -Ikernel) \
	$(if $(filter linux/% tests/linux/% $(FUZZ_LINUX),$<),-D_GNU_SOURCE -Ilinux -Itests/linux)

$(FUZZ)/%.o: %.c $(FUZZ_HEADERS) tests/host.mk
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -c $< -o $@

fuzz_objects = $(FUZZ)/tests/fuzz/$(1).o $(patsubst %.c,$(FUZZ)/%.o,$(2))
define fuzz_link
$(FUZZ)/fuzz-$(1): $(call fuzz_objects,$(1),$(2))
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $$^ $(3) -o $$@
endef
$(foreach t,$(FUZZ_LIBRARY),$(eval $(call fuzz_link,$(t),$(FUZZ_LIBRARY_SRC))))
$(foreach t,$(FUZZ_KERNEL),$(eval $(call fuzz_link,$(t),$(FUZZ_KERNEL_SRC),-lfdt)))

$(eval $(call fuzz_link,trap,$(FUZZ_TRAP_SRC)))
$(eval $(call fuzz_link,flash,$(FUZZ_FLASH_SRC)))
$(eval $(call fuzz_link,state,$(FUZZ_STATE_SRC)))
$(eval $(call fuzz_link,store_check,$(FUZZ_STORE_CHECK_SRC)))
$(eval $(call fuzz_link,efivars_name,$(FUZZ_EFIVARS_SRC)))

$(FUZZ)/seeds: tests/fuzz/seeds.c tests/fuzz/machine_seeds.c $(FUZZ_HEADERS)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(filter %.c,$^) -lfdt -o $@

## fuzz-NAME: one fuzz target, a name in tests/fuzz/corpus
.PHONY: $(addprefix fuzz-,$(FUZZ_TARGETS))
$(addprefix fuzz-,$(FUZZ_TARGETS)): fuzz-%: $(FUZZ)/fuzz-% $(FUZZ)/seeds
	$(Q)rm -rf $(FUZZ)/corpus/$*
	$(Q)mkdir -p $(FUZZ)/corpus/$*
	$(Q)$(FUZZ)/seeds $* $(FUZZ)/corpus/$*
	@echo "# fuzz $*: $(RUNS) runs"
	$(Q)$(FUZZ)/fuzz-$* -runs=$(RUNS) -seed=1 -max_len=8192 -timeout=10 \
		-artifact_prefix=$(FUZZ)/$*- -verbosity=1 \
		$(FUZZ)/corpus/$* tests/fuzz/corpus/$* >$(FUZZ)/$*.log 2>&1 || \
		{ cat $(FUZZ)/$*.log; exit 1; }
	@grep -h DONE $(FUZZ)/$*.log

## fuzz: all fuzz targets, RUNS inputs each
fuzz: $(addprefix fuzz-,$(FUZZ_TARGETS))

.PHONY: fuzzers
## fuzzers: build all fuzz targets and run none
fuzzers: $(addprefix $(FUZZ)/fuzz-,$(FUZZ_TARGETS)) $(FUZZ)/seeds

# Adds the findings of fuzzing to the tree: the fewest files that reach the same coverage.
.PHONY: fuzz-corpus
## fuzz-corpus: put into tests/fuzz/corpus what fuzzing has found
fuzz-corpus: $(addprefix $(FUZZ)/fuzz-,$(FUZZ_TARGETS))
	$(Q)for target in $(FUZZ_TARGETS); do \
		mkdir -p $(FUZZ)/merged/$$target tests/fuzz/corpus/$$target && \
		rm -f $(FUZZ)/merged/$$target/* && \
		$(FUZZ)/fuzz-$$target -set_cover_merge=1 -use_counters=0 \
			-max_len=8192 \
			$(FUZZ)/merged/$$target tests/fuzz/corpus/$$target \
			$(FUZZ)/corpus/$$target >$(FUZZ)/merge.log 2>&1 || \
			{ cat $(FUZZ)/merge.log; exit 1; }; \
		rm -f tests/fuzz/corpus/$$target/* && \
		cp $(FUZZ)/merged/$$target/* tests/fuzz/corpus/$$target; \
	done

# ---- embed: what the library needs in a program that embeds it ----

EMBED := $(OUT)/embed
# Without the headers of $(TOOLCHAIN): both compilers are used here, each with its own.
EMBED_CFLAGS := $(WARN) -Iinclude \
	$(filter-out -g -gdwarf-4 -isystem /%,$(FREESTANDING))
EMBED_SRC := $(filter %.c,$(CAESURA_EL1))
EMBED_ASM := $(filter %.S,$(CAESURA_EL1))
# The sizes of the sandbox, and of recovery from firmware's faults, are listed beside that of
# the rest.
embed_objects = $(patsubst %.c,%.o,$(patsubst %.S,%.S.o,$(1)))
EMBED_SANDBOX := $(call embed_objects,$(CAESURA_SANDBOX) $(CAESURA_EMULATION))
EMBED_RECOVERY := $(call embed_objects,$(CAESURA_RECOVERY) src/arm64/mend.c)
EMBED_TEXT_MAX := 36864
EMBED_RECOVERY_MAX := 8192
EMBED_SANDBOX_MAX := 12288
EMBED_CC_clang := $(CLANG) --target=aarch64-linux-gnu
EMBED_CC_gcc := aarch64-linux-gnu-gcc
EMBED_EXTRA_gcc := -fcallgraph-info=su
EMBED_LD := aarch64-linux-gnu-ld
EMBED_FREESTANDING_clang := $(shell $(CLANG) --target=aarch64-linux-gnu \
	-print-file-name=include)
EMBED_FREESTANDING_gcc := $(shell aarch64-linux-gnu-gcc -print-file-name=include)

## embed-clang: what the library needs and its size, by clang
## embed-gcc: what the library needs and its size, by gcc
# $(1) compiler
define embed_build
$(EMBED)/$(1)/%.o: %.c $(CORE_HEADERS) $(wildcard src/arm64/*.h) tests/host.mk
	@mkdir -p $$(@D)
	$(Q)$(EMBED_CC_$(1)) $(EMBED_CFLAGS) -isystem $(EMBED_FREESTANDING_$(1)) \
		$(EMBED_EXTRA_$(1)) $$(if $$(filter src/%,$$<),-Isrc) \
		-c $$< -o $$@

$(EMBED)/$(1)/%.S.o: %.S $(wildcard src/arm64/*.h) tests/host.mk
	@mkdir -p $$(@D)
	$(Q)$(EMBED_CC_$(1)) $(EMBED_CFLAGS) -Isrc -c $$< -o $$@

# The library as one object; and the same with the template port and the example.
$(EMBED)/$(1)/caesura.o: $(patsubst %.c,$(EMBED)/$(1)/%.o,$(EMBED_SRC)) \
		$(patsubst %.S,$(EMBED)/$(1)/%.S.o,$(EMBED_ASM))
	$(Q)$(EMBED_LD) -r $$^ -o $$@

$(EMBED)/$(1)/example.o: $(EMBED)/$(1)/caesura.o \
		$(EMBED)/$(1)/tests/embed/example.o \
		$(EMBED)/$(1)/ports/template/port.o
	$(Q)$(EMBED_LD) -r $$^ -o $$@

.PHONY: embed-$(1)
embed-$(1): $(EMBED)/$(1)/caesura.o $(EMBED)/$(1)/example.o
	@echo "# embed, $(1)"
	@! $(NM) -u $(EMBED)/$(1)/caesura.o | awk '{ print "needs " $$$$NF }' | \
		grep -vE '^needs (cz_host_[a-z_]+|mem(cpy|move|set|cmp))$$$$'
	@! $(NM) -u $(EMBED)/$(1)/example.o | awk '{ print "needs " $$$$NF }' | \
		grep -vE '^needs mem(cpy|move|set|cmp)$$$$'
	@! $(NM) -g --defined-only $(EMBED)/$(1)/caesura.o | awk 'NF == 3 && \
		$$$$2 ~ /[BbDdCc]/ { print "global data " $$$$3 }' | grep .
	@aarch64-linux-gnu-size -A $(EMBED)/$(1)/caesura.o \
		$(addprefix $(EMBED)/$(1)/,$(EMBED_SANDBOX) $(EMBED_RECOVERY)) | \
		awk -v recovery="$(EMBED_RECOVERY)" ' \
		/:$$$$/ { part = $$$$1 ~ /caesura\.o/ ? "all" : "sandbox"; \
			name = $$$$1; sub(/^.*src\//, "src/", name); \
			if (index(" " recovery " ", " " name " ")) part = "recovery" } \
		/^\.text/ { text[part] += $$$$2 } \
		/^\.rodata/ { rodata[part] += $$$$2 } \
		/^\.(data|bss)/ { data += $$$$2 } \
		END { rest = text["all"] - text["sandbox"] - text["recovery"]; \
		printf "text: %d bytes (at most $(EMBED_TEXT_MAX)), rodata: %d, data: %d\n", \
			rest, rodata["all"] - rodata["sandbox"] - rodata["recovery"], data; \
		printf "text: recovery %d bytes more (at most $(EMBED_RECOVERY_MAX)), rodata: %d\n", \
			text["recovery"], rodata["recovery"]; \
		printf "text: the sandbox gate %d bytes more (at most $(EMBED_SANDBOX_MAX)), rodata: %d\n", \
			text["sandbox"], rodata["sandbox"]; \
		exit rest > $(EMBED_TEXT_MAX) || data > 0 || \
			text["recovery"] > $(EMBED_RECOVERY_MAX) || \
			text["sandbox"] > $(EMBED_SANDBOX_MAX) }'
endef
$(eval $(call embed_build,clang))
$(eval $(call embed_build,gcc))

.PHONY: embed
## embed: check what the library needs, its size and its stack, with both compilers
embed: embed-clang embed-gcc
	@awk -f tests/embed/stack.awk $(addprefix $(EMBED)/gcc/,$(EMBED_SRC:.c=.ci))
