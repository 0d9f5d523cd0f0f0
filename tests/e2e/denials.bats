#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Calls that a real container is refused under a policy in force: counted, told, by errno and by death.
# shellcheck disable=SC2154 # what daemon.bash sets

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash

# A container learned while it slept, and in force.
setup_file() {
	export prefix=tamis-denials-$$
	export image=localhost/$prefix
	start_image "$image" "$O/tools/calls"
}

teardown_file() {
	podman rmi -f "$image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	name=$prefix-web
	follower=
}

teardown() {
	[[ -z $follower ]] || kill "$follower" 2>/dev/null || true
	daemon_stop || true
	pod_sweep "$prefix"
	pod_cgroups_restore
}

# begin [DAEMON'S OPTION...]
begin() {
	daemon_start "$PWD/d" --interval 0.2 --unit 2 "$@"
	pod_run "$name" "$image" sh -c 'while :; do sleep 0.1; done'
	start_learned "podman/$name"
	pod exec "$name" grep Seccomp /proc/1/status
	pod exec "$name" /calls 39
	sleep 1
	start_install "$PWD/hooks"
	tamis apply "podman/$name"
	start_until "^podman/$name: started under generation 1, on trial$" pod restart -t 0 "$name"
}

# is_denied FILTER: of one of the denials.
is_denied() {
	tamis denials "podman/$name" --json | jq -e "any(.denials[]; $1)" >/dev/null
}

# until_denied FILTER
until_denied() {
	wait_for 60 is_denied "$1" && return
	tamis denials
	cat "$daemon_dir/log"
	return 1
}

@test "refused by errno: by whom, how often, under which generation" {
	begin --watch-denials
	run pod exec "$name" mkdir /tmp/a
	[[ $status != 0 && $output == *'Function not implemented'* ]]
	until_denied '.name == "mkdir"'
	is_denied ".key == \"podman/$name\" and .name == \"mkdir\" and .abi == \"x86_64\" and .nr == 83 and
		.how == \"errno\" and .comm == \"mkdir\" and .count == 1 and .generation == 1 and .pid > 1 and
		.first <= .last and .first > 1600000000"
	# What the filter lets pass is none, whatever the kernel says to it; getpgrp is none of these.
	pod exec "$name" /calls 39 111
	until_denied '.name == "getpgrp"'
	run is_denied '.name == "getpid" or .name == "execve" or .name == "read"'
	((status != 0))
	pod exec "$name" /calls 111 111 111
	until_denied '.name == "getpgrp" and .count == 4'
	grep -q "podman/$name: refused mkdir to mkdir" "$daemon_dir/log"
	# It widens nothing.
	tamis history "podman/$name" --config /dev/null --json | json_is '.generations | length == 1'
	run tamis diff "podman/$name" "podman/$name"
	[[ -z $output ]]
}

@test "a daemon that comes back counts none twice, and misses none" {
	begin --watch-denials
	pod exec "$name" /calls 111 111
	until_denied '.name == "getpgrp" and .count == 2'
	daemon_stop
	tamis denials | grep getpgrp
	daemon_start "$PWD/d" --interval 0.2 --unit 2 --watch-denials
	pod exec "$name" /calls 111
	until_denied '.name == "getpgrp" and .count == 3'
}

@test "deaths are counted whether errnos are watched or not" {
	begin
	run pod exec "$name" /calls int80:20
	((status != 0))
	until_denied '.how == "sigsys"'
	is_denied '.how == "sigsys" and .abi == "i386" and .name == "getpid" and .comm == "calls" and
		.count == 1 and .generation == 1'
	pod exec "$name" /calls 111
	sleep 1
	run is_denied '.how == "errno"'
	((status != 0))
}

# As if others had been refused all that the kernel keeps.
fill_map() {
	local pin
	pin=$(echo "/proc/$daemon_pid/root$daemon_dir"/bpf/tamis/*/denials)
	bpftool map show pinned "$pin" -j >shown
	python3 - "$pin" >fill <<-'END'
		import json, sys
		m = json.load(open("shown"))
		value = " ".join(["0"] * m["bytes_value"])
		for i in range(m["max_entries"]):
		    key = list(((1 << 50) + i).to_bytes(8, "little")) + [0] * (m["bytes_key"] - 8)
		    print("map update pinned", sys.argv[1], "key", *key, "value", value)
	END
	bpftool batch file fill >filled || true # one or the other finds it full
}

has_lost() {
	tamis denials --json | json_is ".lost >= $1"
}

@test "refused calls that found no room are counted, and said" {
	begin --watch-denials
	tamis denials --json | json_is '.lost == 0'
	fill_map
	pod exec "$name" /calls 111 111 111
	wait_for 60 has_lost 3
	grep -q 'refused calls found no room to be kept' "$daemon_dir/log"
	tamis denials 2>&1 | grep -q "more refused calls, whoever's, found no room"
}

has_line() {
	grep -qE "$1" follow
}

@test "who follows is told of what comes, with the daemon stopped as well" {
	begin --watch-denials
	pod exec "$name" /calls 111
	until_denied '.name == "getpgrp"'
	"$TAMIS" denials --follow --state "$daemon_dir/state" >follow 3>&- &
	follower=$!
	wait_for 30 has_line getpgrp
	[[ $(wc -l <follow) == 2 ]]
	pod exec "$name" /calls 111 104
	wait_for 60 has_line "^[0-9-]+ [0-9:]+Z podman/$name: errno x86_64 getgid to calls \([0-9]+\).*, generation 1$"
	wait_for 60 has_line "errno x86_64 getpgrp to calls .*, 1 more, 2 in all, generation 1$"
	daemon_stop
	python3 - "$daemon_dir/state/tamis.db" <<-'END'
		import sqlite3, sys
		with sqlite3.connect(sys.argv[1]) as db:
		    db.execute("INSERT INTO denial SELECT id, 0, 0, 57, 0, NULL, NULL, NULL, 7, 1, 2 FROM workload")
	END
	wait_for 30 has_line "errno x86_64 fork to \?, 7 times$"
	kill -TERM "$follower"
	wait_for 30 gone "$follower"
	follower=
}
