# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# QEMU: its command line, and how the command notices that a boot has hung.

# shellcheck disable=SC2154,SC2034 # shared with ./caesura

# The machine of the next boot, beside the options.
initrd=
esp=       # a disk from which firmware loads drivers
boot_disk= # a disk that firmware boots, instead of an image
qemu_pid=
gdb_port=

# Prints the value of QEMU's -M.
machine() {
	printf 'virt,gic-version=%s,dtb-randomness=off' "$gic"
	if [ "$el2" = yes ]; then
		printf ',virtualization=on'
	fi
	if [ "$tables" = dt ] && ! is_uboot; then
		printf ',acpi=off'
	fi
}

# Prints a file's name for an option of QEMU, in which a comma must be doubled.
option_path() {
	printf '%s' "$1" | sed 's/,/,,/g'
}

# Prints a port of the loopback device that is free.
free_port() {
	local port
	port=1234
	while grep -qi ":$(printf '%04X' "$port") 0*:0000 0A" /proc/net/tcp; do
		port=$((port + 1))
	done
	printf '%s' "$port"
}

# start_qemu LOG STORE IMAGE OPTIONS: starts QEMU: sets qemu_pid. Without a STORE the
# variable store is copied into the flash's memory, and what firmware writes to the
# flash is lost at the end. Firmware sees no difference, and it is twice as fast.
start_qemu() {
	local log="$1" store="$2" pe_file="$3" pe_line="$4"
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

# Reads from /proc what QEMU does, without starting a process: sets qemu_cpu, QEMU's
# CPU time in hundredths of a second, and qemu_runnable, whether one of its threads
# runs or waits for a CPU.
look_at_qemu() {
	local stat
	qemu_runnable=no
	for stat in "/proc/$qemu_pid/task/"*/stat "/proc/$qemu_pid/stat"; do
		read -r stat 2>/dev/null <"$stat" || continue
		# The fields after the name, which may contain blanks: the state is the
		# first, utime and stime are the twelfth and thirteenth.
		# shellcheck disable=SC2086 # words
		set -- ${stat##*) }
		[ "$1" != R ] || qemu_runnable=yes
		qemu_cpu=$((${12} + ${13}))
	done
}

# Begins to measure how long QEMU's log does not grow.
begin_silence() {
	log_size=0
	silence=0
	polls=0
	qemu_cpu=0
	look_at_qemu
}

# falls_silent LOG HUNDREDTHS: whether the log has not grown for the limit. The caller
# calls it every HUNDREDTHS of a second. While QEMU is runnable, its own CPU time counts,
# so that a boot does not fail because the machine is busy with other work. While QEMU
# sleeps, the calls count, because they come late on a busy machine.
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

# Prints firmware's message that it found nothing to boot, if log $1 has it.
gave_up_booting() {
	grep -a -o -m 1 -e 'No bootable option or device was found' \
		-e 'U-Boot has started nothing$' "$1"
}

# Prints the kernel's message that it cannot switch the machine off, if log $1 ends
# with it.
stays_on() {
	tail -n 1 "$1" | tr -d '\r' | grep -a -o 'the machine stays on: .*'
}

# Prints why nothing more happens in this boot, if log $1 says so.
is_idle() {
	gave_up_booting "$1" || stays_on "$1"
}

# Waits until QEMU ends. Kills QEMU and fails when log $1 does not grow for the limit, or
# says that nothing more happens. It takes SIGKILL: QEMU 7.2 does not act on SIGTERM
# while its machine spins with a masked interrupt pending.
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
