# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the benches: one line per measure, all in one format. tests/bench/run gathers them in a table.

# measure TITLE FIGURE [UNIT [<=|>= TARGET]]: prints
#     TITLE | FIGURE UNIT | <= TARGET UNIT | reached
# with "not reached" where so, and no target and "reported" where none is given. A figure that is no
# number (the sentence why there is none) isn't reached.
measure() {
	local what=$1 figure=$2 unit=${3:+ $3} relation=${4-} target=${5-} said line
	said=$(awk -v x="$figure" -v is="$relation" -v y="$target" 'BEGIN {
		if (is == "") print "reported"
		else if (x !~ /^-?[0-9.]+$/) print "not reached"
		else if (is == "<=" ? x + 0 <= y + 0 : x + 0 >= y + 0) print "reached"
		else print "not reached"
	}')
	[[ $figure =~ ^-?[0-9.]+$ ]] || unit=
	line="$what | $figure$unit | ${relation:+$relation $target${3:+ $3}} | $said"
	echo "$line"
	[[ -z ${BENCH_LINES-} ]] || echo "$line" >>"$BENCH_LINES"
}

# median: of the numbers on standard input, one a line.
median() {
	sort -g | awk '{ v[NR] = $1 } END {
		if (!NR) exit 1
		h = int((NR + 1) / 2)
		printf "%.6g\n", NR % 2 ? v[h] : (v[h] + v[h + 1]) / 2
	}'
}
