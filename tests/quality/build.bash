# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For the bats files here: builds from the root. Needs base.bash.

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
