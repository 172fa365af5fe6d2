# SPDX-License-Identifier: MIT
# The library's files, for embedders' makefiles as well as for this tree's: every
# file is in exactly one list, as a path from the top of the tree. A kernel at EL1
# compiles all lists but CAESURA_EL0, a process at EL0 compiles CAESURA_CORE,
# CAESURA_RECOVERY, CAESURA_EMULATION and CAESURA_EL0.

# What every host needs.
CAESURA_CORE := $(addprefix src/,arguments.c images.c init.c memattr.c memmap.c names.c \
	regions.c requests.c selftest.c services.c space.c tables.c \
	worker.c) \
	$(addprefix src/arm64/,end.c frame.c trampoline.c)

# Limits of calls, reports of how a call ended, and what is withdrawn after it.
CAESURA_RECOVERY := $(addprefix src/,device_writes.c ending.c policy.c watch.c) \
	src/arm64/describe.c

# Calls outside the queue. A host that makes none leaves these files out.
CAESURA_NOW := $(addprefix src/,now.c owner.c reset.c selftest_now.c)

# The gates of a kernel at EL1. The direct gate shares gate.c and mode.c with the
# sandbox, so that a kernel compiles CAESURA_SANDBOX and CAESURA_EMULATION too.
CAESURA_DIRECT := $(addprefix src/arm64/,gate.c gate_direct.S mend.c mode.c pstate.c)
CAESURA_SANDBOX := $(addprefix src/arm64/,fixup.c gate_sandbox.S machine.c machine.S)

# What firmware at EL0 may not do and is done for it, for the sandbox and for a
# process.
CAESURA_EMULATION := $(addprefix src/arm64/,access.c align.c broker.c mask.c trap.c)

# The gate of a process at EL0.
CAESURA_EL0 := $(addprefix src/arm64/el0/,gate.c gate_el0.S machine.c)

CAESURA_EL1 := $(CAESURA_CORE) $(CAESURA_RECOVERY) $(CAESURA_NOW) \
	$(CAESURA_DIRECT) $(CAESURA_SANDBOX) $(CAESURA_EMULATION)
CAESURA_PROCESS := $(CAESURA_CORE) $(CAESURA_RECOVERY) $(CAESURA_EMULATION) \
	$(CAESURA_EL0)
