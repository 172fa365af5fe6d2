/* SPDX-License-Identifier: MIT */
#include "host/pin.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a CPU's register from sysfs. Returns false if the kernel does not show
 * it, as for a CPU that is offline. */
static bool read_register(const char *directory, unsigned long cpu,
			  const char *name, uint64_t *value)
{
	char path[512];
	char text[32] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/cpu%lu/regs/identification/%s",
		       directory, cpu, name);
	file = fopen(path, "re");
	if (file == NULL) {
		return false;
	}
	*value = fgets(text, sizeof(text), file) == NULL
			 ? 0
			 : strtoull(text, NULL, 16);
	(void)fclose(file);
	return text[0] != '\0';
}

static uint64_t model_of(const char *directory, unsigned long cpu)
{
	uint64_t midr, revidr;

	if (!read_register(directory, cpu, "midr_el1", &midr) ||
	    !read_register(directory, cpu, "revidr_el1", &revidr)) {
		return 0;
	}
	return midr << 32 | (uint32_t)revidr;
}

/* Parses a name such as "cpu12". */
static bool take_number(const char *name, unsigned long *cpu)
{
	char *end;

	if (strncmp(name, "cpu", 3) != 0 || name[3] < '0' || name[3] > '9') {
		return false;
	}
	*cpu = strtoul(name + 3, &end, 10);
	return *end == '\0';
}

void pin_read(struct pin *pin, const char *directory)
{
	DIR *cpus = opendir(directory);
	const struct dirent *entry;
	uint64_t first = 0;
	unsigned long cpu;

	memset(pin->model, 0, sizeof(pin->model));
	pin->one_model = cpus != NULL;
	while (cpus != NULL && (entry = readdir(cpus)) != NULL) {
		uint64_t model;

		if (!take_number(entry->d_name, &cpu)) {
			continue;
		}
		model = model_of(directory, cpu);
		if (cpu < CPU_SETSIZE) {
			pin->model[cpu] = model;
		}
		first = first == 0 ? model : first;
		pin->one_model = pin->one_model && model != 0 && model == first;
	}
	if (cpus != NULL) {
		(void)closedir(cpus);
	}
	pin->one_model = pin->one_model && first != 0;
}

void pin_choose(const struct pin *pin, int cpu, const cpu_set_t *from,
		cpu_set_t *to)
{
	CPU_ZERO(to);
	CPU_SET(cpu, to);
	for (int i = 0; i < CPU_SETSIZE && !pin->one_cpu; i++) {
		if (CPU_ISSET(i, from) && pin->model[cpu] != 0 &&
		    pin->model[i] == pin->model[cpu]) {
			CPU_SET(i, to);
		}
	}
}
