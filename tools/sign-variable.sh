#!/bin/sh
# SPDX-License-Identifier: MIT
# sign-variable.sh OUT: makes the payloads of the program authvar: OUT, an assembly file
# with a line for each, and the payloads beside it. A payload is what SetVariable takes for
# an EFI_VARIABLE_TIME_BASED_AUTHENTICATED_WRITE_ACCESS variable (UEFI 2.11, section 8.2.2):
# EFI_VARIABLE_AUTHENTICATION_2, then the value. A key that is made here, and deleted
# afterwards, signs them; another one signs the last payload. Firmware remembers a signer by
# its common name.
set -eu

out=$1
updates=8
value_bytes=64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# bytes HEX…: writes these bytes.: prints these bytes.
bytes() {
	local byte
	for byte; do
		printf "\\$(printf %o "0x$byte")"
	done
}

# Prints u"CaesuraSigned", the programs' test_guid, and the attributes: NV, BS, RT,
# time-based.
variable() {
	local c
	for c in C a e s u r a S i g n e d; do
		printf '%s\0' "$c"
	done
	bytes 1e 4d 7a 6c b0 93 52 4f a8 1f 2e 57 c4 60 d9 3b
	bytes 27 00 00 00
}

# day NUMBER: prints an EFI_TIME, that day of January 2026.
day() {
	bytes ea 07 01 "$(printf %02x "$1")" 00 00 00 00 00 00 00 00 00 00 00 00
}

little_endian() {
	printf "\\$(printf %o $(($1 & 255)))\\$(printf %o $(($1 >> 8 & 255)))"
	printf '\0\0'
}

# make_key FILE NAME: leaves FILE.key and FILE.pem.
make_key() {
	openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 3650 \
		-set_serial 1 -subj "/CN=$2" -keyout "$1.key" -out "$1.pem" \
		2>"$work/said" || {
		cat "$work/said" >&2
		exit 1
	}
}

# payload NUMBER DAY BYTES KEY: writes OUT.NUMBER.
payload() {
	local n
	n=$1
	awk -v n="$n" -v count="$3" 'BEGIN {
		for (i = 0; i < count; i++) {
			printf "%c", 65 + (n * 7 + i) % 26
		}
	}' >"$work/value"
	{
		variable
		day "$2"
		cat "$work/value"
	} >"$work/message"
	openssl cms -sign -binary -noattr -md sha256 -outform DER \
		-signer "$4.pem" -inkey "$4.key" -in "$work/message" \
		-out "$work/cms"
	# Remove the header of the enclosing ContentInfo, which has 19 bytes.
	tail -c +20 "$work/cms" >"$work/signature"
	{
		day "$2"
		# A WIN_CERTIFICATE_UEFI_GUID of EFI_CERT_TYPE_PKCS7_GUID.
		little_endian $(($(wc -c <"$work/signature") + 24))
		bytes 00 02 f1 0e
		bytes 9d d2 af 4a df 68 ee 49 8a a9 34 7d 37 56 65 a7
		cat "$work/signature" "$work/value"
	} >"$out.$n"
}

make_key "$work/right" "Caesura test"
make_key "$work/wrong" "Somebody else"
for n in $(seq 0 $((updates - 1))); do
	payload "$n" $((n + 1)) "$value_bytes" "$work/right"
done
payload "$updates" $((updates + 1)) 0 "$work/right"
payload $((updates + 1)) $((updates + 2)) "$value_bytes" "$work/wrong"
: >"$work/list"
for n in $(seq 0 $((updates + 1))); do
	printf '\tpayload "%s"\n' "$(basename "$out").$n" >>"$work/list"
done
mv "$work/list" "$out"
