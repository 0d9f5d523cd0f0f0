#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine that has the hierarchies of cgroup v1 and no other: refused in one clear line,
# and nothing left behind.

load ../lib/base.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

@test "cgroup v2 is mounted nowhere" {
	fails grep cgroup2 /proc/self/mountinfo
	grep -q ' - cgroup ' /proc/self/mountinfo
}

@test "cgroup v1 alone: record and daemon refuse in one line" {
	refuses 'no cgroup v2' "$TAMIS" record -- true
	refuses 'no cgroup v2' "$TAMIS" daemon --config /dev/null --state "$PWD/state"
	[[ -z $(tamis_objects) ]]
}

@test "check names what is missing, and nothing else" {
	run "$TAMIS" check
	echo "$output"
	((status == 1))
	[[ $(grep -c ^missing <<<"$output") == 1 && $output == *missing*cgroup* ]]
}
