#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: pods as a kubelet has containerd's CRI plugin make them.

load ../lib/base.bash
load ../lib/daemon.bash
load guest.bash
load engines.bash
load cri.bash

tasks=/run/containerd/io.containerd.runtime.v2.task/k8s.io

setup_file() {
	cri_start
	file_daemon
}

teardown_file() {
	file_daemon_end
	cri_stop
}

setup() {
	file_daemon_enter
	cri_setup
}

teardown() {
	cri_teardown
}

# --- whose calls ----------------------------------------------------------------------------

# Of each class: named by the pod, in the cgroup that the kubelet would have chosen.
classes() {
	local qos name
	wants_killed 39 pace:1 102
	for qos in guaranteed burstable besteffort; do
		name=$1-$qos
		pod_start "$1" "$qos" "$name"
		container_start app 0 '{}' /calls 39 pace:600000 102
		echo "# $(cgroup_of "$(container_pid)")"
		[[ $(cgroup_of "$(container_pid)") == "$(parent_of "$1" "$qos" "$(uid_of "$name")")/"*"$container"* ]]
		wait_for 60 has_starts "kubernetes/shop/$name/app" 1
		container_stop
		must_end "kubernetes/shop/$name/app" 'exact and once and made'
		must_show "kubernetes/shop/$name/app" ".engine == \"kubernetes\" and .name == \"app\" and
			.namespace == \"shop\" and .pod == \"$name\" and .image == \"$engine_image\""
		[[ $(workloads_like "$name|id:") == 1 ]] # the sandbox is nobody's
	done
}

@test "cri: pods of every class, cgroups by the runtime itself" {
	classes cgroupfs
}

@test "cri: pods of every class, cgroups by systemd" {
	classes systemd
}

@test "cri: init containers, restarts and replicas" {
	local attempt
	pod_start systemd burstable web-6d4cf56db6-x7k2p
	container_start prepare 0 '{}' /calls 102
	container_end
	for attempt in 0 1; do
		container_start app "$attempt" '{}' /calls "$((107 + attempt))"
		container_end
	done
	pod_start systemd burstable web-6d4cf56db6-q9wzl
	container_start app 0 '{}' /calls 39
	container_end
	wants 102
	must_end kubernetes/shop/web-6d4cf56db6-x7k2p/prepare 'exact and once'
	wants 107-108
	must_end kubernetes/shop/web-6d4cf56db6-x7k2p/app 'exact and .starts == 2 and .instances == 2'
	# containerd knows nothing of what made a pod: its name is no evidence
	wants 39
	must_end kubernetes/shop/web-6d4cf56db6-q9wzl/app 'exact and once'
	[[ $(workloads_like web-6d4cf56db6) == 3 ]]
}

@test "cri: a static pod is its manifest's, whichever uid it has now" {
	local uid
	for uid in 0123456789abcdef0123456789abcdef fedcba9876543210fedcba9876543210; do
		pod_start cgroupfs besteffort "proxy-$(hostname)" "$uid"
		container_start app 0 '{}' /calls 102
		container_end
		pod_end "$sandbox"
		: >sandboxes
	done
	wait_for 60 has_starts kubernetes/shop/proxy/app 2
	wants 102
	must_end kubernetes/shop/proxy/app 'exact and .starts == 2'
}

@test "cri: what ExecSync brings in is the session's" {
	pod_start systemd burstable session
	container_start app 0 '{}' /calls 39 pace:600000 102
	cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"/calls\", \"24\", \"140\"], \"timeout\": 60}" |
		json_is '.exit_code == 0'
	cri ExecSync "{\"container_id\": \"$container\", \"cmd\": [\"sh\", \"-c\", \"uname -a\"], \"timeout\": 60}" |
		json_is '.stdout | test("Linux")'
	container_stop
	wants_killed 39 pace:1 102
	must_end kubernetes/shop/session/app 'exact and once and execs'
}

@test "cri: the pod's pid namespace, the host's" {
	local pid
	wants 39 102
	for pid in 0 2; do
		pod_start systemd burstable "shared-$pid" "$(uid_of "$pid")" "$pid"
		container_start app 0 '{}' /calls 39 102
		container_end
		must_end "kubernetes/shop/shared-$pid/app" 'exact and once'
		[[ $(workloads_like "shared-$pid") == 1 ]]
	done
}

# --- the kubelet's links ------------------------------------------------------------------------

@test "cri: where no bundle tells, the links to the logs do" {
	local id link
	pod_start cgroupfs burstable linked
	container_start app 0 '{}' /calls 39 pace:600000 102
	id=$container
	mkdir -p /var/log/containers
	link=/var/log/containers/linked_shop_app-$id.log
	ln -s "$log" "$link"
	mv "$tasks/$id/config.json" "$tasks/$id/kept"
	daemon_start "$PWD/second" --interval 0.2
	daemon_stop
	mv "$tasks/$id/kept" "$tasks/$id/config.json"
	must_show kubernetes/shop/linked/app '.engine == "kubernetes" and .name == "app" and
		.state == "running" and .partial == true'
	[[ $(workloads_like linked) == 1 ]]
}

# --- policies ---------------------------------------------------------------------------------

@test "cri: a container starts again under its own policy, and is held to it" {
	local policy=$PWD/policy.json nnp attempt=0
	pod_start systemd burstable policy
	container_start app 0 '{}' sh -c "$engine_work"
	container_end
	workload_ended kubernetes/shop/policy/app
	tamis export kubernetes/shop/policy/app -f oci -o "$policy"
	container_start before 0 '{}' sh -c "$engine_more"
	container_end
	grep -q 'F open$' "$log"
	for nnp in true false; do
		container_start "app" "$((++attempt))" "{\"no_new_privs\": $nnp, \"seccomp\":
			{\"profile_type\": 2, \"localhost_ref\": \"$policy\"}}" sh -c "$engine_more"
		container_end
		cat "$log"
		grep -q 'F child$' "$log"
		grep -q 'F end$' "$log"
		[[ $(<"$log") != *'F open'* ]]
	done
	container_start app 9 "{\"seccomp\": {\"profile_type\": 2, \"localhost_ref\": \"$policy\"}}" \
		sh -c "$engine_work; sleep 600"
	cri ExecSync "{\"container_id\": \"$container\", \"timeout\": 60, \"cmd\":
		[\"sh\", \"-c\", \"echo inside; mkdir /made 2>/dev/null && echo open\"]}" |
		json_is '.stdout == "inside\n"'
	container_stop
}
