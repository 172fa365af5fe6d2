/* SPDX-License-Identifier: MIT */
/*
 * Reports about calls. For a call that was ended, what is known is kept for
 * cz_get_ending() and logged. Invalid statuses, invalid sizes and anomalies are
 * logged, too. All of this runs on the thread that made the call, after it has
 * left firmware, and is preemptible except in a cz_call_now().
 */
#include "call.h"
#include "gate.h"

/* Logs an address as "driver+0x12 (0x40201012)", or as one outside all
 * drivers. */
static void log_place(struct cz *cz, const char *before, uint64_t address)
{
	uint64_t offset;
	const struct cz_image *image = cz_find_image(cz, address, &offset);

	if (image == NULL) {
		cz_error(cz->host, "%s 0x%llx, in no image", before,
			 cz_ull(address));
	} else {
		cz_error(cz->host, "%s %s+0x%llx (0x%llx)", before, image->name,
			 cz_ull(offset), cz_ull(address));
	}
}

static void log_fault(struct cz *cz, const char *service,
		      const struct cz_ending *ending)
{
	uint64_t offset = 0;
	const struct cz_image *image = cz_find_image(cz, ending->pc, &offset);

	if (image == NULL) {
		cz_error(cz->host, "%s: %s at 0x%llx, in no image", service,
			 ending->what, cz_ull(ending->pc));
	} else {
		cz_error(cz->host, "%s: %s at %s+0x%llx (0x%llx)", service,
			 ending->what, image->name, cz_ull(offset),
			 cz_ull(ending->pc));
	}
}

static const char *region_name(const struct cz_region *region)
{
	switch (region->efi_type) {
	case CZ_EFI_RUNTIME_SERVICES_CODE:
		return "runtime code";
	case CZ_EFI_RUNTIME_SERVICES_DATA:
		return "runtime data";
	case CZ_EFI_MMIO:
	case CZ_EFI_MMIO_PORT:
		return "device";
	default:
		return "runtime memory";
	}
}

static const char *window_part(const struct cz *cz, uint64_t address)
{
	uint64_t page = (address - cz->window_address) / CZ_PAGE;

	if (page == 0) {
		return "the trampoline";
	}
	if (page < CZ_WINDOW_STACK_PAGE) {
		return "the guard under the stack";
	}
	if (page < CZ_WINDOW_STACK_PAGE + CZ_STACK_PAGES) {
		return "firmware's stack";
	}
	return "the window, outside the arguments of this call";
}

static void log_address(struct cz *cz, const struct cz_ending *ending)
{
	const struct cz_region *region = cz_find_region(cz, ending->address);
	const char *cause = ending->cause == NULL ? "fault" : ending->cause;
	uint64_t address = ending->address;

	if (region != NULL) {
		cz_error(cz->host, "address 0x%llx: %s; %s 0x%llx-0x%llx, %s%s",
			 cz_ull(address), cause, region_name(region),
			 cz_ull(region->address),
			 cz_ull(region->address + region->page_count * CZ_PAGE),
			 (region->prot & CZ_PROT_WRITE) != 0 ? "read, write"
							     : "read",
			 (region->prot & CZ_PROT_EXEC) != 0 ? ", execute" : "");
	} else if (address - cz->window_address < cz->window_pages * CZ_PAGE) {
		cz_error(cz->host, "address 0x%llx: %s; %s", cz_ull(address),
			 cause, window_part(cz, address));
	} else {
		cz_error(cz->host,
			 "address 0x%llx: %s; outside firmware's regions",
			 cz_ull(address), cause);
	}
}

static void log_where(struct cz *cz, const char *service,
		      const struct cz_ending *ending)
{
	if (ending->status == CZ_E_FAULT) {
		log_fault(cz, service, ending);
	} else if (ending->status == CZ_E_KILLED) {
		cz_error(cz->host, "%s: past its kill limit of %llu ms",
			 service,
			 cz_ull(cz->policy.service[ending->service]
					.kill_limit_ns /
				1000000));
		log_place(cz, "it was at", ending->pc);
	} else {
		cz_error(cz->host, "%s: ended on request", service);
		log_place(cz, "it was at", ending->pc);
	}
	if (ending->address != CZ_NO_ADDRESS) {
		log_address(cz, ending);
	}
	for (uint32_t i = 0; i < ending->depth; i++) {
		log_place(cz, "called from", ending->caller[i]);
	}
}

static void log_withdrawn(struct cz *cz, const struct cz_ending *ending)
{
	for (uint32_t i = 0; i < CZ_NULL_SERVICE; i++) {
		if ((ending->withdrawn >> i & 1) != 0) {
			cz_warn(cz->host,
				"%s is withdrawn; cz_restore() brings it back",
				cz_service_name((enum cz_service)i));
		}
	}
}

/* Only the sandbox sees secure calls, so at most one of the two is set. */
static const char *secure_part(uint32_t touched)
{
	if ((touched & CZ_TOUCHED_SECURE) != 0) {
		return " it made a secure call";
	}
	return (touched & CZ_TOUCHED_UNSEEN) != 0
		       ? " it may have made a secure call"
		       : "";
}

static void log_what_was_done(struct cz *cz, const struct cz_ending *ending)
{
	bool device = (ending->touched & CZ_TOUCHED_DEVICE) != 0;
	const char *secure = secure_part(ending->touched);

	if (ending->touched == 0) {
		cz_error(cz->host,
			 "the call was ended; exact: it touched nothing but "
			 "firmware's RAM");
	} else {
		cz_error(cz->host, "the call was ended; dirty:%s%s%s",
			 device ? " it wrote to a device" : "",
			 device && secure[0] != '\0' ? " and" : "", secure);
	}
	log_withdrawn(cz, ending);
}

CZ_COLD void cz_ending_report(struct cz *cz, const char *service)
{
	const struct cz_ending *ending = &cz->ending;

	log_where(cz, service, ending);
	if (ending->status == CZ_E_FAULT) {
		cz_gate_report_registers(cz);
	}
	log_what_was_done(cz, ending);
}

CZ_COLD void cz_ending_fill(struct cz *cz, enum cz_service service,
			    uint64_t ran_ns)
{
	struct cz_ending *ending = &cz->ending;
	uint64_t number = ending->number + 1;

	memset(ending, 0, sizeof(*ending));
	ending->status = cz->ended_by;
	ending->service = service;
	ending->number = number;
	ending->ran_ns = ran_ns;
	ending->touched = cz->touched;
	if (cz->gate == CZ_GATE_DIRECT && !cz->no_secure_services) {
		ending->touched |= CZ_TOUCHED_UNSEEN;
	}
	ending->withdrawn = cz_policy_withdraws(cz, ending);
	cz_gate_describe_end(cz, ending);
}

CZ_COLD void cz_call_aftermath(struct cz *cz, const struct cz_request *request,
			       const struct cz_outcome *outcome)
{
	if (cz->ended_by != 0) {
		cz_ending_fill(cz, request->service,
			       outcome->exit_ns - outcome->enter_ns);
		cz_ending_report(cz, cz_service_name(request->service));
	}
	if (cz->touched != 0) {
		/* After a cz_call_now() this has been done already, while the
		 * CPU was borrowed; then there is nothing left to do. */
		cz_protect_devices(cz);
		cz->touched = 0;
	}
}

static const char *driver_of(struct cz *cz, uint32_t service)
{
	uint64_t offset;
	const struct cz_image *image =
		cz_find_image(cz, cz->function[service], &offset);

	return image == NULL ? "no image" : image->name;
}

CZ_COLD void cz_status_report(struct cz *cz, const struct cz_request *request,
			      uint64_t value)
{
	uint32_t service = request->service;

	if (service < CZ_NULL_SERVICE &&
	    cz->last_bad_status[service] != value) {
		cz->last_bad_status[service] = value;
		cz_warn(cz->host,
			"%s (%s) returned 0x%llx, which is not a valid status",
			cz_service_name(request->service),
			driver_of(cz, service), cz_ull(value));
	}
}

CZ_COLD void cz_size_report(struct cz *cz, const struct cz_request *request)
{
	uint32_t mask = 1u << request->service;

	__atomic_fetch_add(&cz->stats.bad_sizes, 1, __ATOMIC_RELAXED);
	if ((__atomic_fetch_or(&cz->bad_size_logged, mask, __ATOMIC_RELAXED) &
	     mask) == 0) {
		cz_warn(cz->host, "%s (%s) returned an invalid size",
			cz_service_name(request->service),
			driver_of(cz, request->service));
	}
}

/* Later anomalies of the same kind are only counted. */
CZ_COLD void cz_call_report(struct cz *cz, const struct cz_request *request,
			    uint32_t anomalies)
{
	for (; anomalies != 0; anomalies &= anomalies - 1) {
		uint32_t anomaly = (uint32_t)__builtin_ctz(anomalies);

		if (anomaly < CZ_ANOMALY_COUNT &&
		    cz->stats.anomalies[anomaly] == 0) {
			cz_warn(cz->host, "%s (%s) left %s changed: mended",
				cz_service_name(request->service),
				driver_of(cz, request->service),
				cz_anomaly_name((enum cz_anomaly)anomaly));
		}
	}
}

bool cz_get_ending(struct cz *cz, enum cz_service service,
		   struct cz_ending *ending)
{
	uint32_t number = service;
	uint32_t before;
	uint32_t after;

	if (number >= CZ_NULL_SERVICE) {
		return false;
	}
	/* Reads again if a cz_call_now() has written; see cz_get_stats(). */
	cz_host_mutex_lock(cz->host, &cz->mutex);
	do {
		before = __atomic_load_n(&cz->stats_seq, __ATOMIC_ACQUIRE);
		*ending = cz->endings[number];
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		after = __atomic_load_n(&cz->stats_seq, __ATOMIC_RELAXED);
	} while (before != after || (before & 1) != 0);
	cz_host_mutex_unlock(cz->host, &cz->mutex);
	return ending->number != 0;
}
