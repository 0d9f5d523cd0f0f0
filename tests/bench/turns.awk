# SPDX-License-Identifier: Apache-2.0
# What turns printed: medians, and medians of the differences within a round. Prints a table, and
# after it "RATIO KIND R" lines: how often the empty program's cost that is.

function median(n, v, i, j, x) {
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j && v[j] > x; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function of(kind, base, n, i, v) {
	for (i = 1; i <= n; i++)
		v[i] = ns[kind, i] - (base == "" ? 0 : ns[base, i])
	return median(n, v)
}

function row(kind, title) {
	printf "%-34s %6d %10.1f", title, n[kind], of(kind, "", n[kind])
	if (kind != "nothing") {
		over[kind] = of(kind, "nothing", n[kind])
		printf " %+12.1f %9.3f", over[kind], over[kind] / over["empty"]
	}
	print ""
}

{ ns[$1, ++n[$1]] = $2 }

END {
	printf "%-34s %6s %10s %12s %9s\n", "getppid, ns per call", "slices", "median", "over nothing", "x empty"
	row("nothing", "nothing attached")
	row("empty", "empty raw_tp program")
	row("tamis", "tamis, fast door")
	row("portable", "tamis, portable door")
	row("denials", "tamis, fast door, denials watched")
	for (kind in over)
		printf "RATIO %s %.3f\n", kind, over[kind] / over["empty"]
	printf "OVER denials %.1f\n", over["denials"] - over["tamis"]
}
