/* SPDX-License-Identifier: MIT */
/*
 * Reads the nodes of a device tree with libfdt. libfdt checks the structure,
 * this file the meaning. The contents are not trusted: a property's length is
 * checked before the property is read, and no walk goes up more than MAX_DEPTH
 * levels.
 */
#include "dev/tree_parse.h"
#include <kernel/string.h>
#include <libfdt.h>
#include <stdbool.h>

#define MAX_DEPTH 16
#define TREE_VERSION 17 /* the only version that the specification describes */
#define FDT_TAGALIGN(bytes) (((bytes) + 3) & ~(size_t)3)
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

#define TIMER_VIRTUAL 2 /* index of the virtual timer in "interrupts" */
#define INTERRUPT_PPI 1
#define FIRST_PPI 16
#define PPI_COUNT 16

struct parser {
	const void *tree;
	struct machine *found;
	struct tree_place *place;
	int gic; /* the interrupt controller's node */
};

/* Stores the place of an error in parser->place. Returns `why`, the error. */
static const char *error_at(struct parser *parser, int node,
			    const char *property, const char *why)
{
	struct tree_place *place = parser->place;
	int length = 0;
	const char *name = fdt_get_name(parser->tree, node, &length);
	size_t count = 0;

	for (; name != NULL && count < (size_t)length &&
	       count < sizeof(place->node) - 1;
	     count++) {
		char c = name[count];
		place->node[count] = c > ' ' && c < 0x7f ? c : '?';
	}
	if (count == 0) {
		place->node[count++] = '/';
	}
	place->node[count] = '\0';
	place->property = property;
	return why;
}

static uint64_t read_cells(const fdt32_t *cell, uint32_t count)
{
	uint64_t value = 0;

	while (count-- > 0) {
		value = value << 32 | fdt32_ld(cell++);
	}
	return value;
}

/* Returns the value of a property of one cell; `otherwise` if it is absent or
 * has another length. */
static uint32_t read_cell(struct parser *parser, int node, const char *name,
			  uint32_t otherwise)
{
	int length;
	const void *value = fdt_getprop(parser->tree, node, name, &length);

	return value != NULL && length == 4 ? fdt32_ld(value) : otherwise;
}

/* Returns whether a property that is a list of strings contains this string. */
static bool has_string(struct parser *parser, int node, const char *property,
		       const char *string)
{
	return fdt_stringlist_search(parser->tree, node, property, string) >= 0;
}

static bool is_compatible(struct parser *parser, int node,
			  const char *const *names)
{
	for (; *names != NULL; names++) {
		if (has_string(parser, node, "compatible", *names)) {
			return true;
		}
	}
	return false;
}

static bool is_enabled(struct parser *parser, int node)
{
	return fdt_getprop(parser->tree, node, "status", NULL) == NULL ||
	       has_string(parser, node, "status", "okay") ||
	       has_string(parser, node, "status", "ok");
}

/* Returns the first enabled node that is compatible with one of the names, or a
 * negative number. */
static int find_node(struct parser *parser, const char *const *names)
{
	int node = 0;

	while (node >= 0 && !(is_compatible(parser, node, names) &&
			      is_enabled(parser, node))) {
		node = fdt_next_node(parser->tree, node, NULL);
	}
	return node;
}

/* ---- addresses ---- */

/* Reads how many cells the addresses and sizes of a bus's children have.
 * Returns false unless that is 1 or 2 for addresses and 0 to 2 for sizes. */
static bool read_cell_counts(struct parser *parser, int bus, uint32_t *address,
			     uint32_t *size)
{
	*address = read_cell(parser, bus, "#address-cells", 2);
	*size = read_cell(parser, bus, "#size-cells", 1);
	return *address >= 1 && *address <= 2 && *size <= 2;
}

/* Translates an address on `bus` to an address on its parent bus, `above`. */
static const char *translate_once(struct parser *parser, int bus, int above,
				  uint64_t *address)
{
	uint32_t cells, size_cells, above_cells, above_size_cells;
	int length;
	const fdt32_t *range =
		fdt_getprop(parser->tree, bus, "ranges", &length);

	if (range == NULL) {
		return error_at(parser, bus, "ranges",
				"missing on the path to a device");
	}
	if (length == 0) {
		return NULL;
	}
	if (!read_cell_counts(parser, bus, &cells, &size_cells) ||
	    !read_cell_counts(parser, above, &above_cells, &above_size_cells)) {
		return error_at(parser, bus, "#address-cells", "not 1 or 2");
	}
	uint32_t step = cells + above_cells + size_cells;
	for (uint32_t i = 0; (i + 1) * step * 4 <= (uint32_t)length; i++) {
		uint64_t from = read_cells(range + i * step, cells);
		uint64_t to = read_cells(range + i * step + cells, above_cells);
		uint64_t size = read_cells(range + (i + 1) * step - size_cells,
					   size_cells);
		if (*address >= from && *address - from < size) {
			*address = *address - from + to;
			return NULL;
		}
	}
	return error_at(parser, bus, "ranges",
			"does not hold a device's address");
}

/* Reads entry `index` of a node's "reg", and translates it to an address that
 * the CPU can use. */
static const char *read_reg(struct parser *parser, int node, uint32_t index,
			    uint64_t *address, uint64_t *size)
{
	uint32_t address_cells, size_cells;
	int length;
	int bus = fdt_parent_offset(parser->tree, node);
	const fdt32_t *reg = fdt_getprop(parser->tree, node, "reg", &length);

	if (bus < 0 ||
	    !read_cell_counts(parser, bus, &address_cells, &size_cells)) {
		return error_at(parser, bus < 0 ? node : bus, "#address-cells",
				"not 1 or 2");
	}
	uint32_t step = address_cells + size_cells;
	if (reg == NULL || (uint32_t)length < (index + 1) * step * 4) {
		return error_at(parser, node, "reg", "missing or too short");
	}
	*address = read_cells(reg + index * step, address_cells);
	*size = read_cells(reg + index * step + address_cells, size_cells);
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		int above = fdt_parent_offset(parser->tree, bus);
		if (above < 0) {
			return *address == 0 || *address + *size < *address
				       ? error_at(parser, node, "reg",
						  "no sensible address")
				       : NULL;
		}
		const char *why = translate_once(parser, bus, above, address);
		if (why != NULL) {
			return why;
		}
		bus = above;
	}
	return error_at(parser, node, "reg", "nested too deep");
}

/* ---- the console ---- */

static const char *const pl011_names[] = {"arm,pl011", "arm,sbsa-uart", NULL};

/* Returns the node that a path, or an alias of a path, names. A colon ends
 * both. */
static int find_path(struct parser *parser, const char *path, int length)
{
	const char *colon = memchr(path, ':', (size_t)length);
	int count = colon != NULL ? (int)(colon - path) : length - 1;

	if (count > 0 && path[0] != '/') {
		/* Follow one alias only. libfdt would loop for ever on an alias
		 * that names itself. */
		int aliases = fdt_path_offset(parser->tree, "/aliases");
		path = aliases < 0 ? NULL
				   : fdt_getprop_namelen(parser->tree, aliases,
							 path, count, &length);
		count = length - 1;
	}
	if (path == NULL || count <= 0 || path[0] != '/') {
		return -FDT_ERR_BADPATH;
	}
	return fdt_path_offset_namelen(parser->tree, path, count);
}

static const char *parse_console(struct parser *parser)
{
	uint64_t size;
	int length = 0;
	int node = find_node(parser, pl011_names);
	int chosen = fdt_path_offset(parser->tree, "/chosen");
	const char *path = NULL;

	if (node >= 0) {
		/* Use this port until stdout-path has been read, so that errors
		 * on the way can be reported. */
		const char *why =
			read_reg(parser, node, 0, &parser->found->uart, &size);
		if (why != NULL) {
			parser->found->uart = 0;
			return why;
		}
	}
	if (chosen >= 0) {
		path = fdt_getprop(parser->tree, chosen, "stdout-path",
				   &length);
	}
	if (path == NULL) {
		return node >= 0 ? NULL
				 : error_at(parser, 0, "", "no PL011 console");
	}
	node = length > 0 ? find_path(parser, path, length) : -1;
	if (node < 0) {
		return error_at(parser, chosen, "stdout-path", "names no node");
	}
	if (!is_compatible(parser, node, pl011_names)) {
		return error_at(parser, node, "compatible",
				"the console is not a PL011");
	}
	uint64_t uart;
	const char *why = read_reg(parser, node, 0, &uart, &size);
	if (why == NULL) {
		parser->found->uart = uart;
	}
	return why;
}

/* ---- interrupts ---- */

static const char *parse_gic(struct parser *parser)
{
	static const char *const v3[] = {"arm,gic-v3", NULL};
	static const char *const v2[] = {"arm,gic-400", "arm,cortex-a15-gic",
					 "arm,cortex-a7-gic", NULL};
	struct machine *found = parser->found;
	uint64_t size;
	const char *why;

	found->gic_version = 3;
	parser->gic = find_node(parser, v3);
	if (parser->gic < 0) {
		found->gic_version = 2;
		parser->gic = find_node(parser, v2);
	}
	if (parser->gic < 0) {
		return error_at(parser, 0, "",
				"no interrupt controller: GICv2 or v3");
	}
	why = read_reg(parser, parser->gic, 0, &found->gic_distributor, &size);
	if (why != NULL) {
		return why;
	}
	if (found->gic_version == 2) {
		return read_reg(parser, parser->gic, 1,
				&found->gic_cpu_interface, &size);
	}
	return read_reg(parser, parser->gic, 1, &found->gic_redistributor,
			&found->gic_redistributor_size);
}

/* Returns the interrupt parent of a node: the one that the node itself names,
 * or else the one that its closest ancestor names. */
static int interrupt_parent(struct parser *parser, int node)
{
	for (int depth = 0; depth < MAX_DEPTH && node >= 0; depth++) {
		uint32_t phandle =
			read_cell(parser, node, "interrupt-parent", 0);
		if (phandle != 0) {
			return fdt_node_offset_by_phandle(parser->tree,
							  phandle);
		}
		node = fdt_parent_offset(parser->tree, node);
	}
	return -FDT_ERR_NOTFOUND;
}

static const char *parse_timer(struct parser *parser)
{
	static const char *const names[] = {"arm,armv8-timer", NULL};
	int node = find_node(parser, names);

	if (node < 0) {
		return error_at(parser, 0, "", "no armv8 timer");
	}
	if (interrupt_parent(parser, node) != parser->gic) {
		return error_at(parser, node, "interrupt-parent",
				"not the interrupt controller");
	}
	uint32_t cells = read_cell(parser, parser->gic, "#interrupt-cells", 0);
	if (cells < 3 || cells > 4) {
		return error_at(parser, parser->gic, "#interrupt-cells",
				"not 3 or 4");
	}
	int index = fdt_stringlist_search(parser->tree, node, "interrupt-names",
					  "virt");
	if (index < 0) {
		index = TIMER_VIRTUAL;
	}
	int length;
	const fdt32_t *list =
		fdt_getprop(parser->tree, node, "interrupts", &length);
	if (list == NULL ||
	    (uint64_t)length < 4 * (uint64_t)cells * ((uint64_t)index + 1)) {
		return error_at(parser, node, "interrupts",
				"lacks the virtual timer's interrupt");
	}
	list += cells * (uint32_t)index;
	uint32_t number = fdt32_ld(list + 1);
	if (fdt32_ld(list) != INTERRUPT_PPI || number >= PPI_COUNT) {
		return error_at(parser, node, "interrupts",
				"the virtual timer's interrupt is not a PPI");
	}
	parser->found->timer_irq = FIRST_PPI + number;
	return NULL;
}

/* ---- CPUs and power ---- */

static const char *parse_cpu(struct parser *parser, int cpus, int node,
			     uint64_t boot_mpidr)
{
	struct machine *found = parser->found;
	uint32_t cells = read_cell(parser, cpus, "#address-cells", 2);
	int length;
	const fdt32_t *reg = fdt_getprop(parser->tree, node, "reg", &length);

	if (cells < 1 || cells > 2) {
		return error_at(parser, cpus, "#address-cells", "not 1 or 2");
	}
	if (reg == NULL || (uint32_t)length != 4 * cells) {
		return error_at(parser, node, "reg", "not a CPU's number");
	}
	uint64_t mpidr = read_cells(reg, cells);
	if ((mpidr & ~MPIDR_AFFINITY) != 0) {
		return error_at(parser, node, "reg", "not a CPU's number");
	}
	if (found->cpu_count < MACHINE_MAX_CPUS &&
	    (mpidr == boot_mpidr ||
	     has_string(parser, node, "enable-method", "psci"))) {
		found->mpidr[found->cpu_count++] = mpidr;
	}
	return NULL;
}

static const char *parse_cpus(struct parser *parser, uint64_t boot_mpidr)
{
	int cpus = fdt_path_offset(parser->tree, "/cpus");
	int node;

	if (cpus < 0) {
		return error_at(parser, 0, "", "no /cpus");
	}
	fdt_for_each_subnode(node, parser->tree, cpus)
	{
		if (!has_string(parser, node, "device_type", "cpu") ||
		    !is_enabled(parser, node)) {
			continue;
		}
		const char *why = parse_cpu(parser, cpus, node, boot_mpidr);
		if (why != NULL) {
			return why;
		}
	}
	return parser->found->cpu_count > 0
		       ? NULL
		       : error_at(parser, cpus, "",
				  "no CPU that can be started");
}

static const char *parse_psci(struct parser *parser)
{
	/* Before version 0.2, each board has its own function numbers. */
	static const char *const names[] = {"arm,psci-0.2", "arm,psci-1.0",
					    NULL};
	int node = find_node(parser, names);

	if (node < 0) {
		parser->found->psci = PSCI_NONE;
	} else if (has_string(parser, node, "method", "hvc")) {
		parser->found->psci = PSCI_HVC;
	} else if (has_string(parser, node, "method", "smc")) {
		parser->found->psci = PSCI_SMC;
	} else {
		return error_at(parser, node, "method", "neither hvc nor smc");
	}
	return NULL;
}

size_t tree_size(const void *header)
{
	uint32_t size = fdt_totalsize(header);

	return fdt_magic(header) == FDT_MAGIC && size >= TREE_HEADER_BYTES &&
			       size <= TREE_MAX_BYTES
		       ? size
		       : 0;
}

/* Returns the length of the tag at `at` together with its data; 0 if it is
 * longer than `left` bytes or is not a valid tag. */
static size_t tag_bytes(const uint8_t *at, size_t left)
{
	const uint8_t *end;
	size_t length;

	switch (fdt32_ld((const fdt32_t *)at)) {
	case FDT_BEGIN_NODE:
		end = memchr(at + FDT_TAGSIZE, 0, left - FDT_TAGSIZE);
		return end != NULL ? (size_t)(end + 1 - at) : 0;
	case FDT_PROP:
		if (left < sizeof(struct fdt_property)) {
			return 0;
		}
		length = fdt32_ld((const fdt32_t *)(at + FDT_TAGSIZE));
		return length <= left - sizeof(struct fdt_property)
			       ? length + sizeof(struct fdt_property)
			       : 0;
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		return FDT_TAGSIZE;
	default:
		return 0;
	}
}

/* Walks over all tags of the structure block up to FDT_END. Returns NULL or the
 * description of an error. */
static const char *walk_tags(const uint8_t *tree, size_t size)
{
	size_t start = fdt_off_dt_struct(tree);
	size_t left = fdt_size_dt_struct(tree);

	if (start % FDT_TAGSIZE != 0 || start > size || left > size - start) {
		return "the structure block is not within the tree";
	}
	while (left >= FDT_TAGSIZE) {
		size_t bytes = tag_bytes(tree + start, left);

		if (bytes == 0) {
			return "a tag is invalid, or longer than the tree";
		}
		if (fdt32_ld((const fdt32_t *)(tree + start)) == FDT_END) {
			return NULL;
		}
		bytes = FDT_TAGALIGN(bytes);
		if (bytes > left) {
			break;
		}
		start += bytes;
		left -= bytes;
	}
	return "the structure block has no end";
}

/* Checks what libfdt 1.6 does not check, before libfdt reads the tree: it would
 * dereference a null pointer in a tree older than version 16, and loop for ever
 * if a property's length wraps around. */
static const char *check_structure(const void *tree, size_t size)
{
	if (fdt_version(tree) < TREE_VERSION) {
		return "older than version 17";
	}
	const char *why = walk_tags(tree, size);
	if (why != NULL) {
		return why;
	}
	int status = fdt_check_full(tree, size);
	return status != 0 ? fdt_strerror(status) : NULL;
}

const char *tree_parse(const void *tree, size_t size, uint64_t boot_mpidr,
		       struct machine *found, struct tree_place *place)
{
	struct parser parser = {.tree = tree, .found = found, .place = place};
	const char *malformed = check_structure(tree, size);

	if (malformed != NULL) {
		memcpy(place->node, "/", 2);
		place->property = "";
		return malformed;
	}
	const char *why = parse_console(&parser);
	if (why == NULL) {
		why = parse_gic(&parser);
	}
	if (why == NULL) {
		why = parse_timer(&parser);
	}
	if (why == NULL) {
		why = parse_cpus(&parser, boot_mpidr);
	}
	if (why == NULL) {
		why = parse_psci(&parser);
	}
	return why;
}
