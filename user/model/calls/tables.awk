# SPDX-License-Identifier: Apache-2.0
# ABI.tbl files -> C: for each ABI the names by number and the numbers by name.
# Bad data stops the build: this is the only place where it can be seen.

function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text >"/dev/stderr"
	failed = 1
	exit 1
}

FNR == 1 {
	abi = FILENAME
	sub(/.*\//, "", abi)
	sub(/\.tbl$/, "", abi)
	abis[++abi_cnt] = abi
	last = -1
}

/^#/ || NF == 0 { next }

NF != 2 || $1 !~ /^[0-9]+$/ || $2 !~ /^[a-z_][a-z0-9_]*$/ { fail("not NUMBER NAME") }
$1 + 0 <= last { fail("not sorted by number") }
((abi, $2) in number) { fail($2 " twice") }

{
	last = $1 + 0
	number[abi, $2] = last
	name[abi, ++cnt[abi]] = $2
	end[abi] = last + 1
}

# Insertion sort: 500 names, no gawk needed.
function sort_names(a, n,    i, j, key) {
	for (i = 2; i <= n; i++) {
		key = name[a, i]
		for (j = i - 1; j > 0 && name[a, j] > key; j--)
			name[a, j + 1] = name[a, j]
		name[a, j + 1] = key
	}
}

function put_abi(a,    i) {
	printf "static const char *const names_%s[] = {\n", a
	for (i = 1; i <= cnt[a]; i++)
		printf "\t[%d] = \"%s\",\n", number[a, name[a, i]], name[a, i]
	printf "};\n_Static_assert(ARRAY_SIZE(names_%s) <= TAMIS_CALLS, \"sets are too small\");\n\n", a
	sort_names(a, cnt[a])
	printf "static const uint16_t by_name_%s[] = {\n", a
	for (i = 1; i <= cnt[a]; i++)
		printf "\t%d, /* %s */\n", number[a, name[a, i]], name[a, i]
	printf "};\n\n"
}

END {
	if (failed)
		exit 1
	print "/* Generated from user/model/calls/. */"
	print "#include \"base/cleanup.h\"\n#include \"model/calls_tables.h\"\n"
	for (k = 1; k <= abi_cnt; k++)
		put_abi(abis[k])
	print "const struct calls_table calls_tables[TAMIS_ABI_MAX] = {"
	for (k = 1; k <= abi_cnt; k++) {
		a = abis[k]
		printf "\t[TAMIS_ABI_%s] = { names_%s, %d, by_name_%s, %d },\n", toupper(a), a, end[a], a, cnt[a]
	}
	print "};"
}
