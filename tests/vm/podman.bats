#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: what podman has made of units, slices and pods.

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
	podman pod rm -f -a -t 0
	pod_sweep vm-
}

setup() {
	file_daemon_enter
}

teardown() {
	units_sweep
}

has_image() {
	shown "$1" '.engine == "podman" and .image == "localhost/vm:latest"'
}

@test "a pod with one pid namespace: each container its own, and the infra container" {
	podman --runtime crun pod create --name vm-pod --network host --share pid,ipc
	for i in one two; do
		pod_options[1]=crun
		pod run --pod vm-pod --name vm-pod-$i "${pod_run_options[@]}" "$image" /calls 39 "$([[ $i == one ]] && echo 102 || echo 104)"
	done
	exactly vm-pod-one 39 102
	exactly vm-pod-two 39 104
	for i in one two; do
		has_image vm-pod-$i
		has_calls vm-pod-$i setup mount pivot_root
		shown vm-pod-$i '.starts == 1 and .pod != null'
	done
	podman pod rm -f -t 0 vm-pod
	tamis list
}

restarted() {
	(($(pod inspect -f '{{.RestartCount}}' "$1") >= 1))
}

@test "killed and restarted by its policy: one workload, two starts" {
	for i in runc crun; do
		pod_options[1]=$i
		pod_run vm-again-$i --restart=always "$image" /calls 39 pace:600000 102
		wait_for 60 called vm-again-$i getuid
		kill -KILL "$(pod_pid vm-again-$i)"
		wait_for 60 restarted vm-again-$i
		wait_for 60 shown vm-again-$i '.starts == 2 and .state == "running"'
		pod_remove vm-again-$i
		workload_ended vm-again-$i
		"$calls" -n 39 pace:1 102 | grep -v ' 231$' >wanted
		names_equal vm-again-$i wanted
		shown vm-again-$i '.partial == false'
	done
}

@test "podman generate systemd: the container, not the unit that carries it" {
	pod create --name vm-carried "${pod_run_options[@]}" "$image" /calls 39 102 >/dev/null
	pod generate systemd --name --new --restart-policy=no vm-carried | unit vm-carrier.service
	pod_remove vm-carried
	systemctl start vm-carrier
	exactly podman/vm-carried 39 102
	has_image podman/vm-carried
	has_calls podman/vm-carried setup mount pivot_root
	tamis list --json | json_is '[.workloads[] | select(.name == "vm-carrier.service")] == []'
}
