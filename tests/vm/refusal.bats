#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine whose kernel can't run the programs, its types being hidden: said at once, in one
# clear line. That it has no atomic operations in BPF (before 5.12) is no reason.

load ../lib/base.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

without_btf() {
	# shellcheck disable=SC2016
	unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$TAMIS" "$@"
}

@test "no BTF: record and daemon refuse in one line" {
	refuses BTF without_btf record -- true
	refuses BTF without_btf daemon --config /dev/null --state "$PWD/state"
	[[ -z $(tamis_objects) ]]
}

@test "check says what is missing, and what is done without" {
	run without_btf check
	echo "$output"
	((status == 1))
	[[ $(grep -c ^missing <<<"$output") == 1 && $output == *missing*BTF* ]]
	[[ $output == *degraded*'atomic operations in BPF'* ]]
}
