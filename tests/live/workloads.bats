#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Workloads of several containers, side by side, and of two ABIs.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load ../lib/workloads.bash

setup_file() {
	export id_prefix=tamis-several-$$
	export id_image=localhost/$id_prefix
	local root=$BATS_FILE_TMPDIR/root
	mkdir -p "$root"/{proc,sys,dev,etc,tmp,bin}
	cp "$O/tools/calls" "$root/calls"
	cp "$O/tools/variety-static-32" "$root/i386"
	cp /bin/busybox "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$id_image" >/dev/null
	host_lock images
	"$ROOT/tests/images/build" redis nginx
}

teardown_file() {
	podman rmi -f "$id_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2
}

teardown() {
	daemon_stop || true
	pod_sweep "$id_prefix"
	podman ps -aq --filter "ancestor=$id_image" | xargs -r podman rm -f -t 0 >/dev/null 2>&1 || true
	pod_cgroups_restore
}

is_gone() {
	tamis show "$1" --json | json_is ".state == \"gone\" and .instances == ${2-1}"
}

settled() {
	wait_for 20 is_gone "$@" || { tamis list; return 1; }
}

names() {
	tamis export "$1" -f names "${@:2}" 2>/dev/null
}

# --- replicas -------------------------------------------------------------------------------

@test "what one replica alone calls is in the workload's policy, and show says which it was" {
	local key=podman/$id_image:latest#calls first second
	first=$(pod run -d "${pod_run_options[@]}" "$id_image" /calls 39 pace:300 102)
	second=$(pod run -d "${pod_run_options[@]}" "$id_image" /calls 39 133 pace:300 102)
	[[ ${#first} == 64 && ${#second} == 64 ]]
	pod wait "$first" "$second" >/dev/null
	settled "$key" 2
	names "$key" | grep -qx 'x86_64 mknod'
	tamis export "$key" -f oci | json_is '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]] | index("mknod") != null'
	tamis show "$key" --json >show
	json_is '[.calls[] | select(.stage == "workload" and .name == "mknod")] |
		length == 1 and .[0].replicas == 1 and .[0].replica == $id' --arg id "$second" <show
	json_is '[.calls[] | select(.stage == "workload" and (.name | IN("getpid", "getuid", "exit_group")))] |
		length == 3 and all(.replicas == 2)' <show
	tamis show "$key" | grep ' mknod ' | grep -q "${second:0:12}"
	tamis show "$key" | grep ' getpid ' | grep -qv "${second:0:12}"
}

# --- side by side ---------------------------------------------------------------------------

# What only one of the two calls, however it is loaded.
nginx_alone='sendfile socketpair setgroups writev rt_sigsuspend'
redis_alone='pipe2 getpeername umask setitimer'

@test "nginx and redis, loaded at the same time: no call of one is the other's" {
	local program port pids=() pid
	local -A ports
	for program in redis nginx; do
		port=$(free_port)
		ports[$program]=$port
		workloads_site "$PWD/$program.site" "$port"
		workload_command "$program" "$port"
		pod_run "$id_prefix-$program" -v "$PWD/$program.site:/site:ro" "localhost/tamis-$program" "${command[@]}"
	done
	for program in redis nginx; do
		wait_for 15 workload_up "$program" "${ports[$program]}"
		workload_load "$program" "${ports[$program]}" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	pod_remove "$id_prefix-redis" "$id_prefix-nginx"
	settled "podman/$id_prefix-redis"
	settled "podman/$id_prefix-nginx"
	names "podman/$id_prefix-redis" >redis
	names "podman/$id_prefix-nginx" >nginx
	for call in $nginx_alone; do
		grep -qx "x86_64 $call" nginx
		! grep -qx "x86_64 $call" redis
	done
	for call in $redis_alone; do
		grep -qx "x86_64 $call" redis
		! grep -qx "x86_64 $call" nginx
	done
}

@test "eight containers at once, each with calls of its own: exactly those" {
	local i
	pod_run_options+=(--security-opt seccomp=unconfined)
	for i in {1..8}; do
		pod_run "$id_prefix-$i." "$id_image" /calls noise:300 480 $((500 + i)) fork $((520 + i)) exec 540-549 $((560 + i))
	done
	for i in {1..8}; do
		pod wait "$id_prefix-$i." >/dev/null
		settled "podman/$id_prefix-$i."
		"$O/tools/calls" -n noise:300 480 $((500 + i)) fork $((520 + i)) exec 540-549 $((560 + i)) >want
		names "podman/$id_prefix-$i." >names
		sysset names names >got
		sysset diff want got
	done
}

# --- two ABIs -------------------------------------------------------------------------------

# learn NAME SCRIPT: as a workload of its own, with its policy in NAME.json
learn() {
	pod run --rm --name "$id_prefix-$1" "${pod_run_options[@]}" "$id_image" sh -c "$2" >"$1.out"
	settled "podman/$id_prefix-$1"
	tamis export "podman/$id_prefix-$1" -f oci -o "$1.json"
}

under() {
	pod run --rm --name "$id_prefix-under" "${pod_run_options[@]}" --security-opt "seccomp=$PWD/$1.json" \
		"$id_image" sh -c "$2"
}

@test "a 32-bit program in a 64-bit container: under both ABIs it runs, without i386 it is killed" {
	# shellcheck disable=SC2016
	local both='/i386 plain; echo "i386: $?"; exit 0' alone='echo "no i386"; (true); exit 0'
	learn both "$both"
	grep -qx 'i386: 0' both.out
	json_is '.architectures | index("SCMP_ARCH_X86_64") != null and index("SCMP_ARCH_X86") != null' <both.json
	names "podman/$id_prefix-both" | grep -q '^i386 '
	names "podman/$id_prefix-both" | grep -q '^x86_64 '
	under both "$both" >out
	grep -qx 'i386: 0' out
	# the shell knows all of its own calls there; the other table is not its
	learn alone "$alone"
	json_is '.architectures == ["SCMP_ARCH_X86_64"]' <alone.json
	jq --slurpfile both both.json '.syscalls = $both[0].syscalls' alone.json >shell.json
	json_is '.architectures == ["SCMP_ARCH_X86_64"]' <shell.json
	under shell "$both" >out
	cat out
	grep -qx 'i386: 159' out # 128 + SIGSYS
	tamis export "podman/$id_prefix-alone" -f text | grep -iE 'i386|other ABI|architecture'
}

# int 0x80 from 64-bit code is i386's, too.
@test "int 0x80 from a 64-bit program is learned as i386 and allowed only so" {
	pod run --rm --name "$id_prefix-int80" "${pod_run_options[@]}" "$id_image" /calls 39 int80:20 102
	settled "podman/$id_prefix-int80"
	names "podman/$id_prefix-int80" | grep -qx 'i386 getpid'
	names "podman/$id_prefix-int80" | grep -qx 'x86_64 getpid'
	tamis export "podman/$id_prefix-int80" -f oci -o int80.json
	pod run --rm --name "$id_prefix-under" "${pod_run_options[@]}" --security-opt "seccomp=$PWD/int80.json" \
		"$id_image" /calls 39 int80:20 102
	jq '.architectures = ["SCMP_ARCH_X86_64"]' int80.json >native.json
	run pod run --rm --name "$id_prefix-under" "${pod_run_options[@]}" --security-opt "seccomp=$PWD/native.json" \
		"$id_image" /calls 39 int80:20 102
	((status == 159))
}
