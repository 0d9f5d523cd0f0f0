#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with the hierarchies of cgroup v1: beside v2 as systemd mounts it in hybrid
# mode, and alone.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	daemon_stop || true
	cgroups_sweep
	pod_sweep vm-
}

@test "hybrid: what was called is learned, in a cgroup and by record" {
	daemon_start "$PWD/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
	cgroup_make one
	in_cgroup one "$O/tools/calls" 500 501
	cgroup_remove one
	daemon_stop
	"$O/tools/calls" -n 500 501 >wanted
	must_equal one wanted
	"$TAMIS" record -f names -o names -- "$O/tools/calls" 500 501
	sysset names names >got
	sysset diff wanted got
}

@test "hybrid: the workload of a container is exactly what it called" {
	[[ -d /sys/fs/cgroup/memory ]] || skip 'this kernel has no memory controller for cgroup v1'
	pod_image "$PWD/image"
	daemon_start "$PWD/daemon" --interval 0.2
	pod run --name vm-hybrid "${pod_run_options[@]}" "$image" /calls 39 102
	workload_ended vm-hybrid
	"$O/tools/calls" -n 39 102 >wanted
	names_equal vm-hybrid wanted
	has_calls vm-hybrid setup mount pivot_root
}

without_v2() {
	# shellcheck disable=SC2016
	unshare -m sh -c 'umount /sys/fs/cgroup/unified && exec "$@"' sh "$TAMIS" "$@"
}

@test "cgroup v1 alone: refused in one line" {
	refuses 'no cgroup v2' without_v2 record -- true
	refuses 'no cgroup v2' without_v2 daemon --config /dev/null --state "$PWD/state"
	run without_v2 check
	echo "$output"
	((status == 1))
	[[ $output == *missing*cgroup* ]]
}
