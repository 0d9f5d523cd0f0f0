#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Of what make quality asks, what every run has time for: another compiler, sanitizers, and how much of
# user/ tests run.

load ../lib/base.bash
load build.bash

@test "clang builds all of it without a warning" {
	build sanitized
}

@test "unit tests by clang: ASan, UBSan and LeakSanitizer find nothing" {
	TAMIS_LESS=4 tests/quality/units "$O/san" 3>&-
}

@test "85 % of the lines of user/ are run by tests" {
	build counted
	run env O="$O/cov" tests/quality/measure 3>&-
	echo "$output"
	grep '^line coverage' <<<"$output" | sed 's/^/# said: /' >&3
	((status == 0))
}
