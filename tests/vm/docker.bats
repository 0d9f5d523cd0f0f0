#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: docker's containers: whose each call is, by every way that
# docker starts a process, and policies that let them start again.

load ../lib/base.bash
load ../lib/daemon.bash
load guest.bash
load engines.bash

setup_file() {
	systemctl start docker
	image_archive "$DIR/image.tar" "$engine_image" '{}'
	docker load -q -i "$DIR/image.tar"
	file_daemon
}

teardown_file() {
	file_daemon_end
	containers_remove
	systemctl stop docker.service docker.socket
	rm -f /etc/docker/daemon.json
}

setup() {
	file_daemon_enter
}

teardown() {
	containers_remove
}

containers_remove() {
	docker ps -aq | xargs -r docker rm -f >/dev/null
}

# run_in NAME [docker's options] IMAGE COMMAND...
run_in() {
	local name=$1
	shift
	docker run --name "$name" --network none "$@"
}

docker_pid() {
	docker inspect -f '{{.State.Pid}}' "$1"
}

# lies_in NAME PATTERN: the cgroup of a running container.
lies_in() {
	local path
	path=$(cgroup_of "$(docker_pid "$1")")
	echo "$1: $path"
	# shellcheck disable=SC2053
	[[ $path == $2 ]]
}

health_checked() {
	[[ $(docker inspect -f '{{.State.Health.Status}}' "$1") == healthy ]]
}

# --- whose calls ----------------------------------------------------------------------------

@test "docker: the workload is exactly what it called, setup apart" {
	run_in vm-stages vm:1 /calls 39 102 fork 104 exec 110
	wants 39 102 fork 104 exec 110
	must_end docker/vm-stages 'exact and once and made'
	must_show docker/vm-stages '.engine == "docker" and .name == "vm-stages" and .image == "vm:1"'
	must_show docker/vm-stages ".image_digest == \"$(<"$DIR/image.tar.id")\""
}

@test "docker: starts under engine-made names are one workload, of the image and its entrypoint" {
	local nr
	for nr in 102 104 107; do
		docker run --network none vm:1 /calls "$nr"
	done
	wait_for 60 has_starts 'docker/vm:1#calls' 3
	wants 102 104 107
	must_end 'docker/vm:1#calls' 'exact and .starts == 3 and .instances == 3'
	[[ $(workloads_like '_|docker/id:') == 0 ]]
}

@test "docker: compose's labels name the workload of its containers" {
	local labels=(--label com.docker.compose.project=shop --label com.docker.compose.service=web)
	run_in shop-web-1 "${labels[@]}" vm:1 /calls 102
	run_in shop-web-2 "${labels[@]}" vm:1 /calls 104
	run_in vm-other "${labels[@]}" vm:1 /calls 107
	wait_for 60 has_starts docker/shop/web 2
	wants 102 104
	must_end docker/shop/web 'exact and .starts == 2 and .instances == 2'
	wants 107
	must_end docker/vm-other 'exact and once and .name == "vm-other"'
}

@test "docker: a restart by its policy is the same workload, a start more" {
	run_in vm-restart -d --restart always vm:1 /calls 39 pace:600000 102
	wait_for 60 has_starts docker/vm-restart 1
	kill -KILL "$(docker_pid vm-restart)"
	wait_for 60 has_starts docker/vm-restart 2
	docker rm -f vm-restart
	wants_killed 39 pace:1 102
	must_end docker/vm-restart 'exact and .starts == 2 and .partial == false'
	[[ $(workloads_like vm-restart) == 1 ]]
}

@test "docker: what docker exec brings in is the session's" {
	run_in vm-session -d vm:1 /calls 39 pace:600000 102
	docker exec vm-session /calls 24 140
	docker exec vm-session sh -c 'uname -a; sleep 0.1'
	docker rm -f vm-session
	wants_killed 39 pace:1 102
	must_end docker/vm-session 'exact and once and execs'
}

@test "docker: a health check's calls are the session's, and in the policy" {
	run_in vm-health -d --health-cmd '/calls 24 140' --health-interval 1s vm:1 /calls 39 pace:600000 102
	wait_for 90 health_checked vm-health
	docker rm -f vm-health
	wants_killed 39 pace:1 102
	must_end docker/vm-health 'exact and has("session"; "sched_yield") and once'
	tamis export docker/vm-health -f oci | json_is '[.syscalls[].names[]] | contains(["getpriority"])'
}

# --- other ways to start ----------------------------------------------------------------------

# started NAME [docker's options]: the set is exact, however it was started.
started() {
	local name=$1
	shift
	run_in "$name" "$@" vm:1 /calls 39 102
	wants 39 102
	must_end "docker/$name" 'exact and once and has("setup"; "mount")'
}

@test "docker: --pid=host, --privileged" {
	started vm-pid --pid host
	started vm-privileged --privileged
}

@test "docker: on its bridge, with limits and a volume" {
	docker run --name vm-bridge --memory 64m --pids-limit 50 -v /tmp:/tmp --tmpfs /scratch \
		--user 1000 --read-only vm:1 /calls 39 102
	wants 39 102
	must_end docker/vm-bridge 'exact and once'
}

@test "docker: --cgroup-parent" {
	run_in vm-parent -d --cgroup-parent vmtest-sub.slice vm:1 /calls 39 pace:600000 102
	lies_in vm-parent '/vmtest.slice/vmtest-sub.slice/docker-*.scope'
	wait_for 60 has_starts docker/vm-parent 1
	docker rm -f vm-parent
	wants_killed 39 pace:1 102
	must_end docker/vm-parent 'exact and once'
}

@test "docker: --init is part of the workload, its name is not the entrypoint's" {
	docker run --network none --init vm:1 /calls 108 111
	wait_for 60 has_starts 'docker/vm:1#calls' 1
	must_end 'docker/vm:1#calls' 'has("workload"; "rt_sigtimedwait") and has("workload"; "getpgrp")'
	[[ $(workloads_like init) == 0 ]]
}

@test "docker: a container in a container is the outer one's" {
	local i mounts=() inner
	for i in usr lib lib64 etc sbin; do
		mounts+=(-v "/$i:/$i:ro")
	done
	inner="dockerd -H unix:///run/inner.sock --data-root /scratch/data --exec-root /scratch/exec
		--iptables=false --bridge=none --pidfile /scratch/pid"
	run_in vm-outer -d --privileged "${mounts[@]}" -v "$DIR:/image:ro" --tmpfs /scratch:exec --tmpfs /run \
		-e PATH=/usr/bin:/usr/sbin:/bin vm:1 sh -c "exec $inner >/scratch/log 2>&1"
	in_outer() {
		docker exec vm-outer docker -H unix:///run/inner.sock "$@"
	}
	wait_for 180 in_outer version || { docker exec vm-outer tail -n 20 /scratch/log; false; }
	in_outer load -q -i /image/image.tar
	in_outer run --rm --name vm-inner --network none vm:1 /calls 140
	docker rm -f vm-outer
	must_end docker/vm-outer 'has("workload"; "getpriority")'
	[[ $(workloads_like inner) == 0 ]]
}

# --- policies ---------------------------------------------------------------------------------

@test "docker: a container starts again under its own policy, and is held to it" {
	local nnp
	run_in vm-policy --rm vm:1 sh -c "$engine_work"
	workload_ended docker/vm-policy
	tamis export docker/vm-policy -f oci -o policy.json
	run run_in vm-before --rm vm:1 sh -c "$engine_more"
	echo "$output"
	[[ $output == *open* && $output == *end ]]
	for nnp in true false; do
		run run_in vm-policy --rm --security-opt "no-new-privileges=$nnp" \
			--security-opt seccomp=policy.json vm:1 sh -c "$engine_more"
		echo "no-new-privileges $nnp: $output"
		[[ $status == 0 && $output == *child* && $output == *end && $output != *open* ]]
	done
	run_in vm-policy -d --security-opt seccomp=policy.json vm:1 sh -c "$engine_work; sleep 600"
	run docker exec vm-policy sh -c 'echo inside; mkdir /made 2>/dev/null && echo open'
	echo "$output"
	[[ $output == inside ]]
}

@test "docker: with the cgroupfs driver" {
	systemctl stop docker.service docker.socket
	mkdir -p /etc/docker
	echo '{ "exec-opts": ["native.cgroupdriver=cgroupfs"] }' >/etc/docker/daemon.json
	systemctl start docker
	run_in vm-cgroupfs -d vm:1 /calls 39 pace:600000 102
	lies_in vm-cgroupfs '/docker/*'
	run_in vm-cgroupfs-sub -d --cgroup-parent /vmtest/sub vm:1 /calls 39 pace:600000 102
	lies_in vm-cgroupfs-sub '/vmtest/sub/*'
	docker exec vm-cgroupfs-sub /calls 24
	containers_remove
	wants_killed 39 pace:1 102
	must_end docker/vm-cgroupfs 'exact and once'
	must_end docker/vm-cgroupfs-sub 'exact and once and has("session"; "sched_yield")'
}
