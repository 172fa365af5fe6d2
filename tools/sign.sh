#!/bin/sh
# SPDX-License-Identifier: MIT
# sign.sh KEY FILE SIGNED: signs a PE image with KEY.key, whose certificate is KEY.pem.
# Debian's qemu-efi-aarch64 has such a key for tests, a different one in each release. Only
# its AAVMF_VARS.snakeoil.fd trusts the key, because everybody has it.
set -eu

key=$1.key
certificate=$1.pem
for file in "$key" "$certificate"; do
	if ! [ -r "$file" ]; then
		echo "sign: $file cannot be read: qemu-efi-aarch64 has it" >&2
		exit 1
	fi
done

directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
# sbsign would ask for the passphrase on the terminal. This passphrase is public.
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
