/* SPDX-License-Identifier: MIT */
/*
 * The broker of secure calls: it decides which calls to the secure world or the
 * hypervisor sandboxed firmware may make. Calls that are not in the table are
 * refused. A call that can start a CPU at an address, share memory or change
 * who may talk to whom would be a way out of the sandbox (PSCI DEN0022, FF-A
 * DEN0077A, MM DEN0060).
 */
#include "../call.h"
#include "trap.h"

#define NOT_SUPPORTED UINT64_MAX /* SMCCC: -1 */
#define INSN_IMMEDIATE 0x001fffe0u
#define INSN_IS_SMC 1u
#define NO_BUFFER 0u
#define MESSAGE_HEADER_BYTES 24u /* EFI_MM_COMMUNICATE_HEADER: GUID, length */
#define FFA_INTERRUPT 0x84000062u /* result: the partition was preempted */
#define FFA_YIELD 0x8400006cu /* result: the partition yields */
#define REQUEST_RECEIVER(w1) ((uint16_t)(w1))
#define RUN_TARGET(w1) ((uint16_t)((w1) >> 16)) /* bits 0 to 15: the vCPU */

enum when {
	ALWAYS,
	WITHIN_RESET, /* only within ResetSystem */
	TO_RESUME, /* only for a partition that this call left suspended */
};

struct rule {
	uint32_t id; /* of the SMC32 call */
	bool both; /* exists as SMC64 too */
	bool is_request; /* an FF-A request to the partition in w1 */
	uint8_t when;
	/* The register with the address of a message for MM, or NO_BUFFER. */
	uint8_t buffer;
};

#define SMC64 0x40000000u

static const struct rule rules[] = {
	{0x84000000, false, false, ALWAYS, NO_BUFFER}, /* PSCI_VERSION */
	{0x8400000a, false, false, ALWAYS, NO_BUFFER}, /* PSCI_FEATURES */
	{0x84000008, false, false, WITHIN_RESET, NO_BUFFER}, /* SYSTEM_OFF */
	{0x84000009, false, false, WITHIN_RESET, NO_BUFFER}, /* SYSTEM_RESET */
	{0x84000012, true, false, WITHIN_RESET, NO_BUFFER}, /* SYSTEM_RESET2 */
	{0x84000041, true, false, ALWAYS, 2}, /* MM_COMMUNICATE */
	{0x8400006f, true, true, ALWAYS, 3}, /* FFA_MSG_SEND_DIRECT_REQ */
	{0x8400008d, true, true, ALWAYS, 4}, /* FFA_MSG_SEND_DIRECT_REQ2 */
	{0x8400006d, true, false, TO_RESUME, NO_BUFFER}, /* FFA_RUN */
};

static const struct rule *find_rule(uint32_t id)
{
	for (uint32_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (id == rules[i].id ||
		    (rules[i].both && id == (rules[i].id | SMC64))) {
			return &rules[i];
		}
	}
	return NULL;
}

/* Returns whether firmware itself may write to [physical, + size) in RAM. */
static bool is_own(const struct cz *cz, uint64_t physical, uint64_t size)
{
	for (uint32_t i = 0; i < cz->region_count; i++) {
		const struct cz_region *region = &cz->regions[i];
		uint64_t offset = physical - region->physical;
		uint64_t bytes = region->page_count * CZ_PAGE;

		if (physical >= region->physical && offset < bytes &&
		    size <= bytes - offset &&
		    region->type != CZ_MEMORY_DEVICE &&
		    (region->prot & CZ_PROT_WRITE) != 0) {
			return true;
		}
	}
	return false;
}

/* Returns whether firmware may write to the whole message at this address: the
 * header, and as many bytes as the header says. */
static bool holds_message(struct cz *cz, uint64_t physical)
{
	const uint8_t *header;
	uint64_t length;

	if (!is_own(cz, physical, MESSAGE_HEADER_BYTES)) {
		return false;
	}
	header = cz_host_firmware_alias(cz->host, physical,
					MESSAGE_HEADER_BYTES);
	if (header == NULL) {
		return false;
	}
	memcpy(&length, header + 16, sizeof(length));
	return length <= UINT32_MAX &&
	       is_own(cz, physical, MESSAGE_HEADER_BYTES + length);
}

static bool allowed(struct cz *cz, const struct cz_frame *frame,
		    uint32_t instruction)
{
	const struct rule *rule = find_rule((uint32_t)frame->x[0]);
	const struct virtual_machine *virtual = &gate_of(cz)->virtual;

	if (rule == NULL || (instruction & INSN_IMMEDIATE) != 0) {
		return false;
	}
	if (rule->when == WITHIN_RESET &&
	    (cz->in_flight == NULL ||
	     cz->in_flight->service != CZ_RESET_SYSTEM)) {
		return false;
	}
	if (rule->when == TO_RESUME &&
	    (!virtual->is_suspended ||
	     RUN_TARGET(frame->x[1]) != virtual->partition)) {
		return false;
	}
	return rule->buffer == NO_BUFFER ||
	       holds_message(cz, frame->x[rule->buffer]);
}

/* Returns whether the call cannot change any state: PSCI's version and
 * features. */
static bool changes_nothing(const struct rule *rule)
{
	return rule->when == ALWAYS && rule->buffer == NO_BUFFER;
}

/* Records, by the result of the call, whether it has left a partition suspended
 * in the middle of a request. */
static void note_suspension(struct virtual_machine *virtual,
			    const struct rule *rule, uint64_t w1,
			    uint64_t result)
{
	uint32_t function = (uint32_t)result;

	if (rule->is_request) {
		virtual->partition = REQUEST_RECEIVER(w1);
	}
	if (rule->is_request || rule->when == TO_RESUME) {
		virtual->is_suspended = function == FFA_INTERRUPT ||
					function == FFA_YIELD;
	}
}

static bool pass_on(struct cz *cz, struct cz_frame *frame, uint32_t instruction)
{
	struct cz_service_stats *stats = cz_stats_in_flight(cz);
	enum cz_conduit conduit = (instruction & INSN_IS_SMC) != 0
					  ? CZ_CONDUIT_SMC
					  : CZ_CONDUIT_HVC;
	const struct rule *rule = find_rule((uint32_t)frame->x[0]);
	uint64_t w1 = frame->x[1];
	uint64_t start = cz_host_now_ns(cz->host);
	bool made = cz_host_secure_call(cz->host, conduit, frame->x);

	if (made && !changes_nothing(rule)) {
		cz_note_secure_call(cz);
		note_suspension(&gate_of(cz)->virtual, rule, w1, frame->x[0]);
	}
	if (made && stats != NULL) {
		stats->secure_calls++;
		stats->secure_ns += cz_host_now_ns(cz->host) - start;
	}
	return made;
}

void cz_broker_call(struct cz *cz, struct cz_frame *frame, uint32_t instruction)
{
	struct gate *gate = gate_of(cz);
	uint64_t id = frame->x[0];

	if (allowed(cz, frame, instruction) &&
	    pass_on(cz, frame, instruction)) {
		return;
	}
	if (gate->refused++ == 0) {
		gate->refused_id = id;
		gate->refused_pc = frame->pc;
	}
	cz->stats.secure_refused++;
	frame->x[0] = NOT_SUPPORTED;
}

/* Returns whether this is the first refused call of the service in flight,
 * which may be SetVirtualAddressMap. Firmware that tries in every call would
 * fill the log. */
static bool is_first_refusal(struct cz *cz)
{
	uint32_t bit = 1u << (cz->in_flight == NULL ? CZ_SERVICE_COUNT
						    : cz->in_flight->service);
	bool is_first = (cz->refusal_logged & bit) == 0;

	cz->refusal_logged |= bit;
	return is_first;
}

void cz_broker_report(struct cz *cz)
{
	struct gate *gate = gate_of(cz);
	const struct cz_image *image;
	uint64_t offset = gate->refused_pc;

	if (gate->refused != 0 && is_first_refusal(cz)) {
		image = cz_find_image(cz, gate->refused_pc, &offset);
		cz_warn(cz->host,
			"secure call 0x%llx at %s+0x%llx refused: "
			"NOT_SUPPORTED (%llu in this call; those of later "
			"calls of this service are only counted)",
			cz_ull(gate->refused_id),
			image == NULL ? "?" : image->name, cz_ull(offset),
			cz_ull(gate->refused));
	}
	gate->refused = 0;
}
