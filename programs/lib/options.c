/* SPDX-License-Identifier: MIT */
/*
 * Every option of the command line and its permitted values. They are checked
 * before anything runs. docs/formats.md says what they mean.
 */
#include "lib/common.h"

#define FLAG(program_, name_)                            \
	{                                                \
		program_, name_, OPTION_FLAG, NULL, 0, 0 \
	}
#define WORD(program_, name_, words_)                      \
	{                                                  \
		program_, name_, OPTION_WORD, words_, 0, 0 \
	}
#define NUMBER(program_, name_, least_, most_)                      \
	{                                                           \
		program_, name_, OPTION_NUMBER, NULL, least_, most_ \
	}
#define TEXT(program_, name_)                            \
	{                                                \
		program_, name_, OPTION_TEXT, NULL, 0, 0 \
	}

#define ANY UINT64_MAX
#define PHASES "control|gettime|getvariable|setvariable|mask"
#define MODES "direct|sandbox|blocking"

const struct option_rule option_rules[] = {
	WORD(NULL, "map", "identity|set"),
	WORD(NULL, "gate", "direct|sandbox"),
	FLAG(NULL, "adversary"),
	NUMBER(NULL, "seed", 0, ANY),
	FLAG(NULL, "record"),
	NUMBER(NULL, "cpus", 1, 8),
	NUMBER(NULL, "kill_ms", 1, 1000000),
	NUMBER(NULL, "requests", 1, CZ_MAX_REQUESTS),

	WORD("selftest", "slow", "masked"),

	WORD("latency", "mode", MODES),
	WORD("latency", "phase", "idle|" PHASES),
	NUMBER("latency", "rate", 1, 100000),
	NUMBER("latency", "samples", 1, 10000000),
	NUMBER("latency", "calls", 1, ANY),
	NUMBER("latency", "value", 1, MAX_VALUE_BYTES),
	NUMBER("latency", "masked", 2, 1000000000),

	WORD("latsweep", "mode", MODES),
	WORD("latsweep", "phase", PHASES),
	TEXT("latsweep", "part"),
	NUMBER("latsweep", "value", 1, MAX_VALUE_BYTES),
	NUMBER("latsweep", "masked", 2, 1000000000),

	WORD("soft", "kind", "soft|hard"),

	WORD("cost", "service", PHASES),
	WORD("cost", "how", "raw|queue"),
	NUMBER("cost", "calls", 1, 100000),
	NUMBER("cost", "value", 1, MAX_VALUE_BYTES),

	TEXT("sweep", "service"),
	NUMBER("sweep", "points", 1, 1000000),
	NUMBER("sweep", "first", 0, 1000000),
	NUMBER("sweep", "count", 1, 1000000),
	NUMBER("sweep", "value", 1, MAX_VALUE_BYTES),

	WORD("escape", "set", "all|registers|accesses|calls|system|random"),
	NUMBER("escape", "words", 1, 100000000),
	NUMBER("escape", "first", 0, ANY),

	NUMBER("registers", "calls", 1, 1000),
	NUMBER("affinity", "calls", 1, 10000),

	NUMBER("stress", "threads", 1, 64),
	NUMBER("stress", "calls", 1, 10000000),
	NUMBER("stress", "sets", 0, 300),
	NUMBER("stress", "value", 8, MAX_VALUE_BYTES / 2),

	WORD("misbehave", "step", "do|read"),
	TEXT("misbehave", "name"),
	TEXT("misbehave", "outcome"),
	WORD("misbehave", "by", "get|set"),
	WORD("misbehave", "address", "data|text|constants|unmapped"),
	FLAG("misbehave", "then"),
	NUMBER("misbehave", "deadline_ms", 1, 1000000),
	NUMBER("misbehave", "bound", 1, 1000000),

	WORD("persist", "step", "write|read"),
	WORD("persist", "way", "firmware|fallback|now"),

	WORD("panic", "when", "call|idle|execute"),
	WORD("panic", "step", "read"),
};

const size_t option_rule_count = sizeof(option_rules) / sizeof(option_rules[0]);
