#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # jq's variables; what the libraries set
# The daemon's half of applying: rules, trials that it sees to their end, shadows.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash

setup_file() {
	export auto_prefix=tamis-auto-$$
	export auto_image=localhost/$auto_prefix
	start_image "$auto_image"
}

teardown_file() {
	podman rmi -f "$auto_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	mkdir orders # what a container is told to do, by files in it
}

teardown() {
	daemon_stop || true
	pod_sweep "$auto_prefix"
	pod_cgroups_restore
}

# What containers run: lives, and at its start does what it is told to.
program='
	[ -e /do/exit ] && exit 3
	[ -e /do/refused ] && sh -c "kill -SYS \$\$"
	while :; do sleep 0.1; done'

# container NAME [podman's run options]
container() {
	pod_run "$1" -v "$PWD/orders:/do" "${@:2}" "$auto_image" sh -c "$program"
}

# begin [RULES]: the daemon with a trial of 5 s, podman's hook for it.
begin() {
	printf '[apply]\ntrial = 5\n%s\n' "${1-}" >conf
	daemon_start "$PWD/d" --config "$PWD/conf" --interval 0.2 --unit 1
	start_install "$PWD/hooks"
}

restart() {
	pod restart -t 0 "$1" >/dev/null
}

# whole KEY STARTS: so many starts were seen, all of what they did.
whole() {
	tamis show "$1" --json | json_is '(.partial | not) and .starts >= $n' --argjson n "$2"
}

# learn NAME: two whole starts, and in a session what the program may be told to do.
learn() {
	container "$1"
	restart "$1"
	restart "$1"
	wait_for 30 whole "podman/$1" 2
	pod exec "$1" sh -c 'sh -c "kill -0 \$\$"; sh -c "exit 0"; [ -e /do/x ]; true'
	sleep 1
}

# apply NAME: by hand, with the daemon's own configuration.
apply() {
	tamis apply "podman/$1" --config "$PWD/conf" "${@:2}"
}

# state NAME GENERATION STATE
state() {
	tamis history "podman/$1" --config "$PWD/conf" --json |
		json_is '[.generations[] | select(.number == $n) | .state] == [$s]' \
			--argjson n "$2" --arg s "$3"
}

# stored NAME GENERATION STATE: as the store has it, whoever asks: settled by the daemon.
stored() {
	[[ $(sqlite3 -readonly "$daemon_dir/state/tamis.db" "SELECT g.state FROM generation g
		JOIN workload w ON w.id = g.workload
		WHERE w.key = 'podman/$1' AND g.number = $2") == "$3" ]]
}

logged() {
	grep -qE "$1" "$daemon_dir/log"
}

none_made() {
	tamis history "podman/$1" --config "$PWD/conf" --json | json_is '.generations == []'
}

@test "a rule applies when it has seen enough; who is opted out stays as it is" {
	local web=$auto_prefix-web no=$auto_prefix-no label=$auto_prefix-label
	begin "[auto podman/$auto_prefix-no*]
mode = observe
[auto podman/$auto_prefix-*]
mode = enforce
observe = 3s
starts = 3
quiet = 2s"
	container "$web"
	container "$no"
	container "$label" --annotation io.tamis.policy=off
	for name in "$web" "$no" "$label"; do
		restart "$name"
	done
	wait_for 30 whole "podman/$web" 2
	sleep 6
	none_made "$web" # two starts aren't three
	restart "$web"
	wait_for 30 logged "podman/$web: generation 1: applied by .auto podman/$auto_prefix-"
	tamis history "podman/$web" --json | json_is '.generations[0].maker | startswith("auto: podman/")'
	start_until "^podman/$web: started under generation 1, on trial$" restart "$web"
	[[ $(seccomp_mode "$(pod_pid "$web")") == 2 ]]
	run pod exec "$web" mkdir /tmp/a
	[[ $status != 0 ]]
	wait_for 30 stored "$web" 1 1
	logged "podman/$web: generation 1 is good: it lived for 5 s"
	state "$web" 1 good
	# The others have had as much time.
	for name in "$no" "$label"; do
		restart "$name"
		restart "$name"
		wait_for 30 whole "podman/$name" 3
	done
	sleep 4
	none_made "$no"
	none_made "$label"
	run apply "$no"
	[[ $status == 1 && $output == *'opted out'*'--force'* ]]
	run apply "$label"
	[[ $status == 1 && $output == *'opted out'*'--force'* ]]
}

# second NAME: one that is good, and another one of more calls.
second() {
	local name=$1
	learn "$name"
	apply "$name" --no-trial
	pod exec "$name" mkdir /tmp/a
	sleep 1
	apply "$name"
	state "$name" 2 trial
}

@test "a call refused by a kill, anywhere in it, ends a trial" {
	local name=$auto_prefix-refused
	begin
	second "$name"
	touch orders/refused
	start_until "^podman/$name: started under generation 2, on trial$" restart "$name"
	wait_for 30 stored "$name" 2 2
	logged "podman/$name: generation 2 failed: .*SIGSYS.*; generation 1 is in force at the next start"
	tamis history "podman/$name" --json |
		json_is '.generations[1].failed | contains("refused call not known")'
	rm orders/refused
	start_until "^podman/$name: .*generation 1" restart "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	run pod exec "$name" mkdir /tmp/b
	[[ $status != 0 ]]
	stored "$name" 1 1
}

@test "an exit soon after a start ends a trial" {
	local name=$auto_prefix-exit
	begin
	second "$name"
	touch orders/exit
	start_until "^podman/$name: started under generation 2, on trial$" restart "$name"
	wait_for 30 stored "$name" 2 2
	logged "podman/$name: generation 2 failed: it exited with 3"
	rm orders/exit
	start_until "^podman/$name: .*generation 1" restart "$name"
	sleep 6 # the good one isn't tried again
	stored "$name" 1 1
	stored "$name" 2 2
}

@test "a trial is settled by a daemon that comes later, and what is applied healed" {
	local name=$auto_prefix-later file
	begin
	learn "$name"
	apply "$name"
	file=$daemon_dir/state/applied/podman/$name.json
	daemon_stop
	start_until "^podman/$name: started under generation 1, on trial$" restart "$name"
	rm "$file"
	sleep 5
	daemon_start "$PWD/d" --config "$PWD/conf" --interval 0.2 --unit 1
	wait_for 30 stored "$name" 1 1
	json_is '.generation.state == "good"' <"$file"
}

@test "a shadow refuses nothing, and is told of once for each call" {
	local name=$auto_prefix-shadow
	begin
	learn "$name"
	apply "$name" --mode shadow
	restart "$name"
	pod exec "$name" mkdir /tmp/a
	wait_for 30 logged "podman/$name: generation 1 would have refused .*mkdir"
	pod exec "$name" mkdir /tmp/b
	pod exec "$name" rm -r /tmp/b
	wait_for 30 logged "podman/$name: generation 1 would have refused .*(rmdir|unlink)"
	[[ $(grep -c 'would have refused.*mkdir' "$daemon_dir/log") == 1 ]]
}
