#!/bin/sh
# SPDX-License-Identifier: MIT
# private-apt.sh DIR [SUITE…]: makes a private apt in DIR for Debian's packages for arm64,
# and fetches its package lists. With APT_CONFIG=DIR/apt.conf in the environment apt-get
# and apt-cache use it. Packages come from this machine's own sources, or from the SUITEs
# on the same mirror. The machine's own lists and architectures do not change, and root is
# not needed. What apt prints is in DIR/said.
set -eu

mkdir -p "$1/conf.d" "$1/state/lists/partial" "$1/cache/archives/partial"
dir=$(cd "$1" && pwd)
shift
keys=/usr/share/keyrings/debian-archive-keyring.gpg

# The configuration is the machine's, without the commands that run after an update: they
# work on the machine's lists and may need root. A list that cannot be fetched is an error
# here, because its packages would be missing later.
for file in /etc/apt/apt.conf.d/*; do
	if [ -r "$file" ]; then
		cp "$file" "$dir/conf.d"
	fi
done
: >"$dir/state/status"
cat >"$dir/conf.d/zz-private" <<-END
	#clear APT::Update;
	#clear DPkg;
	#clear APT::Architectures;
	Dir::State "$dir/state";
	Dir::State::status "$dir/state/status";
	Dir::Cache "$dir/cache";
	APT::Architecture "arm64";
	APT::Architectures { "arm64"; };
	APT::Sandbox::User "$(id -un)";
	Acquire::Languages "none";
	Acquire::Retries "3";
	APT::Update::Error-Mode "any";
END

# Prints the mirror of this machine's sources, but not that of security updates.
mirror() {
	apt-get indextargets \
		--format "\$(REPO_URI) \$(COMPONENT)" |
		awk '$1 ~ /\/debian\/?$/ && $2 == "main" && !seen++ {
			print $1
		}'
}

if [ "$#" -gt 0 ]; then
	from=$(mirror)
	if [ -z "$from" ]; then
		echo "private-apt: this machine's apt sources name no Debian mirror" >&2
		exit 1
	fi
	for suite; do
		echo "deb [signed-by=$keys] $from $suite main"
	done >"$dir/sources.list"
	cat >>"$dir/conf.d/zz-private" <<-END
		Dir::Etc::sourcelist "$dir/sources.list";
		Dir::Etc::sourceparts "/nonexistent";
	END
fi
echo "Dir::Etc::Parts \"$dir/conf.d\";" >"$dir/apt.conf"

if ! APT_CONFIG=$dir/apt.conf apt-get -q -q update >"$dir/said" 2>&1; then
	cat "$dir/said" >&2
	exit 1
fi
