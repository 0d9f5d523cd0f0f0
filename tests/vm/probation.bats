#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # jq's variables; what the libraries set
# In a virtual machine with systemd: probation as it is installed. The keeper's unit keeps its socket and
# its descriptors; podman with crun and runc, docker through the wrapper.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/probation.bash
load guest.bash
load engines.bash
load installed.bash

wrapper=/usr/local/libexec/tamis-runc

setup_file() {
	printf '[daemon]\ninterval = 1\n' | installed
	tamis install podman
	mkdir -p /etc/docker
	tamis install wrapper --runtime "$(command -v runc)" --as "$wrapper"
	jq -n --arg path "$wrapper" '{runtimes: {tamis: {$path}}}' >/etc/docker/daemon.json
	systemctl restart docker
	pod_image "$DIR/tree"
	image_archive "$DIR/image.tar" vm:1 '{"Cmd": ["/bin/sh"]}'
	docker load -q -i "$DIR/image.tar"
}

teardown_file() {
	docker ps -aq | xargs -r docker rm -f >/dev/null
	pod_sweep vm-
	systemctl stop docker.service docker.socket
	tamis uninstall podman
	uninstalled probation
	rm -f /etc/docker/daemon.json "$wrapper" "$wrapper.conf"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	systemctl reset-failed tamis tamis-keeper || true
	systemctl start tamis-keeper.socket tamis
}

teardown() {
	docker ps -aq | xargs -r docker rm -f >/dev/null
	pod_sweep vm-
	systemctl status --no-pager tamis-keeper.socket tamis-keeper tamis || true
	tail -n 3 "$state/start.log" || true
}

# An emulated machine is often too slow for the time that a start gives tamis: on a busy host for all of
# 25 starts.
start_until() {
	local said=$1 before
	shift
	for _ in {1..75}; do
		before=$(start_lines | wc -l)
		"$@" >/dev/null || return
		start_lines | tail -n +$((before + 1)) | grep -qE "$said" &&
			! start_lines | tail -n 1 | grep -q 'did not answer in time' && return
	done
	start_lines | tail -n 5
	return 1
}

start_lines() {
	sed 's/^[^ ]* tamis-start: //' "$state/start.log" 2>/dev/null
}

apply() {
	tamis apply "$@"
}

kept() {
	systemctl show -P NFileDescriptorStore tamis-keeper
}

# in_probation RUNTIME NAME
in_probation() {
	pod_options[1]=$1
	pod_run "$2" "$image" sh -c "$loop"
	probation "$2"
}

@test "podman with crun and with runc: learned live, free at the next start" {
	local name runtime
	for runtime in crun runc; do
		name=vm-$runtime
		in_probation "$runtime" "$name"
		pod exec "$name" /calls -r 107 108 >out
		returned out 107 0
		returned out 108 0
		wait_for 60 has_call "podman/$name" geteuid
		wait_for 90 has_generation "podman/$name" 2
		start_until "^podman/$name: in probation under generation" restart "$name"
		passing "$name" | grep -qx geteuid
		! grep -qx geteuid <(asking "$name")
		pod_remove "$name"
	done
}

# What every runtime here has; podman's hook isn't told which will be used.
has_killable() {
	local runtime
	for runtime in /usr/bin/crun /usr/sbin/runc; do
		"$runtime" features 2>/dev/null |
			json_is 'any(.linux.seccomp.supportedFlags[]?; . == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' || return
	done
}

@test "signals don't interrupt where the runtime can have that, else apply says so" {
	in_probation crun vm-flag
	apply podman/vm-flag --mode probation --dry-run >said 2>&1
	cat said
	jq -c '.linux.seccomp.flags' "$(pod inspect -f '{{.OCIConfigPath}}' vm-flag)"
	if has_killable; then
		jq '.linux.seccomp.flags' "$(pod inspect -f '{{.OCIConfigPath}}' vm-flag)" |
			json_is 'index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") != null'
	else
		jq '.linux.seccomp.flags // []' "$(pod inspect -f '{{.OCIConfigPath}}' vm-flag)" |
			json_is 'index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") == null'
		grep -qi 'signal' said
	fi
}

@test "the keeper is killed: its unit has it back, with its descriptors and its socket" {
	local pid since before
	in_probation crun vm-kept
	since=$(systemctl show -P ActiveEnterTimestampMonotonic tamis-keeper.socket)
	before=$(kept)
	((before >= 1))
	# one that goes on meanwhile: a call each half second
	pod exec vm-kept /calls -r pace:500 107 108 104 111 145 146 147 152 141 100 >long 3>&- &
	pid=$!
	wait_for 60 grep -q ' 108 ' long
	killed tamis-keeper
	killed tamis-keeper
	# one that comes meanwhile
	kill -KILL "$(main_pid tamis-keeper)"
	timeout 120 podman exec vm-kept /calls -r 140 >short
	wait "$pid"
	cat long
	[[ $(grep -c . long) == 10 ]]
	[[ -z $(grep -E ' -(38|1|4)$' long short) ]]
	(($(systemctl show -P NRestarts tamis-keeper) >= 3)) || systemctl is-active tamis-keeper
	[[ $since == "$(systemctl show -P ActiveEnterTimestampMonotonic tamis-keeper.socket)" ]]
	# The container's own filter is still listened to; sessions' are gone with them.
	wait_for 60 kept_at_least 1
	for nr in geteuid getegid getgid getpgrp sched_get_priority_max munlockall times getpriority; do
		wait_for 60 has_call podman/vm-kept "$nr"
	done
	[[ $(pod inspect -f '{{.State.Running}}' vm-kept) == true ]]
}

kept_at_least() {
	(($(kept) >= $1))
}

@test "the daemon is killed: calls go on, and are learned once it is back" {
	in_probation runc vm-alone
	systemctl stop tamis
	pod exec vm-alone /calls -r 107 >out
	returned out 107 0
	systemctl start tamis
	wait_for 60 has_call podman/vm-alone geteuid
	killed tamis
	pod exec vm-alone /calls -r 108 >out
	returned out 108 0
	wait_for 60 has_call podman/vm-alone getegid
}

@test "no keeper: a start is the engine's own, and says why" {
	in_probation crun vm-none
	systemctl stop tamis-keeper.socket tamis-keeper
	start_until '^podman/vm-none: .*keeper' restart vm-none
	[[ -z $(asking vm-none) ]]
	pod exec vm-none /calls -r 107 >out
	returned out 107 0
	systemctl start tamis-keeper.socket
	start_until '^podman/vm-none: in probation under generation' restart vm-none
}

@test "docker through the wrapper, sessions too; refused by the rule deny" {
	docker run -d --runtime tamis --name vm-web --network none vm:1 sh -c "$loop"
	docker restart -t 0 vm-web
	wait_for 60 is_learned docker/vm-web
	docker exec vm-web /calls -r 39
	wait_for 60 has_call docker/vm-web getpid
	apply docker/vm-web --mode probation
	start_until '^docker/vm-web: in probation under generation' docker restart -t 0 vm-web
	docker exec vm-web /calls -r 107 108 >out
	returned out 107 0
	wait_for 60 has_call docker/vm-web geteuid
	apply docker/vm-web --mode probation --rule deny
	start_until '^docker/vm-web: in probation under generation' docker restart -t 0 vm-web
	docker exec vm-web /calls -r 107 104 >out
	returned out 107 0
	returned out 104 -38
	wait_for 60 were_denied docker/vm-web 104 1
}

# No other tests' programs run in this machine.
at_rest() {
	! bpftool -j link list | jq -r '.[].tp_name // empty' | grep -qx sys_enter
}

is_awake() {
	! at_rest
}

@test "the syscall program rests while all is in probation, and is back for the next start" {
	is_awake
	in_probation crun vm-rest
	wait_for 90 at_rest
	bpftool -j link list | jq -r '.[].tp_name // empty' | sort -u >programs
	grep -qx cgroup_mkdir programs && grep -qx sched_process_exec programs
	pod exec vm-rest /calls -r 108 >out
	returned out 108 0
	wait_for 60 has_call podman/vm-rest getegid
	pod_options[1]=runc
	pod_run vm-late "$image" /calls 39 104 pace:600000 24
	wait_for 30 is_awake
	wait_for 60 has_call podman/vm-late nanosleep
	tamis show podman/vm-late --json >shown
	if json_is '.partial | not' <shown; then
		called podman/vm-late >learned
		"$O/tools/calls" -n 39 104 pace:1 24 | awk '$2 != 231 { print $2 }' | sort -u | diff - learned
	fi
	pod_remove vm-late
	wait_for 90 at_rest
}

@test "not for a unit, and it is said why" {
	run tamis apply systemd/cron.service --mode probation
	echo "$output"
	[[ $status == 1 && $output == *cron* ]]
}
