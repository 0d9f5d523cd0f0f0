#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine: the unit tests that qemu's user mode can't run (tests/arm64/qemu.cannot).

load ../lib/base.bash

limit=900
export TAMIS_LESS=10

# run_program PATH: its results, as tap.awk has them.
run_program() {
	local log=$BATS_TEST_TMPDIR/log rc=0
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 10 $limit "$1" >"$log" 2>&1 </dev/null || rc=$?
	awk -v rc=$rc -v limit=$limit -f tests/lib/tap.awk "$log"
}

@test "unit tests that qemu's user mode can't run" {
	local program passed=0 failed=0 line
	cd "$ROOT"
	cp -r "$O/tools/unit" "$BATS_TEST_TMPDIR" # the root can't be written, and some write beside themselves
	for program in "$BATS_TEST_TMPDIR"/unit/test_*; do
		while IFS= read -r line; do
			case $line in
			'pass '*) ((++passed)) ;;
			'out '*) echo "  $line" ;;
			*) ((++failed)) && echo "$(basename "$program"): $line" ;;
			esac
		done < <(run_program "$program")
	done
	echo "# said: $(find "$O/tools/unit" -type f | wc -l) programs, $passed passed, $failed failed" >&3
	((failed == 0 && passed > 0))
}
