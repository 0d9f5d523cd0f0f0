#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whose stage a call is in: runtimes of two generations and crun, with hooks, below a filter, with
# and without namespaces; sessions; processes that are moved. Who makes which call is known.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load ../lib/stages.bash

setup_file() {
	export sensor_prefix=tamis-stages-$$
	stages_runtimes "$BATS_FILE_TMPDIR/bin"
	stages_root "$BATS_FILE_TMPDIR/root"
	daemon_start "$BATS_FILE_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
}

teardown_file() {
	daemon_pid=$(<"$BATS_FILE_TMPDIR/daemon/pid")
	daemon_stop || true
	cgroups_sweep
}

setup() {
	daemon_dir=$BATS_FILE_TMPDIR/daemon
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	containers_sweep
	pod_sweep "$sensor_prefix"
	pod_cgroups_restore
}

# --- starts -----------------------------------------------------------------------------------

# What running a program takes, which hooks alone make a runtime do under the filter.
hook_calls=(chdir clone close_range dup2 dup3 execve exit exit_group getcwd lseek openat pipe2
	pidfd_open pidfd_send_signal read rt_sigaction set_robust_list wait4 waitid write \#49{1..7})

# started RUNTIME NAME NNP TOKEN...: of a container that ended; its bundle has all hooks.
started() {
	want workload "$2" "${@:4}"
	ended "$2"
	hooks_apart "$2"
	makes "$2" setup close
	[[ ! -s $(got "$2" session) && $(shown "$2" .starts) == 1 ]]
	gate_is_known "$2" "$1" "$3 start" "${hook_calls[@]}"
}

# start_one RUNTIME NNP NAME BELOW TOKEN...: BELOW: a command to run the runtime with.
start_one() {
	local nnp=false
	(($2 == 0)) || nnp=true
	stages_bundle "$3" ".process.noNewPrivileges = $nnp | $stages_hooks" "${@:5}"
	# shellcheck disable=SC2086
	$4 "$stages_bin/$1" run --bundle "$3" "$(container_id "$3")" </dev/null 3>&-
}

# With and without no_new_privs, itself below a filter or not; a workload that calls what a
# runtime calls, or not.
starts() {
	local below="$TAMIS run --policy below.json --" own='165 272 308' name
	echo "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [
		{ \"names\": [\"acct\"], \"action\": \"SCMP_ACT_ERRNO\" }] }" >below.json
	# shellcheck disable=SC2086
	{
		start_one "$1" 1 "$1-1-own" '' $own 480 fork 481 exec 482
		start_one "$1" 1 "$1-1-below" "$below" 480 fork 481 exec 482
		start_one "$1" 0 "$1-0" '' 480 fork 481 exec 482
		start_one "$1" 0 "$1-0-own-below" "$below" $own 480 fork 481 exec 482
		started "$1" "$1-1-own" 1 $own 480 fork 481 exec 482
		started "$1" "$1-1-below" 1 480 fork 481 exec 482
		started "$1" "$1-0" 0 480 fork 481 exec 482
		started "$1" "$1-0-own-below" 0 $own 480 fork 481 exec 482
	}
	for name in want/workload/*; do
		makes "${name##*/}" setup mount
	done
	all_as_wanted
}

@test "runc as installed: a start's calls and its hooks' aren't the workload's" {
	starts runc
}

@test "current runc: a start's calls and its hooks' aren't the workload's" {
	need_current
	starts current
}

@test "crun: a start's calls and its hooks' aren't the workload's" {
	starts crun
}

# Without hooks, what is called under the filter is the runtime's alone. What the table leaves out on
# purpose, it says itself.
left_out=(fsopen fsconfig fsmount open_tree)

@test "the gate is what policies/runtime says, to the call" {
	local runtime nnp name
	for runtime in $stages_list; do
		for nnp in 0 1; do
			name=gate-$runtime-$nnp
			stages_bundle "$name" ".process.noNewPrivileges = ($nnp == 1)" 480 pace:600000 481
			container_start "$runtime" "$name"
			container_exec "$runtime" "$name" -- /calls 481
			container_end "$runtime" "$name"
			want workload "$name" 480 pace:1 481
			unwant workload "$name" 231
			want session "$name" 481
		done
	done
	for runtime in $stages_list; do
		for nnp in 0 1; do
			name=gate-$runtime-$nnp
			ended "$name"
			# crun's command line has its own mind of no_new_privs in exec
			gate_is_known "$name" "$runtime" "$nnp start|. exec" "${left_out[@]}"
			makes "$name" gate execve close
		done
	done
	all_as_wanted
}

# --- namespaces -------------------------------------------------------------------------------

namespaces() {
	local runtime=$1 kind
	local -A types=(
		[hosts]='mount pid' # net, ipc, uts are the host's
		[hostpid]='network ipc uts mount'
		[nomount]='pid network ipc uts'
		[neither]='network ipc uts'
	)
	for kind in "${!types[@]}"; do
		# shellcheck disable=SC2086
		stages_bundle "$runtime-$kind" "$(only_namespaces ${types[$kind]}) | $stages_hooks" 480 fork 481
		container_run "$runtime" "$runtime-$kind"
	done
	for kind in "${!types[@]}"; do
		started "$runtime" "$runtime-$kind" 1 480 fork 481
	done
	all_as_wanted
}

@test "runc as installed: no namespaces of pids, of mounts, of either; hooks" {
	namespaces runc
}

@test "current runc: no namespaces of pids, of mounts, of either; hooks" {
	need_current
	namespaces current
}

@test "crun: no namespaces of pids, of mounts, of either; hooks" {
	namespaces crun
}

@test "a container in another's pid namespace: each has its own start and sessions" {
	local runtime
	for runtime in $stages_list; do
		stages_bundle "first-$runtime" . 480 pace:600000 481
		container_start "$runtime" "first-$runtime"
		stages_bundle "second-$runtime" "$stages_hooks | .linux.namespaces |= map(
			if .type == \"pid\" then .path = \"/proc/$(container_pid "$runtime" "first-$runtime")/ns/pid\"
			else . end)" 482 pace:600000 483
		container_start "$runtime" "second-$runtime"
		container_exec "$runtime" "second-$runtime" -- /calls 500 fork 501
		container_exec "$runtime" "first-$runtime" -- /calls 502 fork 503
		container_end "$runtime" "second-$runtime"
		container_end "$runtime" "first-$runtime"
		want workload "first-$runtime" 480 pace:1 481
		want workload "second-$runtime" 482 pace:1 483
		unwant workload "first-$runtime" 231
		unwant workload "second-$runtime" 231
		want session "first-$runtime" 502 fork 503
		want session "second-$runtime" 500 fork 501
	done
	for runtime in $stages_list; do
		ended "first-$runtime" "second-$runtime"
		hooks_apart "second-$runtime"
		[[ $(shown "first-$runtime" .starts) == 1 && $(shown "second-$runtime" .starts) == 1 ]]
	done
	all_as_wanted
}
