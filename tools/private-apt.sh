#!/bin/sh
# SPDX-License-Identifier: MIT
# private-apt.sh DIR [SUITE…]: an apt of its own in DIR, for packages of Debian
# for arm64, with fresh lists; with APT_CONFIG=DIR/apt.conf in the environment
# apt-get and apt-cache work on that. Packages come from where this machine's
# come from: its own sources, or of that mirror the suites given. The machine's
# lists, and its idea of which architecture it is, stay as they are; no need to
# be root. apt's own words are in DIR/said.
set -eu

mkdir -p "$1/conf.d" "$1/state/lists/partial" "$1/cache/archives/partial"
dir=$(cd "$1" && pwd)
shift
keys=/usr/share/keyrings/debian-archive-keyring.gpg

# Configuration of its own: the machine's, without what it does after an update,
# which is about the machine's lists and may ask for root. A list that could not be
# fetched is an error: its packages would only be missing later.
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

# Where the machine has Debian from; not its security updates, which come to the
# suites later.
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
		echo "private-apt: this machine's apt knows no mirror" >&2
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
