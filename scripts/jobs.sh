# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Jobs that run side by side in worker processes, and the end of all processes.

# shellcheck disable=SC2154,SC2034,SC2317 # shared with ./caesura

check_pid= # the check that the test suite runs in this process
worker_pids=

# Ends the processes that this one started, but for the workers.
end_children() {
	local pid
	if [ -n "$qemu_pid" ]; then
		kill -9 "$qemu_pid" 2>/dev/null || :
	fi
	for pid in $tail_pid $check_pid; do
		kill "$pid" 2>/dev/null || :
	done
	qemu_pid=
	tail_pid=
	check_pid=
}

# take DIR JOB: succeeds in the one worker that is the first to take the job.
take() {
	mkdir "$1/taken.$2" 2>/dev/null
}

# worker DIR COUNT FUNCTION: does those of COUNT jobs that no other worker has taken.
worker() {
	local job
	worker_pids=
	trap 'finish; exit 143' TERM
	trap finish EXIT
	job=1
	while [ "$job" -le "$2" ] && ! [ -e "$1/stop" ]; do
		if take "$1" "$job"; then
			"$3" "$1" "$job"
		fi
		job=$((job + 1))
	done
}

end_workers() {
	local pid
	for pid in $worker_pids; do
		kill "$pid" 2>/dev/null || :
	done
	worker_pids=
}

# Cleans up when the command or one of its processes ends.
finish() {
	end_children
	end_workers
	[ "$list" = no ] || rm -rf "$out"
}

# start_workers COUNT FUNCTION: starts workers for COUNT jobs, and sets jobs_dir, their
# directory. They call FUNCTION with the directory and the number of a job.
start_workers() {
	local slot
	jobs_dir=$out/boots/jobs
	rm -rf "$jobs_dir"
	mkdir -p "$jobs_dir"
	slot=0
	while [ "$slot" -lt "$side_by_side" ]; do
		worker "$jobs_dir" "$1" "$2" &
		worker_pids="$worker_pids $!"
		slot=$((slot + 1))
	done
}

# Waits for all workers; fails if one has failed.
await_workers() {
	local failed pid
	failed=0
	for pid in $worker_pids; do
		wait "$pid" || failed=1
	done
	worker_pids=
	return "$failed"
}

# list_boot NAME IMAGE OPTIONS: adds a boot to the list.
list_boot() {
	printf '%s %s %s\n' "$1" "$2" "$3" >>"$out/boots/list"
}

# boot_listed DIR NUMBER: makes that boot of the list. If it fails, no further boot is
# started.
boot_listed() {
	local line name code
	line=$(sed -n "$2p" "$out/boots/list")
	name=${line%% *}
	line=${line#* }
	code=0
	boot "$name" "" "${line%% *}" "${line#* }" || code=$?
	if [ "$code" -ne 0 ]; then
		printf '%s\n%s\n%s\n' "$code" "$name" "$boot_why" \
			>"$1/failed.$2"
		: >"$1/stop"
	fi
	: >"$1/done.$2"
	set -- "$1"/done.*
	progress_of $# "$boots_listed" "$name"
}

# boot_all [FUNCTION]: makes all boots of the list, by boot_listed() or by a FUNCTION that
# calls it. Shows each boot that failed, and returns the exit code of the last of these.
boot_all() {
	local code failure name
	boots_listed=$(wc -l <"$out/boots/list")
	start_workers "$boots_listed" "${1:-boot_listed}"
	code=0
	await_workers || code=2
	progress
	for failure in "$jobs_dir"/failed.*; do
		[ -e "$failure" ] || continue
		name=$(sed -n 2p "$failure")
		code=$(sed -n 1p "$failure")
		say "caesura: boot $name: $(sed -n 3p "$failure")"
		last_lines "$name" >&2
		say "caesura: the whole log is in $(short "$out/boots/$name.log")"
	done
	return "$code"
}
