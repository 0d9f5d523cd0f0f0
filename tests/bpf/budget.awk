# SPDX-License-Identifier: Apache-2.0
# What tools/budget prints (second file or standard input) against tests/bpf/budget.tsv (first): a line
# each, and failure when a program has become over 10 % dearer or cheaper. A kernel that the table
# doesn't have may be as dear as the next older and the next newer one that it has.
BEGIN { FS = "\t"; allowed = 0.1 }

/^#/ || NF == 0 { next }

function number(series, part) { split(series, part, "."); return part[1] * 1000 + part[2] }

# The row of the table that is next to a series, among those of the program.
function next_to(program, at, upwards, best, i, n) {
	for (i = 1; i <= rows; i++) {
		n = number(series[i])
		if (name[i] == program && (upwards ? n >= at : n <= at) &&
		    (!best || (upwards ? n < number(series[best]) : n > number(series[best]))))
			best = i
	}
	return best
}

function change(now, was) { return sprintf("%+.1f %%", was ? (now / was - 1) * 100 : 100) }

function beyond(now, a, b) {
	return now < (a < b ? a : b) * (1 - allowed) || now > (a > b ? a : b) * (1 + allowed)
}

NR == FNR { name[++rows] = $1 " " $3 " " $4; series[rows] = $2; insns[rows] = $5; bytes[rows] = $6; next }

{
	program = $1 " " $3 " " $4
	seen[program] = figures = 1
	here[$1] = $2
	older = next_to(program, number($2), 0)
	newer = next_to(program, number($2), 1)
	if (!older) older = newer
	if (!newer) newer = older
	if (!older) {
		printf "%s on %s: not in the table\n", program, $2
		bad = 1
		next
	}
	over = beyond($5, insns[older], insns[newer]) || beyond($6, bytes[older], bytes[newer])
	printf "%s%s on %s: %d instructions verified (%s), %d bytes (%s) since %s\n", over ? "OVER: " : "",
		program, $2, $5, change($5, insns[older]), $6, change($6, bytes[older]), series[older]
	bad = bad || over
}

END {
	for (i = 1; i <= rows; i++) {
		split(name[i], part, " ")
		if (here[part[1]] != series[i] || seen[name[i]])
			continue
		printf "%s on %s: in the table, and not loaded\n", name[i], series[i]
		bad = 1
	}
	if (!figures) {
		print "no figures"
		bad = 1
	}
	if (bad)
		print "meant so? `make budget` records what it costs now (after `make check-vm` for other kernels)"
	exit bad
}
