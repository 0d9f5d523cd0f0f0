#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: containers of a user other than root, and what such a user may
# pretend.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash
load systemd.bash

setup_file() {
	pod_image "$DIR/image"
	systemctl start ssh
	user_make u 1000
	tar -C "$DIR/image" -c . >/home/u/image.tar
	as u podman import -q image.tar localhost/mine
	file_daemon --watch '/user.slice/*/session-*.scope' \
		--watch '/user.slice/*/mine.scope'
}

teardown_file() {
	file_daemon_end
	pod_sweep vm-
}

setup() {
	file_daemon_enter
}


@test "a user's container: by its name, with its image, that user's" {
	for i in runc crun; do
		as u podman --runtime $i run --name vm-mine-$i --network host localhost/mine /calls 39 102
		exactly podman/~1000/vm-mine-$i 39 102
		has_calls podman/~1000/vm-mine-$i setup mount pivot_root
		shown vm-mine-$i '.engine == "podman" and .name == "vm-mine-'$i'" and .starts == 1'
		shown vm-mine-$i '.image == "localhost/mine:latest" and .enforceable and .image_digest != null'
	done
}

@test "a user's session in a container; the same name is root's, too" {
	as u podman run -d --name vm-both --network host localhost/mine /calls 39 pace:600000 102
	pod run --name vm-both "${pod_run_options[@]}" "$image" /calls 104
	as u podman exec vm-both /calls 140
	as u podman rm -f -t 0 vm-both
	workload_ended podman/~1000/vm-both
	exactly podman/vm-both 104
	"$calls" -n 39 pace:1 102 | grep -v ' 231$' >wanted
	names_equal podman/~1000/vm-both wanted
	has_calls podman/~1000/vm-both session getpriority
}

# In the cgroup of the login, among all else that is done there.
@test "without a cgroup of its own: whose it is can't be known, which is said" {
	as u podman --cgroup-manager cgroupfs run --name vm-nowhere --network host localhost/mine /calls 140
	tamis list --json >list.json
	jq -c '.workloads[] | del(.calls)' list.json
	json_is '[.workloads[] | select(.name == "vm-nowhere")] == []' <list.json
	json_is '[.workloads[] | select(.engine == "cgroup")] | length > 0 and
		all(.[]; (.enforceable | not) and (.why_not | contains("can'"'"'t be told apart")))' <list.json
}

# --- forgery --------------------------------------------------------------------------------------

# calls_of WORKLOAD: all that is known of it but the time.
calls_of() {
	tamis show "$1" --json | jq -S 'del(.last) | .calls[] |= del(.last)'
}

# As root's engines would call them: of a container that runs.
@test "forged: a user's cgroups with the names of root's containers" {
	local id at
	pod_run vm-target "$image" /calls 39 pace:600000 102
	wait_for 60 called podman/vm-target getuid
	id=$(pod inspect -f '{{.Id}}' vm-target)
	sleep 1
	calls_of podman/vm-target >before
	cat >/home/u/forge <<-EOT
		set -eu
		systemd-run --user --scope --quiet --unit=libpod-$id.scope $calls 140
		systemd-run --user --scope --quiet --unit=docker-$id.scope $calls 140
		systemd-run --user --scope --quiet --unit=crio-$id.scope $calls 140
		systemd-run --user --scope --quiet --slice=machine.slice --unit=libpod-$id.scope $calls 140
		systemd-run --user --scope --quiet -p Delegate=yes --unit=mine.scope bash forge.inside
	EOT
	cat >/home/u/forge.inside <<-EOT
		set -eu
		cgroup=$(cgroup2_mount)\$(sed -n s/^0:://p /proc/self/cgroup)
		for i in libpod-$id.scope docker-$id.scope libpod_parent/libpod-$id docker/$id \\
			machine.slice/libpod-$id.scope/container; do
			mkdir -p "\$cgroup/\$i"
			$O/tools/launch "\$cgroup/\$i" $calls 140
		done
	EOT
	as u bash forge
	sleep 2
	calls_of podman/vm-target >after
	diff before after
	lacks podman/vm-target workload getpriority
	tamis list
	# each counts for the forger, and what he makes inside of a unit of his for that unit
	tamis list --json | jq -r '.workloads[].key' | grep "${id:0:12}" | sort >forged
	printf '%s\n' {docker,kubernetes,podman}/~1000/id:"${id:0:12}" | diff - forged
	for i in $(<forged) systemd/~1000/mine.scope; do
		has_calls "$i" workload getpriority
		shown "$i" '.enforceable | not'
	done
	pod_remove vm-target
	workload_ended podman/vm-target
	"$calls" -n 39 pace:1 102 | grep -v ' 231$' >wanted
	names_equal podman/vm-target wanted
}
