#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine: a kernel that preempts tasks inside the programs leaves them out for others
# meanwhile. Whose calls those were is known to nobody; that there were some has to be said.

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
	bpftool -j prog show | jq '[.[] | select(.name // "" | startswith("tamis_")) | .recursion_misses // 0] | add'
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
