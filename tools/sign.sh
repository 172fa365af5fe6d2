#!/bin/sh
# SPDX-License-Identifier: MIT
# sign.sh KEY FILE SIGNED: a PE image, signed with KEY.key, whose certificate is
# KEY.pem. Debian's qemu-efi-aarch64 has such a key for the purpose, another one in
# each release: its AAVMF_VARS.snakeoil.fd trusts it, and nobody should otherwise.
set -eu

key=$1.key
certificate=$1.pem
for file in "$key" "$certificate"; do
	if ! [ -r "$file" ]; then
		echo "sign: no $file: it comes with qemu-efi-aarch64" >&2
		exit 1
	fi
done

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# sbsign asks for a passphrase on the terminal; the whole world knows this one.
openssl rsa -passin pass:snakeoil -in "$key" -out "$directory/key" \
	2>"$directory/said" || {
	cat "$directory/said" >&2
	exit 1
}
sbsign --key "$directory/key" --cert "$certificate" \
	--output "$directory/signed" "$2" 2>"$directory/said" || {
	cat "$directory/said" >&2
	exit 1
}
mv "$directory/signed" "$3"
