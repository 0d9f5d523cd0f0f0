#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The estimate on real matrices: the tests of eight services, half of them held out a thousand times.

load ../lib/base.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

@test "what held-out tests bring is within what was predicted" {
	local file held=0 all=0
	for file in "$ROOT"/tests/data/units/*.tsv; do
		((++all))
		echo "# $(basename "$file" .tsv)"
		if "$O/tools/unseen" --holdout 1000 "$file" >out; then ((++held)); fi
		cat out
		json_is '.said == .times and .total_within >= 0.9 * .said' <out
	done
	((all == 8 && held >= 7))
}

@test "an estimate of each, never 100 %" {
	local file
	for file in "$ROOT"/tests/data/units/*.tsv; do
		"$O/tools/unseen" "$file" >out
		json_is '.known and .coverage_high < 1 and .coverage_low <= .coverage and .high >= .seen' <out
		json_is '(.rarefaction | length) == .units and (.rarefaction[-1] - .seen | fabs) < 0.01' <out
	done
}

@test "a matrix that can't be read is named, and too few units are no pass" {
	run "$O/tools/unseen" /nonexistent
	((status == 1)) && [[ $output == *"/nonexistent: No such file or directory"* ]]
	printf 'a\tread\nb read\n' >bad.tsv
	run "$O/tools/unseen" bad.tsv
	((status == 1)) && [[ $output == *"bad.tsv:2: Invalid argument"* ]]
	printf '%s\tread\n' a b c d e >few.tsv
	run "$O/tools/unseen" --holdout 10 few.tsv
	((status == 1)) && [[ $output == *'"said": 0'* ]]
}
