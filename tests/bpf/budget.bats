#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the programs cost the verifier, against tests/bpf/budget.tsv. On the host, and in each virtual
# machine, which leaves its figures for `make budget`.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	"$O/tools/budget" >now
	table=$BATS_TEST_DIRNAME/budget.tsv
}

against() {
	awk -f "$BATS_TEST_DIRNAME/budget.awk" "$@"
}

refused() {
	fails against "$@" >said
}

@test "no program's cost has changed by over 10 %" {
	[[ ! -d /run/results ]] || cp now /run/results/budget.tsv
	[[ -s now ]]
	against "$table" now
}

# scaled FACTOR: a table of this kernel's figures, the last of them times FACTOR.
scaled() {
	awk -F '\t' -v OFS='\t' -v factor="$1" '{ line[NR] = $0 }
		END { $0 = line[NR]; $5 *= factor; line[NR] = $0; for (i = 1; i <= NR; i++) print line[i] }' now
}

@test "the comparison sees a change, a program that is new, one that is gone" {
	scaled 1 >same
	against same now >said
	scaled 1.08 >less
	against less now >said
	scaled 0.8 >dearer
	refused dearer now
	[[ $(grep -c ^OVER: said) == 1 ]]
	scaled 1.2 >cheaper
	refused cheaper now
	sed '$d' now >fewer
	refused fewer now
	refused now fewer
	refused now /dev/null
}

@test "a kernel between two of the table is held to both" {
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 6.1 100 6.12 200 >two
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 6.6 92 >low
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 6.6 219 >high
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 6.6 221 >over
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 5.15 92 >older
	printf 'x86_64\t%s\tsensor\ttamis_exec\t%s\t100\n' 5.15 89 >under
	against two low
	against two high
	refused two over
	against two older
	refused two under
}
