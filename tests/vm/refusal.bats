#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine whose kernel can't run the programs: said at once, in one clear line.

load ../lib/base.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

@test "no atomic operations in BPF (before 5.12): record and daemon refuse in one line" {
	refuses 'no atomic operations' "$TAMIS" record -- true
	refuses 'no atomic operations' "$TAMIS" daemon --config /dev/null --state "$PWD/state"
	[[ -z $(tamis_objects) ]]
}

@test "check says what is missing" {
	run "$TAMIS" check
	echo "$output"
	((status == 1))
	[[ $(grep -c ^missing <<<"$output") == 1 && $output == *missing*'atomic operations in BPF'* ]]
}
