# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# Debian's dpkg installs our packages from /packages, and its systemd runs the service:
# first with FUSE, then with the module. The job sets why: here, or runtime, where the
# kernel calls firmware itself.

# shellcheck disable=SC2154 # the job sets why
# shellcheck source=bench/paths.sh
. /bench/paths.sh
path=fuse
efivars=/run/caesura/efivars
state=/run/caesurad/state
guid=7a3d1c52-54f4-4a0e-9e0b-6d1f2b0c8e12
unit=/usr/lib/systemd/system/caesurad.service

# Prints a property of the service, as systemd has it.
of() {
	systemctl show --property "$1" --value caesurad
}

has() {
	[ "$(of "$1")" = "$2" ] || {
		of "$1"
		return 1
	}
}

log_has() {
	journalctl --no-pager --output cat --unit caesurad \
		"_PID=$(of ExecMainPID)" >/tmp/log
	cat /tmp/log
	grep -q -- "$1" /tmp/log
}

# allowed FIELD [PROCESS]: prints a field of /proc/…/status for every thread of the service,
# or of the process; equal values once.
allowed() {
	sed -n "s/^$1:[[:space:]]*//p" \
		"/proc/${2:-$(of MainPID)}"/task/*/status | sort -u
}

# may BITS [PROCESS]: whether it has those capabilities and cannot get others.
may() {
	[ "$(allowed CapPrm "$2")" = "$1" ] && [ "$(allowed CapEff "$2")" = "$1" ] &&
		[ "$(allowed CapBnd "$2")" = 0000000000000000 ] &&
		[ "$(allowed NoNewPrivs "$2")" = 1 ] &&
		[ "$(allowed Seccomp "$2")" = 2 ]
}

# Prints the processes whose name matches.
named() {
	grep -slx "$1" /proc/[0-9]*/comm | cut -d / -f 3
}

is_of_user() {
	local user
	user=$(id -u caesurad) && [ "$(allowed Uid)" = "$user	$user	$user	$user" ]
}

# options [OPTION…]: sets caesurad's options for the next start; without any, restores the
# installed ones.
options() {
	[ -e /tmp/default ] || cp /etc/default/caesurad /tmp/default
	cp /tmp/default /etc/default/caesurad
	[ $# -eq 0 ] || printf 'CAESURAD_OPTIONS="%s"\n' "$*" >/etc/default/caesurad
}

# write NAME TEXT: writes a variable.
write() {
	local file
	file=$efivars/$1-$guid
	[ ! -e "$file" ] || chattr -i "$file" || return
	printf '\7\0\0\0%s' "$2" >"$file"
}

# reads NAME TEXT: whether the variable holds the text. One read gets all of it, because
# efivarfs cannot seek.
reads() {
	dd if="$efivars/$1-$guid" bs=64k status=none | tail -c +5 >/tmp/value
	printf %s "$2" | cmp - /tmp/value
}

# is_followed [SECONDS]: waits until another process than $was serves. A process that hangs
# ends only when its watchdog's time is over.
is_followed() {
	local polls
	polls=0
	until [ "$(of MainPID)" != "$was" ] && has ActiveState active; do
		polls=$((polls + 1))
		[ "$polls" -lt "${1:-30}" ] || return
		sleep 1
	done >/dev/null
}

kill_it() {
	was=$(of MainPID)
	# After five starts in ten seconds systemd gives the service up.
	systemctl reset-failed caesurad
	kill "-$1" "$was"
}

# Whether the service ends with exit code $1, and systemd does not start it again.
fails_once() {
	! systemctl restart caesurad && sleep 5 && has ActiveState failed &&
		has ExecMainStatus "$1" && has NRestarts 0
}

say_exposure() {
	echo "# $path: systemd-analyze security:$(
		systemd-analyze --no-pager security caesurad |
			sed -n 's/^.*exposure level for [^:]*://p'
	)"
}

installs() {
	check "dpkg installs caesurad" "dpkg --install /packages/caesurad_*.deb"
	check "the package enables and starts nothing" "! systemctl is-enabled caesurad &&
		has ActiveState inactive"
	check "systemd finds nothing wrong with the unit" \
		"! systemd-analyze verify --man=no $unit 2>&1 | grep ."
}

starts() {
	check "caesurad check accepts the machine" "caesurad check"
	check "it is enabled and started" "systemctl enable --now caesurad"
	check "the service is active once caesurad has notified systemd" "has ActiveState active &&
		has Type notify && has StatusText 'Serving EFI variables' &&
		has NRestarts 0"
	check "efibootmgr works" "EFIVARFS_PATH=$efivars/ efibootmgr | grep '^BootOrder:'"
	check "its user is caesurad" is_of_user
	check "caesurad has no capability and cannot get one" "may 0000000000000000"
	check "a second process, which unmounts, has only CAP_SYS_ADMIN" \
		"may 0000000000200000 \$(named caesurad-umount)"
	say_exposure
}

is_ended() {
	check "a variable is written" "write CaesuraOne one"
	kill_it KILL
	check "after a kill it is started again" "is_followed && has NRestarts 1"
	check "it goes on with the state" "log_has 'continues where' && reads CaesuraOne one"
	check "another variable is written" "write CaesuraTwo two"
	check "systemd keeps the descriptor of the state" "has NFileDescriptorStore 1"
	mv $state $state.away
	kill_it KILL
	check "after a kill without its state file it is started again" is_followed
	check "it goes on with the descriptor that systemd kept" "log_has 'continues where' &&
		reads CaesuraTwo two && write CaesuraTwo 'two again'"
	mv $state.away $state
	kill_it STOP
	check "the watchdog ends it while SIGSTOP keeps it from running" \
		"is_followed 300 && journalctl --unit caesurad | grep 'Watchdog timeout'"
	check "it goes on" "log_has 'continues where' && reads CaesuraTwo 'two again'"
	was=$(of MainPID)
	check "without disturbance it lives longer than its watchdog waits" \
		"sleep 200; has MainPID $was"
}

is_stopped() {
	check "it is stopped" "systemctl stop caesurad && has Result success"
	check "no mount is left" "! grep $efivars /proc/mounts"
	check "after systemctl start it goes on" "systemctl start caesurad &&
		log_has 'continues where' && reads CaesuraTwo 'two again'"
	was=$(of MainPID)
	check "an upgrade restarts it" \
		"dpkg --install /packages/caesurad_*.deb && is_followed"
	check "it goes on" "log_has 'continues where' && reads CaesuraTwo 'two again'"
}

is_refused() {
	local by_hand
	options --mount $efivars --cpus 3-1
	check "after exit code 2 it is not started again" "fails_once 2"
	options
	mkdir -p /run/by-hand
	caesurad run --mount /run/by-hand 2>/tmp/by-hand &
	by_hand=$!
	await grep -q /run/by-hand /proc/mounts
	check "beside another caesurad it ends with 3, and is not started again" \
		"fails_once 3 && log_has 'another caesurad'"
	kill "$by_hand"
	wait "$by_hand"
	check "after the other has ended it can be started, and goes on" \
		"systemctl start caesurad && log_has 'continues where' &&
		reads CaesuraOne one && reads CaesuraTwo 'two again'"
}

# Without the kernel's headers DKMS builds nothing. So the test puts a module that was built
# before where DKMS would put it.
installs_module() {
	local modules
	check "dpkg installs caesura-efivars-dkms" \
		"dpkg --install /packages/caesura-efivars-dkms_*.deb"
	check "DKMS knows it" "dkms status | grep '^caesura-efivars/.*: added'"
	check "without its module the service goes on with FUSE" \
		"systemctl restart caesurad && has ActiveState active &&
		log_has 'continues where' && grep ' $by_fuse ' /proc/mounts &&
		EFIVARFS_PATH=$by_fuse/ efibootmgr | grep '^BootOrder:'"
	modules=/usr/lib/modules/$(uname -r)
	mkdir -p "$modules/updates/dkms"
	cp /bench/caesura-efivars.ko "$modules/updates/dkms"
	depmod
	systemctl daemon-reload
	check "systemd finds nothing wrong with the unit and module.conf" \
		"! systemd-analyze verify --man=no $unit 2>&1 | grep ."
}

serves_by_module() {
	check "the service is restarted" "systemctl restart caesurad"
	check "it is active and goes on" \
		"log_has 'continues where' && has ActiveState active"
	check "the kernel's efivarfs is mounted at its usual place" \
		"grep '^efivarfs $efivars efivarfs ' /proc/mounts"
	check "nothing is mounted with FUSE" "! grep caesura /proc/mounts"
	check "efibootmgr works without any setting" "efibootmgr | grep '^BootOrder:'"
	check "what was written with FUSE is read" \
		"reads CaesuraOne one && reads CaesuraTwo 'two again'"
	check "its user is caesurad" is_of_user
	check "caesurad has no capability and cannot get one" "may 0000000000000000 &&
		[ -z \"\$(named caesurad-umount)\" ]"
	say_exposure
}

# A file that stays open shows that the mount is still the same.
keeps_the_mount() {
	exec 8<"$efivars/CaesuraOne-$guid"
	check "systemctl restart succeeds" "systemctl restart caesurad && log_has 'continues where'"
	check "a restart leaves the mount as it was" "[ \"\$(tail -c 3 <&8)\" = one ] &&
		[ \$(grep -c ' $efivars ' /proc/mounts) -eq 1 ] &&
		write CaesuraThree three"
	kill_it KILL
	check "after a kill it is started again" "is_followed && log_has 'continues where'"
	check "a kill leaves the mount as it was" "reads CaesuraThree three &&
		write CaesuraThree 'three again' && efibootmgr"
	exec 8<&-
}

removes() {
	check "dpkg removes caesura-efivars-dkms" \
		"dpkg --remove caesura-efivars-dkms && ! dkms status | grep caesura"
	check "dpkg purges caesurad and stops it" \
		"dpkg --purge caesurad && [ -z \"\$(named 'caesurad.*')\" ]"
	check "only its user and its state are left" \
		"! find /etc /usr/lib/systemd /usr/share/doc -name 'caesur*' | grep . &&
		id caesurad && [ -e $state ]"
}

serves() {
	installs
	starts
	is_ended
	is_stopped
	is_refused
	path=module
	by_fuse=$efivars
	efivars=/sys/firmware/efi/efivars
	installs_module
	serves_by_module
	keeps_the_mount
	list_variables
	removes
}

# The kernel calls firmware itself, and systemd has mounted the kernel's own efivarfs.
is_not_needed() {
	path=runtime
	efivars=/sys/firmware/efi/efivars
	check "dpkg installs caesurad" "dpkg --install /packages/caesurad_*.deb"
	check "where the kernel calls firmware the service ends with 2, and stays ended" \
		"fails_once 2 && log_has 'efi=noruntime'"
	list_variables
}

case $why in
here) serves ;;
runtime) is_not_needed ;;
esac
[ "$failures" -eq 0 ]
