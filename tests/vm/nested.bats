#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: what runs in a container that is a machine of its own, and other
# makers of such machines. All that is inside is the outermost's.

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
	pod_sweep vm-
}

setup() {
	file_daemon_enter
}

# machine NAME: sets root, a tree like this machine's own.
machine() {
	root=/run/machines/$1
	mkdir -p /image "$root" "/run/layers/$1"/{upper,work}
	mountpoint -q /image || mount -t squashfs -o ro /dev/vda /image
	mount -t overlay -o "lowerdir=/image,upperdir=/run/layers/$1/upper,workdir=/run/layers/$1/work" \
		overlay "$root"
	cp "$calls" "$root/calls"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
	rm -f "$root"/etc/systemd/system/{timers,multi-user,sysinit}.target.wants/*
}

# boot_unit ROOT: what its systemd starts: one that makes calls 140 and 141.
boot_unit() {
	cat >"$1/etc/systemd/system/vm-inner.service" <<-EOT
		[Service]
		Type=oneshot
		PrivateTmp=yes
		ExecStart=/calls 140 141
	EOT
	cat >"$1/etc/systemd/system/vm-inner.target" <<-EOT
		[Unit]
		Wants=vm-inner.service
		DefaultDependencies=no
		AllowIsolate=yes
	EOT
}

no_other() {
	tamis list --json >list.json
	jq -r '.workloads[].key' list.json
	json_is "[.workloads[] | select(.key | contains(\"inner\"))] == []" <list.json
}

@test "systemd as process 1 of a container: all its services are the container's" {
	machine init
	boot_unit "$root"
	pod run -d --name vm-init --systemd=always "${pod_run_options[@]}" --rootfs "$root" \
		/lib/systemd/systemd systemd.unit=vm-inner.target >/dev/null
	wait_for 120 called podman/vm-init setpriority
	has_calls podman/vm-init workload mount unshare getpriority
	lacks podman/vm-init session getpriority mount
	lacks podman/vm-init setup getpriority
	shown podman/vm-init '.starts == 1 and .instances == 1'
	no_other
	pod_remove vm-init
	workload_ended podman/vm-init
	shown podman/vm-init '.partial == false'
}

@test "a container in a container: the outer's, and shown" {
	local id
	machine outer
	id=$(printf 'e%.0s' {1..64})
	mkdir -p "$root/bundle/root"
	cp "$calls" "$root/bundle/root/calls"
	runc spec -b "$root/bundle"
	jq --arg path "/docker/$id" '.process.terminal = false | .process.args = ["/calls", "140", "141"] |
		.linux.cgroupsPath = $path | .root.path = "/bundle/root"' "$root/bundle/config.json" >config.json
	cp config.json "$root/bundle/config.json"
	cat >"$root/outer" <<-EOT
		mount -o remount,rw /sys/fs/cgroup
		mkdir /sys/fs/cgroup/own
		echo 1 >/sys/fs/cgroup/own/cgroup.procs
		exec runc run -b /bundle $id
	EOT
	pod run --name vm-outer --privileged --cgroupns=private "${pod_run_options[@]}" --rootfs "$root" sh /outer
	workload_ended podman/vm-outer
	has_calls podman/vm-outer workload getpriority setpriority mount pivot_root seccomp
	lacks podman/vm-outer session getpriority pivot_root
	shown podman/vm-outer '.inside == ["docker/eeeeeeeeeeee"] and .instances == 1 and .partial == false'
	tamis list --json | json_is '[.workloads[] | select(.engine == "docker")] == []'
}

@test "systemd-nspawn: by its path" {
	machine spawned
	boot_unit "$root"
	systemd-nspawn -q -D "$root" -M vm-spawned /calls 39 102
	workload_ended nspawn/vm-spawned
	tamis list
	wants 39 102
	names_equal nspawn/vm-spawned wanted
	has_calls nspawn/vm-spawned setup mount
	shown nspawn/vm-spawned '.engine == "nspawn" and .name == "vm-spawned" and .starts == 1'
}

@test "LXC: by its path" {
	mkdir -p "$DIR/lxc/root"/{proc,sys,dev}
	cp "$calls" "$DIR/lxc/root/calls"
	mkdir -p /var/lib/lxc/vm-lxc
	cat >/var/lib/lxc/vm-lxc/config <<-EOT
		lxc.uts.name = vm-lxc
		lxc.rootfs.path = dir:$DIR/lxc/root
		lxc.net.0.type = none
		lxc.init.cmd = /calls 39 102
		lxc.apparmor.profile = unconfined
	EOT
	lxc-start -n vm-lxc -F
	workload_ended lxc/vm-lxc
	tamis list
	wants 39 102
	names_equal lxc/vm-lxc wanted
	has_calls lxc/vm-lxc setup mount pivot_root
	shown lxc/vm-lxc '.engine == "lxc" and .name == "vm-lxc" and .starts == 1'
}
