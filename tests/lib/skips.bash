# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Which skips are no failure: tests/skips.expected. From the project's root.

# skip_expected "SUITE/FILE: test: reason"
skip_expected() {
	local pattern
	while IFS= read -r pattern; do
		[[ $pattern && $pattern != '#'* ]] || continue
		[[ $1 =~ ${pattern%%  #*} ]] && return 0
	done <tests/skips.expected
	return 1
}
