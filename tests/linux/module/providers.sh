# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Tests of what a caller sees when the module's provider dies, hangs, lies or is slow.

# shellcheck disable=SC2154,SC2059 # shared with job.sh; bytes, by their numbers

dies() {
	local writer
	put DieBefore 7 x &
	writer=$!
	that "the provider dies before a SetVariable" died
	that "the variable has not been made" [ "$(grep -c x /run/store)" -eq 0 ]
	serve "$mask"
	wait $writer
	that "the next provider makes it" is DieBefore x
	that "the module tells it that the request is repeated" grep -q again /run/served

	put DieAfter 7 y &
	writer=$!
	that "the provider dies after a SetVariable" died
	serve "$mask"
	wait $writer
	that "the next provider makes it once more" is DieAfter y

	clear_mischief
	remove DieAfter &
	writer=$!
	that "the provider dies after a deletion" died
	serve "$mask"
	wait $writer
	that "the deletion succeeds with the next provider" [ $? -eq 0 ]
	that "the variable no longer exists" gone DieAfter

	kill "$provider"
	clear_mischief
	serve "$mask"
	fake_provider mutable "$vars/DieBefore-$guid"
	put DieBefore 107 z >/run/appended &
	writer=$!
	that "the provider dies in an append" died
	serve "$mask"
	wait $writer
	that "the append fails" grep -q 'nput/output error' /run/appended
	that "the append is not repeated" is DieBefore x
}

hangs() {
	local writer
	printf '\007\000\000\000x' >/run/value
	dd if=/run/value of="$vars/Hang-$guid" 2>/dev/null &
	writer=$!
	sleep 1
	kill -9 $writer
	sleep 1
	that "a caller can be killed while the provider hangs" \
		sh -c "! kill -0 $writer"
	wait $writer
	kill -9 "$provider"
	wait "$provider" 2>/dev/null
	serve "$mask"
	that "the request of a killed caller has been dropped" \
		sh -c "! grep -q x $vars/Hang-$guid"
}

# Every provider dies of one request.
poisons() {
	local writer deaths
	put Poison 7 x >/run/poisoned 2>&1 &
	writer=$!
	deaths=0
	while died && [ $deaths -lt 20 ]; do
		deaths=$((deaths + 1))
		serve "$mask"
	done
	wait $writer
	that "a request is given up after $deaths providers have died of it" \
		[ $deaths -eq 8 ]
	that "its caller gets an error" grep -q 'nput/output error' /run/poisoned
}

# Providers are killed at any time while writers and readers run.
kills() {
	local writer kill_count
	kill -0 "$provider" || serve "$mask"
	for writer in 1 2 3; do
		(
			file=$vars/Kill$writer-$guid
			count=0
			while ! [ -e /run/enough ]; do
				count=$((count + 1))
				printf "\\007\\000\\000\\000$count" \
					>/run/value$writer
				if ! cat /run/value$writer >"$file" ||
					! is Kill$writer $count; then
					echo "writer $writer: $count" \
						>>/run/lost
					break
				fi
				[ $count -ne 1 ] ||
					fake_provider mutable "$file"
			done
			echo "# writer $writer: $count"
		) &
		eval "writer$writer=$!"
	done
	kill_count=0
	while [ $kill_count -lt 20 ]; do
		kill_count=$((kill_count + 1))
		usleep $((kill_count * 7919 % 100 * 4000))
		kill -9 "$provider"
		wait "$provider" 2>/dev/null
		fake_provider serve /run/store "$mask" >>/run/served 2>&1 &
		provider=$!
	done
	touch /run/enough
	# shellcheck disable=SC2154 # by eval
	wait "$writer1" "$writer2" "$writer3"
	that "20 providers were killed, and no write or read failed" sh -c '! cat /run/lost'
	sleep 1
}

lies() {
	put Lie 7 x
	clear_mischief
	cat "$vars/Lie-$guid" >/dev/null
	grep 'lie:' /run/served
	that "the provider's lies are refused" grep -q 'ok - lie' /run/served
}

without() {
	local took
	kill "$provider"
	wait "$provider" 2>/dev/null
	echo 3 >/sys/module/caesura_efivars/parameters/timeout_s
	took=$(seconds cat "$vars/Many1-$guid")
	that "without a provider a caller waits for $took s only" \
		[ "$took" -ge 3 -a "$took" -le 5 ]
	that "the caller then gets EIO" grep -q 'nput/output error' /run/ended
	fake_provider poke
	that "a new provider serves callers again" sh -c \
		"fake_provider serve /run/store $mask >/run/served & sleep 1
		cat $vars/Many1-$guid; kill \$!"
}

# The timeout of 3 seconds that without() set still holds. The kernel's log shows whether
# the module has given up.
answers_first() {
	local unanswered took
	serve "$mask"
	put Slow 7 x
	unanswered=$(dmesg | grep -c 'no answer')
	took=$(seconds cat "$vars/Slow-$guid")
	that "a provider with slow firmware answers before the module gives up" sh -c \
		"[ $took -ge 2 ] && grep 'nput/output error' /run/ended &&
		[ \$(dmesg | grep -c 'no answer') -eq $unanswered ]"
	that "that provider goes on" cat "$vars/Many1-$guid"
	kill "$provider"
}
