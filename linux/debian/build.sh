#!/bin/sh
# SPDX-License-Identifier: MIT
# build.sh CAESURAD OUT: Debian packages of the daemon, a stripped program for
# arm64, and of the module's source, in OUT. By dpkg-deb alone, on any
# architecture, without root. Their maintainer is who builds them, as Debian's tools
# know him: DEBFULLNAME and DEBEMAIL in the environment.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
linux=$here/..
program=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
version=$(sed -n 's/^#define CZ_VERSION "\(.*\)"$/\1/p' \
	"$linux/../include/caesura/caesura.h")
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git -C "$here" log -1 --format=%ct 2>/dev/null ||
		date +%s)
	export SOURCE_DATE_EPOCH
fi
maintainer="${DEBFULLNAME:-The Caesura authors} <${DEBEMAIL:-caesura@invalid}>"
work=$(mktemp -d "$out/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# place MODE FILE PATH: in the package's tree.
place() {
	mkdir -p "$tree$(dirname "$3")"
	install -m "$1" "$2" "$tree$3"
}

# fill FILE MODE NAME: a file of dpkg's, with what it does not know filled in.
fill() {
	sed "s/@VERSION@/$version/g; s/@SIZE@/$size/g; s|@MAINTAINER@|$maintainer|" \
		"$1" >"$tree/DEBIAN/$3"
	chmod "$2" "$tree/DEBIAN/$3"
}

# This version's part of the changelog, as Debian writes it.
changelog() {
	echo "caesura ($version) unstable; urgency=medium"
	echo
	awk -v version="$version" '
	/^## / { inside = $2 == version; next }
	inside && NF > 0 { print "  " $0 }' "$linux/../CHANGELOG.md" |
		fmt -t -w 80
	echo
	echo " -- $maintainer  $(LC_ALL=C date -u -d "@$SOURCE_DATE_EPOCH" \
		'+%a, %d %b %Y %H:%M:%S +0000')"
}

start() {
	package=$1
	tree=$work/$package
	mkdir -p "$tree/usr/share/doc/$package"
	{
		cat "$here/copyright"
		awk '
		NR == FNR && /^Copyright/ { print "Copyright: " substr($0, 15) }
		NR == FNR { next }
		FNR == 1 { print "License: Expat" }
		/^Permission/ { inside = 1 }
		inside { print $0 == "" ? " ." : " " $0 }' \
			"$linux/../LICENSE" "$linux/../LICENSE"
	} >"$tree/usr/share/doc/$package/copyright"
	changelog | gzip -9n >"$tree/usr/share/doc/$package/changelog.gz"
}

# finish ARCHITECTURE
finish() {
	local size script
	size=$(du -k -s "$tree" | cut -f1)
	mkdir "$tree/DEBIAN"
	(cd "$tree" && find . -type f ! -path './DEBIAN/*' -printf '%P\n' |
		LC_ALL=C sort | xargs md5sum) >"$tree/DEBIAN/md5sums"
	(cd "$tree" && find ./etc -type f 2>/dev/null | sed 's,^\.,,') \
		>"$tree/DEBIAN/conffiles"
	[ -s "$tree/DEBIAN/conffiles" ] || rm "$tree/DEBIAN/conffiles"
	fill "$here/$package.control" 644 control
	for script in postinst prerm postrm; do
		fill "$here/$package.$script" 755 "$script"
	done
	chmod -R go+rX,go-w "$tree"
	rm -f "$out/$package"_*.deb # of another version
	dpkg-deb --root-owner-group --build "$tree" \
		"$out/${package}_${version}_$1.deb" >/dev/null
	echo "$out/${package}_${version}_$1.deb"
}

start caesurad
units=/usr/lib/systemd/system
place 755 "$program" /usr/sbin/caesurad
place 644 "$linux/systemd/caesurad.service" "$units/caesurad.service"
place 644 "$linux/systemd/caesurad.tmpfiles" /usr/lib/tmpfiles.d/caesurad.conf
place 644 "$linux/systemd/caesurad.sysusers" /usr/lib/sysusers.d/caesurad.conf
place 644 "$linux/systemd/real-time.conf" \
	/usr/share/doc/caesurad/examples/real-time.conf
place 644 "$here/caesurad.default" /etc/default/caesurad
place 644 "$here/caesurad.overrides" /usr/share/lintian/overrides/caesurad
mkdir -p "$tree/usr/share/man/man8"
gzip -9n <"$linux/man/caesurad.8" >"$tree/usr/share/man/man8/caesurad.8.gz"
finish arm64

start caesura-efivars-dkms
source=/usr/src/caesura-efivars-$version
for file in "$linux"/module/*.[ch] "$linux/module/Kbuild" \
	"$linux/module/Makefile"; do
	place 644 "$file" "$source/$(basename "$file")"
done
sed "s/^PACKAGE_VERSION=.*/PACKAGE_VERSION=\"$version\"/" \
	"$linux/module/dkms.conf" >"$work/dkms.conf"
place 644 "$work/dkms.conf" "$source/dkms.conf"
place 644 "$linux/systemd/module.conf" "/usr/share/$package/module.conf"
place 755 "$linux/systemd/caesurad-generator" \
	/usr/lib/systemd/system-generators/caesurad-generator
finish all
