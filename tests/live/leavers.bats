#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who leaves a workload's cgroup: a filter follows him, the record doesn't. Moves within aren't.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash

# Watched are the cgroups whose name begins with "in"; "out" is somewhere else.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	sensor_prefix=tamis-leave-$$-$BATS_TEST_NUMBER
	cgroup_make in
	cgroup_make out
	inside=$(cgroup_dir in) outside=$(cgroup_dir out)
	export inside outside
	leavers_watch
}

teardown() {
	daemon_stop || true
	pod_sweep "$sensor_prefix"
	[[ ${pod_image-} ]] && podman rmi -f "$pod_image" >/dev/null 2>&1
	[[ -z ${pod_parents+x} ]] || pod_cgroups_restore
	cgroups_sweep
}

leavers_watch() {
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-in*"
}

# script NAME: a shell script from the standard input, run in the watched cgroup.
script() {
	cat >"$1"
	in_cgroup in /bin/bash "$PWD/$1"
}

# The cgroup is removed, its last read is in the store.
settle() {
	wait_for 5 find "$inside" -mindepth 1 -depth -type d -exec rmdir {} +
	cgroup_remove in
	workload_settle in
}

# left COUNT COMM: so many left for $outside, the last of that name.
left() {
	tamis show "$(workload_key in)" --json | jq .spawns_elsewhere >elsewhere
	tamis show "$(workload_key in)" >shown
	cat elsewhere shown
	json_is ". == { processes: $1, comm: \$comm, path: \$path }" \
		--arg comm "$2" --arg path "/$sensor_prefix-out" <elsewhere || return 1
	grep "^spawns elsewhere: $1 process.*$2.*/$sensor_prefix-out" shown
}

nobody_left() {
	tamis show "$1" --json | json_is '.spawns_elsewhere == null' && ! tamis show "$1" | grep elsewhere
}

@test "a shell's children that are moved to another cgroup are counted" {
	script moves <<-'EOF'
		for i in 1 2 3; do
			(echo $BASHPID >"$outside/cgroup.procs" && exec /bin/true)
			/bin/true
		done
	EOF
	settle
	left 3 bash
}

@test "one that is moved by somebody else has left, too, whatever it is called" {
	"$O/tools/launch" "$inside" /bin/sleep 60 3>&- &
	wait_for 10 grep -q sleep "/proc/$!/comm"
	echo $! >"$outside/cgroup.procs"
	kill $!
	wait $! || true
	settle
	left 1 sleep
}

@test "moves to and between cgroups below its own are none" {
	script within <<-'EOF'
		mkdir -p "$inside/a/deep" "$inside/b"
		for to in a a/deep b .; do
			(echo $BASHPID >"$inside/$to/cgroup.procs" && /bin/true)
		done
		( # as a service manager: itself first, then its children beside it
			echo $BASHPID >"$inside/a/cgroup.procs"
			bash -c '
				(echo $BASHPID >"$inside/b/cgroup.procs" && exec /bin/true)
				(echo $BASHPID >"$inside/cgroup.procs" && exec /bin/true)
				true'
			true
		)
	EOF
	settle
	nobody_left "$(workload_key in)"
}

@test "a child that is born in another cgroup has left, one that is born below hasn't" {
	mkdir "$inside/sub"
	in_cgroup in "$O/tools/leave" "$inside/sub" 5
	wait_for 10 tamis show "$(workload_key in)"
	nobody_left "$(workload_key in)"
	in_cgroup in "$O/tools/leave" "$outside" 2
	settle
	left 2 leave
}

@test "what is put in and taken out again before its exec never was the workload's" {
	script passing <<-'EOF'
		/bin/true
	EOF
	(
		echo $BASHPID >"$inside/cgroup.procs"
		echo $BASHPID >"$outside/cgroup.procs"
		exec /bin/true
	)
	settle
	nobody_left "$(workload_key in)"
}

@test "a workload that ran before the daemon did is watched for it" {
	daemon_stop
	mkfifo go
	local early
	cat >later <<-'EOF'
		read -r <go
		(echo $BASHPID >"$outside/cgroup.procs" && exec /bin/true)
		true
	EOF
	"$O/tools/launch" "$inside" /bin/bash "$PWD/later" 3>&- &
	early=$!
	wait_for 10 grep -q bash "/proc/$early/comm"
	leavers_watch
	echo >go
	wait "$early"
	settle
	left 1 bash
}

# A root file system of busybox alone.
pod_prepare() {
	pod_image=localhost/$sensor_prefix
	mkdir -p root/{proc,sys,dev,etc,tmp,cg,bin}
	cp /bin/busybox root/bin/busybox
	ln -s busybox root/bin/sh
	tar -C root -cf image.tar .
	podman import -q "$PWD/image.tar" "$pod_image" >/dev/null
	pod_cgroups_note
}

pod_is_gone() {
	tamis show "podman/$sensor_prefix-pod" --json | json_is '.state == "gone"'
}

@test "an engine's containers leave the engine's cgroup" {
	pod_prepare
	in_cgroup in "$(command -v podman)" "${pod_options[@]}" run --rm --name "$sensor_prefix-pod" \
		"${pod_run_options[@]}" "$pod_image" /bin/sh -c 'busybox true; true' 8>&-
	settle
	wait_for 15 pod_is_gone
	tamis show "$(workload_key in)" --json | jq .spawns_elsewhere >elsewhere
	cat elsewhere
	json_is '.processes >= 1 and (.path | test("libpod"))' <elsewhere
	nobody_left "podman/$sensor_prefix-pod"
}

@test "a container's processes: to a cgroup of its own, and to one that isn't" {
	pod_prepare
	# shellcheck disable=SC2016
	pod run --rm --name "$sensor_prefix-pod" "${pod_run_options[@]}" --cgroupns host \
		--security-opt unmask=ALL --security-opt seccomp=unconfined -v "$(cgroup2_mount):/cg" \
		-e out="/cg/$sensor_prefix-out" "$pod_image" /bin/sh -c '
			me=/cg$(busybox sed -n s/^0:://p /proc/self/cgroup)
			busybox mkdir $me/sub
			sh -c "echo \$\$ >$me/sub/cgroup.procs; busybox true; true"
			sh -c "echo \$\$ >$me/sub/cgroup.procs; echo \$\$ >$me/cgroup.procs; busybox true; true"
			until busybox rmdir $me/sub; do busybox sleep 0.1; done
			sh -c "echo \$\$ >$out/cgroup.procs; busybox true; true"'
	wait_for 15 pod_is_gone
	tamis show "podman/$sensor_prefix-pod" --json | jq .spawns_elsewhere >elsewhere
	cat elsewhere
	# shellcheck disable=SC2016
	json_is '. == { processes: 1, comm: "sh", path: $path }' --arg path "/$sensor_prefix-out" <elsewhere
}
