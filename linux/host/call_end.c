/* SPDX-License-Identifier: MIT */
/* The end of a call: a call that returned is committed, any other is
 * dropped. */
#include "host/pages.h"
#include "host/process.h"
#include "host/report.h"

#include <unistd.h>

static bool commit(struct cz_host *host)
{
	switch (state_commit(host->state, host->mapping,
			     (const uint8_t *const *)host->dirty,
			     host->store)) {
	case STATE_COMMITTED:
		return true;
	case STATE_COMMIT_REFUSED:
		report_log(host, CZ_LOG_ERROR, "not committed: %s",
			   state_error(host->state));
		return false;
	case STATE_COMMIT_FOREIGN:
		/* The copy of the chip was wrong, and so may be what this call
		 * did. */
		report_log(host, CZ_LOG_ERROR,
			   "not committed: %s. Nothing has been written. "
			   "caesurad ends",
			   state_error(host->state));
		_exit(1);
	default:
		/* The next daemon completes the commit, or reports why it
		 * cannot. */
		report_log(host, CZ_LOG_ERROR,
			   "the commit is not complete: %s. caesurad ends, and "
			   "the next one completes it",
			   state_error(host->state));
		_exit(1);
	}
}

bool cz_host_call_end(struct cz_host *host, uint32_t service, bool completed)
{
	const struct store *store = host->store;

	(void)service;
	if (store != NULL) {
		(void)store->finish(store->context);
	}
	if (completed && commit(host)) {
		pages_close(host);
		return true;
	}
	if (!state_drop(host->state, host->mapping)) {
		report_log(host, CZ_LOG_ERROR,
			   "the call cannot be rolled back: %s. caesurad ends",
			   state_error(host->state));
		_exit(1);
	}
	pages_close(host);
	if (store != NULL) {
		store->drop(store->context);
	}
	return false;
}
