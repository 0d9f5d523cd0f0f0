#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine: a kernel that preempts tasks inside the programs leaves them out for others
# meanwhile. System calls are recorded where it can't; of the other programs nobody knows whose events
# those were, and that there were some has to be said.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	daemon_stop || true
	cgroups_sweep
}

missed() {
	bpftool -j prog show | jq '[.[] | select(.name // "" | test("^tamis_(?!steady|feed)")) | .recursion_misses // 0] | add'
}

@test "runs of the programs that the kernel left out are told" {
	daemon_start "$PWD/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
	for i in {1..10}; do
		cgroup_make "$i"
		in_cgroup "$i" "$O/tools/variety" threads
		cgroup_remove "$i"
	done
	least=$(missed)
	daemon_stop
	told=$(sed -n 's/.* left the programs out \([0-9]*\) times.*/\1/p' daemon/log | awk '{ n += $1 } END { print n + 0 }')
	echo "$least missed before the end, $told told:"
	cat daemon/log
	((told >= least))
}

# leftout ROUNDS [portable]: sets door, made, lost, known.
leftout() {
	cgroup_make crowd
	read -r door made lost known < <(in_cgroup crowd "$O/tools/leftout" "$@")
	cgroup_remove crowd
	echo "$door: $lost of $made calls left out, $known runs"
	[[ $made ]]
}

@test "no call is left out while tasks are preempted between calls" {
	leftout 60
	((lost == 0))
	[[ $door == steady ]] || return 0
	# by the door that other kernels have
	leftout 30 portable
	((lost > 0 && known >= lost))
}
