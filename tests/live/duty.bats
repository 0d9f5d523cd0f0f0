#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # what the libraries set
# The duty cycle: what is known well is watched in samples. Others' containers keep it awake as long as
# they run: they are known by no rule of ours.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/probation.bash

setup_file() {
	export duty_prefix=tamis-duty-$$
	export duty_image=localhost/$duty_prefix
	start_image "$duty_image" "$O/tools/calls"
}

teardown_file() {
	podman rmi -f "$duty_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	mkdir orders
	web=$duty_prefix-web
}

teardown() {
	daemon_stop || true
	pod_sweep "$duty_prefix"
	pod_cgroups_restore
}

# begin DUTY: the daemon; what begins like ours is known well after three seconds of quiet.
begin() {
	printf '[daemon]\nduty = %s\nduty-sample = 1\n[auto podman/%s-*]\nmode = observe\nobserve = 3s\nquiet = 3s\n' \
		"$1" "$duty_prefix" >conf
	daemon_start "$PWD/d" --config "$PWD/conf" --interval 0.1 --unit 2 --verbose
}

# web: does what it finds in a file, again and again.
begin_web() {
	# shellcheck disable=SC2016 # the container's
	pod_run "$web" -v "$PWD/orders:/do" "$duty_image" sh -c \
		'while :; do if [ -e /do/go ]; then . /do/go; rm /do/go; fi; sleep 0.1; done'
	order '/calls 39'
	order 'cat /calls >/tmp/new; /bin/busybox chmod 755 /tmp/new'
	wait_for 30 has_call "podman/$web" getpid
}

# order TEXT: done when it returns.
order() {
	echo "$1" >orders/next
	mv orders/next orders/go
	wait_for 60 test ! -e orders/go
}

links() {
	cat "/proc/$daemon_pid"/fdinfo/* 2>/dev/null | awk '$1 == "tp_name:" { print $2 }'
}

is_asleep() {
	! links | grep -qx sys_enter
}

is_awake() {
	links | grep -qx sys_enter
}

logged() {
	grep -cE "$1" "$daemon_dir/log"
}

naps() {
	logged 'the syscall program naps' || true
}

# falls_asleep [MORE]: so many naps more from now on.
falls_asleep() {
	local before
	before=$(naps)
	wait_for 240 slept_since "$before" "${1-1}" || { tail -n 20 "$daemon_dir/log"; tamis list; return 1; }
}

slept_since() {
	(($(naps) >= $1 + $2)) && is_asleep
}

# in_one_nap COMMAND...: whether it was asleep all the while, in the same nap.
in_one_nap() {
	local before
	before=$(naps)
	is_asleep && "$@" && is_asleep && [[ $(naps) == "$before" ]]
}

watched() {
	tamis show "podman/$web" --json | json_is "$1"
}

@test "what is known well is watched in samples; what it may miss is said" {
	local try missed=
	begin 1
	is_awake
	begin_web
	watched '.watched == null'
	[[ $(logged 'the syscall program naps') == 0 ]]
	falls_asleep 3
	logged 'all that runs is known well: watched in samples'
	links | grep -qx sched_process_exec
	links | grep -qx cgroup_mkdir
	# A program that it knows, and a call that it doesn't: in a nap nobody sees it. Others may end one.
	for try in 36:getitimer 98:getrusage 99:sysinfo 121:getpgid 124:getsid 140:getpriority 145:sched_getscheduler; do
		falls_asleep
		in_one_nap order "/calls ${try%:*}" || continue
		missed=${try#*:}
		break
	done
	[[ -n $missed ]]
	wait_for 60 is_awake
	wait_for 60 watched '.watched.share > 0 and .watched.share < 1 and .watched.since > 0'
	has_none "podman/$web" "$missed"
	tamis show "podman/$web" | grep -E '^watched: +[0-9.]+ % of the time since 2[-0-9: ]+Z: calls made only in the rest of it are unseen$'
	tamis list | grep "$web" | grep -E 'running, watched [0-9.]+ %'
	watched '.partial | not'
}

@test "a new executable ends a nap at once, and what it calls is learned" {
	begin 1
	begin_web
	falls_asleep 3 # for two seconds at least, if nobody else wakes it
	order '/tmp/new pace:1000 146 147 148' # the first of them at once: it may be too early
	wait_for 20 has_call "podman/$web" sched_get_priority_min
	wait_for 20 has_call "podman/$web" sched_rr_get_interval
	# More than it knows: all the time, until it is quiet again.
	wait_for 20 logged "watched all the time: podman/$web: a new call"
	falls_asleep
	watched '.partial | not'
}

@test "a new call in a sample ends the cycle" {
	local before end=$((SECONDS + 120))
	begin 20
	begin_web
	falls_asleep 2
	before=$(logged "watched all the time: podman/$web: a new call" || true)
	until has_call "podman/$web" getsid; do
		((SECONDS <= end))
		order '/calls 124'
	done
	wait_for 20 eval "(( \$(logged 'watched all the time: podman/$web: a new call') > $before ))"
	falls_asleep
}

@test "a start ends a nap, and is whole or told to be partial" {
	local late=$duty_prefix-late calls=(39 104 pace:60000 24)
	begin 1
	begin_web
	falls_asleep 4
	pod_run "$late" "$duty_image" /calls "${calls[@]}"
	wait_for 5 is_awake
	wait_for 30 has_call "podman/$late" nanosleep
	if tamis show "podman/$late" --json | json_is '.partial'; then
		say 'partial'
	else
		called "podman/$late" >learned
		"$O/tools/calls" -n "${calls[@]}" | awk '$2 != 231 { print $2 }' | sort -u >wanted
		diff wanted learned
		falls_asleep # it is known well, too
	fi
	logged "watched all the time: podman/$late"
}

@test "a daemon killed in a nap leaves a gap; without a cycle it never naps" {
	begin 1
	begin_web
	falls_asleep 3
	kill -KILL "$daemon_pid"
	wait_for 15 gone "$daemon_pid"
	wait "$daemon_pid" || true
	is_asleep
	mv "$daemon_dir/log" first.log
	begin off
	is_awake
	wait_for 20 watched '.partial and .lost.gaps == 1'
	sleep 8
	[[ $(naps) == 0 ]]
}
