#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whose container starts, told by its config.json before there is a cgroup: the key that the daemon
# finds once it runs. podman through a hook of its own, runc and crun through a wrapper's eyes.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash

setup_file() {
	export start_prefix=tamis-start-$$
	export start_image=localhost/$start_prefix
	local root=$BATS_FILE_TMPDIR/root
	mkdir -p "$root"/{proc,sys,dev,etc,tmp}
	cp "$O/tools/calls" "$root/calls"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$start_image" >/dev/null
}

teardown_file() {
	podman rmi -f "$start_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2
}

teardown() {
	local id
	daemon_stop || true
	for id in runc off; do
		runc delete --force "$start_prefix-$id" 2>/dev/null || true
	done
	pod_sweep "$start_prefix"
	podman ps -aq --filter "ancestor=$start_image" | xargs -r podman rm -f -t 0 >/dev/null 2>&1 || true
	pod_cgroups_restore
	local dir
	for dir in /sys/fs/cgroup/*/"$start_prefix"-parent /sys/fs/cgroup/"$start_prefix"-parent; do
		[[ ! -d $dir ]] || find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
	done
}

# A precreate hook that keeps each spec it is given, and passes it on.
hook() {
	mkdir -p hooks seen
	cat >hooks/keep <<-EOT
		#!/bin/bash
		cd '$PWD/seen' || exit
		exec /usr/bin/tee "\$BASHPID.json"
	EOT
	chmod +x hooks/keep
	cat >hooks/keep.json <<-EOT
		{ "version": "1.0.0", "hook": { "path": "$PWD/hooks/keep" },
		  "when": { "always": true }, "stages": [ "precreate" ] }
	EOT
	pod_options+=(--hooks-dir "$PWD/hooks")
}

# known KEY: the daemon saw it, with a state.
known() {
	tamis list --json | jq -e --arg key "$1" '.workloads[] | select(.key == $key)' >/dev/null
}

# told KEY [off]: of the one spec that was seen since.
told() {
	local files=(seen/*.json) key path off
	((${#files[@]} == 1))
	read -r key path off < <("$O/tools/start" whose "${files[0]}")
	[[ $key == "$1" && $off == "${2-}" ]] || { echo "$key $off"; return 1; }
	wait_for 15 known "$key" || { tamis list; return 1; }
	[[ -z ${3-} || -d $(cgroup2_mount)$path ]] || { echo "$path"; return 1; }
	rm seen/*.json
}

@test "podman: named, named by the engine, below a parent, opted out" {
	hook
	pod run -d --name "$start_prefix-web" "${pod_run_options[@]}" "$start_image" /calls pace:300 480 500-599
	told "podman/$start_prefix-web" '' running
	pod restart -t 0 "$start_prefix-web"
	told "podman/$start_prefix-web" '' running
	pod run -d "${pod_run_options[@]}" "$start_image" /calls pace:300 480 500-599
	told "podman/$start_image:latest#calls" '' running
	pod run -d --name "$start_prefix-below" --cgroup-parent "/$start_prefix-parent/a" \
		"${pod_run_options[@]}" "$start_image" /calls pace:300 480 500-599
	told "podman/$start_prefix-below" '' running
	pod run -d --rm --name "$start_prefix-off" --annotation io.tamis.policy=off \
		"${pod_run_options[@]}" "$start_image" /calls pace:300 480 500-599
	told "podman/$start_prefix-off" off running
}

@test "podman: a pod's member" {
	hook
	pod pod create --name "$start_prefix-pod" --infra=false >/dev/null
	pod run -d --pod "$start_prefix-pod" --name "$start_prefix-member" \
		"${pod_run_options[@]}" "$start_image" /calls pace:300 480 500-599
	told "podman/$start_prefix-member" '' running
	pod pod rm -f -t 0 "$start_prefix-pod" >/dev/null
}

# bundle ID CGROUP: a bundle of runc's whose program runs for a while.
bundle() {
	mkdir -p "bundle-$1"
	rm -f "bundle-$1/config.json"
	(cd "bundle-$1" && runc spec)
	jq --arg root "$BATS_FILE_TMPDIR/root" --arg cgroup "$2" '.process.args = ["/calls", "pace:300", "480", "500-599"] |
		.root.path = $root | .process.terminal = false | .process.rlimits = [] |
		del(.linux.resources) | if $cgroup == "" then . else .linux.cgroupsPath = $cgroup end' \
		"bundle-$1/config.json" >spec.json
	mv spec.json "bundle-$1/config.json"
}

# runs_as KEY PATH [off]
runs_as() {
	[[ $("$O/tools/start" path "$2") == "$1${3:+ $3}" ]]
}

@test "runc by itself: with a cgroup of its own choice, and with the runtime's" {
	local id=$start_prefix-runc cgroup key path off
	for cgroup in '' "/$id" "/$start_prefix-parent/$id"; do
		bundle "$id" "$cgroup"
		read -r key path off < <("$O/tools/start" whose "bundle-$id/config.json" "$id" "$PWD/bundle-$id")
		[[ $key == "oci/$id" && -z $off ]]
		# Without one runc makes it beside wherever it was itself.
		[[ $cgroup ]] || (($(grep -c '^0::/$' /proc/self/cgroup))) || path=
		runc run --detach --bundle "bundle-$id" "$id" </dev/null >/dev/null 2>&1
		[[ -z $path ]] || wait_for 15 runs_as "$key" "$path"
		wait_for 15 runc delete --force "$id"
	done
	wait_for 15 known "oci/$id" || { tamis list; return 1; }
}

@test "runc by itself: opted out" {
	local id=$start_prefix-off
	bundle "$id" "/$id"
	jq '.annotations["io.tamis.policy"] = "off"' "bundle-$id/config.json" >spec.json
	mv spec.json "bundle-$id/config.json"
	[[ $("$O/tools/start" whose "bundle-$id/config.json" "$id" "$PWD/bundle-$id") == "oci/$id /$id off" ]]
	runc run --detach --bundle "bundle-$id" "$id" </dev/null >/dev/null 2>&1
	wait_for 15 runs_as "oci/$id" "/$id" off
	runc delete --force "$id"
}
