# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# QEMU: its command line, and how a QEMU that has nothing more to do is noticed.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

initrd=
esp=       # a disk from which firmware loads drivers, beside the image
boot_disk= # booted instead of an image
qemu_pid=
gdb_port=

# QEMU's -M.
machine() {
	printf 'virt,gic-version=%s,dtb-randomness=off' "$gic"
	if [ "$el2" = yes ]; then
		printf ',virtualization=on'
	fi
	if [ "$tables" = dt ] && ! is_uboot; then
		printf ',acpi=off'
	fi
}

# In QEMU's options a comma in a file's name is doubled.
option_path() {
	printf '%s' "$1" | sed 's/,/,,/g'
}

# A port of the loopback that nobody listens at.
free_port() {
	local port
	port=1234
	while grep -qi ":$(printf '%04X' "$port") 0*:0000 0A" /proc/net/tcp; do
		port=$((port + 1))
	done
	printf '%s' "$port"
}

# start_qemu LOG STORE IMAGE OPTIONS: sets qemu_pid. Without a STORE to write
# to, the variable store is read into the flash's memory, and what is written
# there goes nowhere: the same to firmware, and twice as fast.
start_qemu() {
	local log store pe_file pe_line
	log=$1
	store=$2
	pe_file=$3
	pe_line=$4
	set -- -M "$(machine)" -cpu "$cpu" -smp "$cpus" \
		-m "$memory" -display none -monitor none -net none -no-reboot \
		-serial "file:$log" -rtc base=2026-01-01T00:00:00,clock=vm
	if is_uboot; then
		if [ -z "$boot_disk" ]; then
			make_disk "$log.disk" "$pe_file" "$pe_line"
		fi
		set -- "$@" -bios "$firmware" -device virtio-blk-device,drive=disk \
			-drive "if=none,id=disk,format=raw,file=$(
				option_path "${boot_disk:-$log.disk}"
			)"
	else
		if [ -n "$boot_disk" ]; then
			set -- "$@" -device virtio-blk-device,drive=disk -drive \
				"if=none,id=disk,format=raw,file=$(
					option_path "$boot_disk"
				)"
		else
			set -- "$@" -kernel "$pe_file" -append "$pe_line"
		fi
		if [ -n "$initrd" ]; then
			set -- "$@" -initrd "$initrd"
		fi
		if [ -n "$esp" ]; then
			set -- "$@" -device virtio-blk-device,drive=esp -drive \
				"if=none,id=esp,format=raw,snapshot=on,file=$(
					option_path "$esp"
				)"
		fi
		set -- "$@" -drive "if=pflash,format=raw,unit=0,readonly=on,$(
		)file=$(option_path "$firmware")"
	fi
	if [ -n "$store" ]; then
		set -- "$@" -drive "if=pflash,format=raw,unit=1,file=$(
			option_path "$store"
		)"
	else
		set -- "$@" -drive "if=pflash,unit=1,$(
		)driver=null-co,size=64M,read-zeroes=on" -device "loader,$(
		)addr=0x4000000,force-raw=on,file=$(option_path "$vars")"
	fi
	if [ "$icount" = yes ]; then
		set -- "$@" -icount shift=0,sleep=off
	fi
	if [ "$gdb" = yes ]; then
		gdb_port=$(free_port)
		set -- "$@" -gdb "tcp:127.0.0.1:$gdb_port" -S
	fi
	: >"$log"
	# shellcheck disable=SC2086 # words, as --help says
	"$qemu" "$@" $qemu_args </dev/null >"$log.qemu" 2>&1 &
	qemu_pid=$!
}

# Reads from /proc, without another process, what QEMU does: sets qemu_cpu, its CPU
# time in hundredths of a second, and qemu_runnable, whether one of its threads runs
# or waits for a CPU.
look_at_qemu() {
	local stat
	qemu_runnable=no
	for stat in "/proc/$qemu_pid/task/"*/stat "/proc/$qemu_pid/stat"; do
		read -r stat 2>/dev/null <"$stat" || continue
		# Behind the name, in which there may be blanks: state, …, utime, stime.
		# shellcheck disable=SC2086 # words
		set -- ${stat##*) }
		[ "$1" != R ] || qemu_runnable=yes
		qemu_cpu=$((${12} + ${13}))
	done
}

# Begins to watch how long the log that QEMU writes stands still.
begin_silence() {
	log_size=0
	silence=0
	polls=0
	qemu_cpu=0
	look_at_qemu
}

# falls_silent LOG HUNDREDTHS: whether the log has stood still for the limit; called
# every so many hundredths of a second. While QEMU is runnable this counts the CPU time
# that QEMU had: on a machine that is busy with other work no boot fails for that. While
# QEMU sleeps it counts the calls, which are late where the machine is busy.
falls_silent() {
	local size last_cpu had
	size=$(stat -c %s "$1")
	polls=$((polls + 1))
	last_cpu=$qemu_cpu
	look_at_qemu
	if [ "$size" -ne "$log_size" ]; then
		log_size=$size
		silence=0
		polls=0
	elif [ "$qemu_runnable" = yes ]; then
		had=$((qemu_cpu - last_cpu))
		silence=$((silence + (had < $2 ? had : $2)))
	else
		silence=$((silence + $2))
	fi
	[ "$silence" -ge $((limit * 100)) ] && [ "$gdb" = no ]
}

# The firmware's own words, in the log $1, for having nothing to do.
gave_up_booting() {
	grep -a -o -m 1 -e 'No bootable option or device was found' \
		-e 'U-Boot has started nothing$' "$1"
}

# The kernel's last word, in the log $1, on a machine that it cannot switch off.
stays_on() {
	tail -n 1 "$1" | tr -d '\r' | grep -a -o 'the machine stays on: .*'
}

# Why QEMU has nothing more to do, if the log $1 says so.
is_idle() {
	gave_up_booting "$1" || stays_on "$1"
}

# Waits for QEMU's end; fails when the log $1 stands still for the limit, or says
# that nothing more comes. QEMU ends by SIGKILL: while its machine spins with an
# interrupt pending that is masked, QEMU 7.2 does not act on SIGTERM.
watch() {
	begin_silence
	while kill -0 "$qemu_pid" 2>/dev/null; do
		sleep 0.1
		if falls_silent "$1" 10 ||
			{ [ "$polls" -eq 5 ] && is_idle "$1" >/dev/null; }; then
			kill -9 "$qemu_pid" 2>/dev/null || :
			wait "$qemu_pid" 2>/dev/null || :
			return 1
		fi
	done
}
