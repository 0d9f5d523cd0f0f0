#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: containers of containerd's own clients.

load ../lib/base.bash
load ../lib/daemon.bash
load guest.bash
load engines.bash

setup_file() {
	systemctl start containerd
	image_archive "$DIR/image.tar" "$engine_image" '{}'
	for namespace in default other; do
		ctr -n "$namespace" images import "$DIR/image.tar"
	done
	file_daemon
}

teardown_file() {
	file_daemon_end
	sweep
}

setup() {
	file_daemon_enter
}

teardown() {
	sweep
}

is_stopped() {
	! ctr -n "$1" tasks ls | grep -qE "^$2 .*RUNNING"
}

# end_container NAMESPACE ID
end_container() {
	ctr -n "$1" tasks kill -s KILL "$2" 2>/dev/null || true
	wait_for 20 is_stopped "$1" "$2"
	ctr -n "$1" tasks rm "$2" >/dev/null 2>&1 || true
	ctr -n "$1" containers rm "$2"
}

sweep() {
	local namespace id
	for namespace in default other; do
		for id in $(ctr -n "$namespace" containers ls -q); do
			end_container "$namespace" "$id" || true
		done
	done
}

# ctr_run NAMESPACE ID [ctr's options] -- COMMAND...
ctr_run() {
	local namespace=$1 id=$2 options=()
	shift 2
	while [[ $1 != -- ]]; do
		options+=("$1")
		shift
	done
	ctr -n "$namespace" run "${options[@]}" "$engine_image" "$id" "${@:2}"
}

# --- whose calls ----------------------------------------------------------------------------

@test "ctr: the workload is exactly what it called, setup apart" {
	ctr_run default stages --rm -- /calls 39 102 fork 104 exec 110
	wants 39 102 fork 104 exec 110
	must_end containerd/default/stages 'exact and once and made'
	must_show containerd/default/stages '.engine == "containerd" and .name == "stages" and
		.namespace == "default" and .container == "stages"'
}

@test "ctr: one id in two namespaces at once is two workloads" {
	ctr_run other twice -d -- /calls 39 pace:600000 102
	ctr_run default twice --rm -- /calls 102
	end_container other twice
	wants_killed 39 pace:1 102
	must_end containerd/other/twice 'exact and once'
	wants 102
	must_end containerd/default/twice 'exact and once'
}

@test "ctr: a container that is started again is the same workload" {
	ctr_run default again -- /calls 101
	ctr tasks rm again || true
	ctr tasks start again
	wait_for 60 has_starts containerd/default/again 2
	wants 101
	must_end containerd/default/again 'exact and .starts == 2'
}

@test "ctr: ids are free text" {
	local id
	wants 101
	for id in a web.one_2-x system.slice docker crio-1 init.scope; do
		ctr_run other "$id" --rm -- /calls 101
		must_end "containerd/other/$id" 'exact and once'
	done
}

@test "ctr: an id that some program made is no name" {
	ctr_run other "$(printf '%064x' 12345)" --rm -- /calls 101
	must_end containerd/id:000000000000 '.name == null and .starts == 1'
}

@test "ctr: short lives, one after the other and at once" {
	local i
	for i in {1..12}; do
		ctr_run default "short-$i" --rm -- /calls "$((500 + i))" &
		((i % 4)) || wait
	done
	wait
	for i in {1..12}; do
		wants "$((500 + i))"
		must_end "containerd/default/short-$i" 'exact and once'
	done
}

@test "ctr: what ctr tasks exec brings in is the session's" {
	ctr_run default session -d -- /calls 39 pace:600000 102
	ctr tasks exec --exec-id e1 session /calls 24 140
	ctr tasks exec --exec-id e2 session sh -c 'uname -a; sleep 0.1'
	end_container default session
	wants_killed 39 pace:1 102
	must_end containerd/default/session 'exact and once and execs'
}

@test "ctr: --privileged, --net-host, --read-only, the native snapshotter" {
	local options
	for options in --privileged --net-host --read-only '--snapshotter native'; do
		echo "# $options"
		# shellcheck disable=SC2086
		ctr_run default options --rm $options -- /calls 39 102
	done
	wait_for 60 has_starts containerd/default/options 4
	wants 39 102
	must_end containerd/default/options 'exact and .starts == 4'
}

@test "nerdctl's shapes: a scope of systemd, names in labels" {
	local id name
	for name in web vm-0beef other; do
		id=$(printf '%s' "$name" | sha256sum | cut -d ' ' -f 1)
		[[ $name != vm-* ]] || name=vm-${id:0:5}
		ctr_run default "$id" --rm --runc-systemd-cgroup --cgroup "system.slice:nerdctl:$id" \
			--label "nerdctl/name=$name" --label nerdctl/namespace=default -- /calls 101
	done
	wants 101
	must_end containerd/default/web 'exact and once and .name == "web"'
	must_end containerd/default/other 'exact and once'
	must_end 'containerd/vm#calls' 'exact and once and .image == "vm"'
}

# --- policies ---------------------------------------------------------------------------------

@test "ctr: a container starts again under its own policy, and is held to it" {
	ctr_run default policy --rm -- sh -c "$engine_work"
	workload_ended containerd/default/policy
	tamis export containerd/default/policy -f oci -o policy.json
	run ctr_run default before --rm -- sh -c "$engine_more"
	echo "$output"
	[[ $output == *open* && $output == *end ]]
	run ctr_run default policy --rm --seccomp --seccomp-profile "$PWD/policy.json" -- sh -c "$engine_more"
	echo "$output"
	[[ $status == 0 && $output == *child* && $output == *end && $output != *open* ]]
	ctr_run default policy -d --seccomp --seccomp-profile "$PWD/policy.json" -- sh -c "$engine_work; sleep 600"
	run ctr tasks exec --exec-id e1 policy sh -c 'echo inside; mkdir /made 2>/dev/null && echo open'
	echo "$output"
	[[ $output == inside ]]
}
