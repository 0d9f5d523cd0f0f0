#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Another compiler, sanitizers, coverage, valgrind, fuzzing, and what of make lint is quick.

load ../lib/base.bash

san=$O/san

setup() {
	cd "$ROOT" || return
}

# The end of what it said is what a failure shows.
build() {
	make --no-print-directory O="$O" WERROR=1 -j "$(nproc)" "$@" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- && return
	grep -E 'warning|error' "$BATS_TEST_TMPDIR/log" | head -n 20
	tail -n 60 "$BATS_TEST_TMPDIR/log"
	return 1
}

@test "clang builds all of it without a warning" {
	build instrumented
	find "$san" -name '*.gcda' -delete
}

@test "unit tests by clang: ASan, UBSan and LeakSanitizer find nothing" {
	TAMIS_LESS=4 tests/quality/units "$san" 3>&-
}

# What the daemon, the keeper and the hooks do as programs is not in it: make coverage runs them, too,
# and asks for 85 %.
@test "70 % of the lines of user/ are run by unit tests alone" {
	run tests/quality/coverage "$san" 70
	echo "$output"
	grep '^line coverage' <<<"$output" | sed 's/^/# said: /' >&3
	((status == 0))
}

@test "unit tests under valgrind: nothing unwritten is read, nothing lost" {
	build unit-valgrind
}

@test "fuzzing from the corpus, a few seconds each, finds nothing" {
	build fuzz TIME=5
}

# clang-tidy and its analyzer are make lint's alone.
@test "format, layers, licences, lengths, links, scripts" {
	tests/lint/run quick 3>&-
}
