#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd and a podman that has quadlet (4.4 on): a container in the cgroup
# of its unit (--cgroups=split).

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash
load systemd.bash

setup_file() {
	pod_image "$DIR/image"
	file_daemon --service 'vm-*'
}

teardown_file() {
	file_daemon_end
}

setup() {
	file_daemon_enter
}

# quadlet NAME LINE...: a .container file, as a unit.
quadlet() {
	mkdir -p /run/containers/systemd
	{
		printf '[Container]\nImage=%s\nNetwork=host\nExec=/calls 39 102\n' "$image"
		printf '%s\n' "${@:2}"
	} >"/run/containers/systemd/$1.container"
	systemctl daemon-reload
}

quadlet_runs() {
	systemctl start "$1" || { journalctl -u "$1" | tail -n 20; return 1; }
}

@test "a quadlet's container: by its name, setup apart, its unit no workload" {
	for i in runc crun; do
		quadlet vm-$i "PodmanArgs=--runtime $i"
		quadlet_runs vm-$i
		exactly podman/systemd-vm-$i 39 102
		has_calls podman/systemd-vm-$i setup mount pivot_root
		shown podman/systemd-vm-$i '.image == "localhost/vm:latest" and .starts == 1'
	done
	tamis list
	tamis list --json | json_is '[.workloads[] | select(.engine == "systemd")] == []'
}

@test "a quadlet with a name of its own, twice: one workload" {
	quadlet vm-twice ContainerName=vm-named
	quadlet_runs vm-twice
	workload_ended podman/vm-named
	quadlet_runs vm-twice
	wait_for 60 shown podman/vm-named '.starts == 2'
	exactly podman/vm-named 39 102
}
