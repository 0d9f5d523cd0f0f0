#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine: containers of podman, with runc and with crun: whose each call is, and
# policies that let them start again. VM_RUNTIMES: only these.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash

setup_file() {
	pod_image "$DIR/image"
	file_daemon
}

teardown_file() {
	file_daemon_end
	pod_sweep vm-
}

setup() {
	file_daemon_enter
}

teardown() {
	pod_sweep vm-
}

runc_here() {
	pod_options[1]=runc
}

crun_here() {
	pod_options[1]=crun
}

# --- whose calls ----------------------------------------------------------------------------

# What the entrypoint calls is known to the last call; what made the container is apart from it.
stages() {
	local name=vm-stages-$1 a b c d
	read -r a b c d < <(numbers getpid getuid getgid getppid | xargs)
	pod run --name "$name" "${pod_run_options[@]}" "$image" /calls "$a" "$b" fork "$c" exec "$d"
	workload_ended "$name"
	"$O/tools/calls" -n "$a" "$b" fork "$c" exec "$d" >wanted
	names_equal "$name" wanted
	has_calls "$name" setup mount pivot_root
	tamis show "$name" --json | jq -e '.partial == false and .starts == 1'
}

@test "runc: the workload is exactly what it called, setup apart" {
	runc_here && stages runc
}

@test "crun: the workload is exactly what it called, setup apart" {
	crun_here && stages crun
}

sessions() {
	local name=vm-session-$1 before after end
	local -a in_session
	read -r before after end < <(numbers getpid getuid exit_group | xargs)
	mapfile -t in_session < <(numbers sched_yield getpriority)
	pod_run "$name" "$image" /calls "$before" pace:600000 "$after"
	pod exec "$name" /calls "${in_session[@]}"
	pod exec "$name" sh -c 'uname -a; sleep 0.1'
	pod_remove "$name"
	workload_ended "$name"
	"$O/tools/calls" -n "$before" pace:1 "$after" | grep -v " $end\$" >wanted # it never came there
	names_equal "$name" wanted
	has_calls "$name" session sched_yield getpriority uname
	tamis show "$name" --json | jq -e '.starts == 1'
}

@test "runc: what podman exec brings in is the session's" {
	runc_here && sessions runc
}

@test "crun: what podman exec brings in is the session's" {
	crun_here && sessions crun
}

# --- policies ---------------------------------------------------------------------------------

script='id; ls -l / | sort | tail -n 3; (sleep 0.1; echo child) & wait; unshare -U true 2>/dev/null && echo open; echo end'
plain=${script/unshare*open; /}

# policy RUNTIME: learned without the user namespace; the same container under it can start,
# do its work, and not make one.
policy() {
	local name=vm-policy-$1 uid nnp
	for uid in 0 1000; do
		pod run --rm --name "$name" "${pod_run_options[@]}" --user "$uid" "$image" sh -c "$plain"
	done
	workload_ended "$name"
	tamis export "$name" -f oci -o policy.json
	run pod run --rm --name vm-before "${pod_run_options[@]}" "$image" sh -c "$script"
	[[ $output == *open* && $output == *end ]]
	for uid in 0 1000; do
		for nnp in true false; do
			echo "# uid $uid, no_new_privs $nnp"
			run pod run --rm --name "$name" "${pod_run_options[@]}" --user "$uid" \
				--security-opt "no-new-privileges=$nnp" \
				--security-opt "seccomp=$PWD/policy.json" "$image" sh -c "$script"
			echo "$output"
			[[ $status == 0 && $output == *child* && $output == *end && $output != *open* ]]
		done
	done
	pod_run "$name" --security-opt "seccomp=$PWD/policy.json" "$image" sh -c "$plain; sleep 600"
	run pod exec "$name" sh -c "echo inside"
	echo "$output"
	[[ $output == inside ]]
}

@test "runc: a container starts again under its own policy, and is held to it" {
	runc_here && policy runc
}

@test "crun: a container starts again under its own policy, and is held to it" {
	crun_here && policy crun
}
