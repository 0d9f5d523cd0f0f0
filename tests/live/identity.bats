#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whose call was it: podman and runc for real. The containers' program makes calls that are known.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash

# An image of one static program.
setup_file() {
	export id_prefix=tamis-id-$$ sensor_prefix=tamis-id-$$-give
	export id_image=localhost/$id_prefix
	local root=$BATS_FILE_TMPDIR/root
	mkdir -p "$root"/{proc,sys,dev,etc,tmp}
	cp "$O/tools/calls" "$root/calls"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$id_image" >/dev/null
}

teardown_file() {
	podman rmi -f "$id_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# The calls that no kernel knows are seen only where no filter answers them.
	pod_run_options+=(--security-opt seccomp=unconfined)
	pod_cgroups_note
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix-*"
}

teardown() {
	daemon_stop || true
	pod_sweep "$id_prefix"
	podman ps -aq --filter "ancestor=$id_image" | xargs -r podman rm -f -t 0 >/dev/null 2>&1 || true
	pod_cgroups_restore
	cgroups_sweep
	local dir
	for dir in /sys/fs/cgroup/*/"$id_prefix"-parent /sys/fs/cgroup/"$id_prefix"-parent; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

# field KEY NAME: of one workload in the list.
field() {
	tamis list --json | jq -r --arg key "$1" --arg name "$2" \
		'.workloads[] | select(.key == $key) | .[$name]'
}

is_gone() {
	[[ $(field "$1" state) == gone && $(field "$1" starts) == "${2-1}" ]]
}

# Other containers of this host are listed too.
ours() {
	tamis list --json | jq --arg ours "$id_prefix" "[.workloads[] | select(.key | contains(\$ours))] | $1"
}

is_running() {
	[[ $(field "$1" state) == running ]]
}

# settled KEY [STARTS]: it ended and its last read is in the store.
settled() {
	wait_for 15 is_gone "$@" && return
	tamis list
	return 1
}

# made_only KEY TOKEN...: the workload's own calls are those that the tokens mean, no more, no less.
made_only() {
	local key=$1
	shift
	tamis export "$key" -f names --stage workload -o names 2>export.err || { cat export.err; return 1; }
	"$O/tools/calls" -n "$@" >want
	sysset names names >got
	sysset diff want got
}


@test "a name that somebody gave is the workload, with its image and digest" {
	pod run --rm --name "$id_prefix-named" "${pod_run_options[@]}" "$id_image" /calls 480 481
	settled "podman/$id_prefix-named"
	[[ $(field "podman/$id_prefix-named" name) == "$id_prefix-named" ]]
	[[ $(field "podman/$id_prefix-named" engine) == podman ]]
	[[ $(field "podman/$id_prefix-named" image) == "$id_image:latest" ]]
	[[ $(field "podman/$id_prefix-named" image_digest) == \
		$(podman image inspect -f '{{.Digest}}' "$id_image") ]]
	made_only "podman/$id_prefix-named" 480 481
}

@test "a parent cgroup of somebody's own, a renamed container, one in a pod without infra" {
	pod run --rm --name "$id_prefix-below" --cgroup-parent "/$id_prefix-parent/a" \
		"${pod_run_options[@]}" "$id_image" /calls 482
	pod create --name "$id_prefix-old" "${pod_run_options[@]}" "$id_image" /calls 483 >/dev/null
	pod rename "$id_prefix-old" "$id_prefix-new"
	pod start -a "$id_prefix-new"
	pod pod create --name "$id_prefix-pod" --infra=false >/dev/null
	pod run --rm --pod "$id_prefix-pod" --name "$id_prefix-member" \
		"${pod_run_options[@]}" "$id_image" /calls 484
	pod pod rm -f "$id_prefix-pod" >/dev/null
	settled "podman/$id_prefix-below"
	settled "podman/$id_prefix-new"
	settled "podman/$id_prefix-member"
	made_only "podman/$id_prefix-below" 482
	made_only "podman/$id_prefix-new" 483
	made_only "podman/$id_prefix-member" 484
	[[ $(ours length) == 3 ]]
}

@test "a container that ran before the daemon did is known too" {
	daemon_stop
	pod_run "$id_prefix-early" "$id_image" /calls pace:100 480 500-599
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2
	wait_for 10 is_running "podman/$id_prefix-early"
	[[ $(field "podman/$id_prefix-early" partial) == true ]]
}

# In cgroups that look like that container's, and lie where podman did not make it.
@test "nobody makes calls in the name of somebody else's container" {
	local id key=podman/$id_prefix-victim top dir made=()
	pod_run "$id_prefix-victim" "$id_image" /calls pace:300 480 501-510
	id=$(pod inspect -f '{{.Id}}' "$id_prefix-victim")
	top=$(cgroup2_mount)
	for dir in "$sensor_prefix-a/libpod-$id" "$sensor_prefix-b/docker-$id.scope" \
		"$sensor_prefix-c/libpod_parent/libpod-$id" "$sensor_prefix-d/machine.slice/libpod-$id.scope"; do
		mkdir -p "$top/$dir"
		made+=("${dir%%/*}")
		"$O/tools/launch" "$top/$dir" "$O/tools/calls" 490 491
		wait_for 5 cgroup_empty "$top/$dir"
		find "$top/${dir%%/*}" -depth -type d -exec rmdir {} +
	done
	settled "$key"
	made_only "$key" pace:300 480 501-510
	for dir in "${made[@]}"; do
		settled "cgroup/$dir"
		made_only "cgroup/$dir" 490 491
	done
	[[ $(ours length) == 5 ]]
}

# What runc's table lacks between the filter and the container's exec: here a hook's call, as of a
# newer runtime. Three starts, told once.
@test "gate calls that policies/runtime does not know are told once" {
	local i
	mkdir -p bundle
	(cd bundle && runc spec)
	jq --arg root "$BATS_FILE_TMPDIR/root" '.process.args = ["/calls", "480"] | .root.path = $root |
		.process.terminal = false | .process.rlimits = [] | .process.noNewPrivileges = false |
		.hooks.startContainer = [{ path: "/calls", args: ["calls", "481"] }] |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{ names: ["acct"], action: "SCMP_ACT_ERRNO" }] }' \
		<bundle/config.json >spec
	mv spec bundle/config.json
	for i in {1..3}; do
		runc run --bundle bundle "$id_prefix-gate" </dev/null
	done
	settled "oci/$id_prefix-gate" 3
	daemon_stop
	cat "$daemon_dir/log"
	[[ $(grep -c "#481" "$daemon_dir/log") == 1 ]]
	grep -E "oci/$id_prefix-gate: gate calls that policies/runtime does not know: .*#481 \(a newer runtime, or a hook\)" \
		"$daemon_dir/log"
}
