#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Services without tests of their own: explored, learned, explored again under the policy.

# shellcheck disable=SC2154 # what pod.bash and mined.bash set
bats_require_minimum_version 1.5.0

load ../lib/base.bash
load ../lib/pod.bash
load ../lib/workloads.bash
load ../lib/mined.bash

# explore NAME PORT [OPTION]...: writes NAME.json, and NAME.err.
explore() {
	local name=$1 port=$2 all=() option
	mkdir "site-$name"
	mined_site "$PWD/site-$name" "$port"
	mined_command "$name" "$port"
	for option in "${options[@]}" "--label=$explore_prefix"; do
		all+=(--podman-option "$option")
	done
	# A test may take its minutes here: it is not what is measured, and the machine is others' too.
	timeout 700 "$TAMIS" mine --json --state "state-$name" --podman "podman ${pod_options[*]}" "${all[@]}" \
		--ready-port "$port" --test-time 200s --time 20m "${@:3}" "$image" -- "${command[@]}" \
		>"$name.json" 2>"$name.err" 3>&- 8>&-
}

own_explorations() {
	mkdir own
	cat >own/own <<-'EOT'
		# Of the user's.
		for: program redis-server
		send "ECHO tamis-own\r\n" expect "tamis-own"
		exec redis-cli -p $PORT ping
	EOT
	# In place of the one built in; and one for somebody else.
	printf '%s\n' 'for: port 1' 'connect' >own/redis-keep
	printf '%s\n' 'for: program redis-server' 'connect' >own/.hidden
}

# Most of it is waiting for slow clients, so all at once.
setup_file() {
	local -a pids=()
	local name
	export explore_prefix=tamis-explore-$$ TAMIS
	host_lock images
	mined_images redis nginx memcached python
	cd "$BATS_FILE_TMPDIR" || return
	export TMPDIR=$PWD
	pod_cgroups_note
	own_explorations
	for name in redis nginx memcached python; do
		if [[ $name == redis ]]; then
			explore "$name" "$(free_port)" --explore own &
		else
			explore "$name" "$(free_port)" &
		fi
		pids+=($!)
	done
	for name in "${pids[@]}"; do
		wait "$name" || true # judged below
	done
}

teardown_file() {
	pod ps -aq --filter "label=$explore_prefix" | xargs -r podman "${pod_options[@]}" rm -f -t 0 >/dev/null
	pod_cgroups_restore
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return
}

is() {
	json_is "$2" <"$1.json" || {
		cat "$1.err"
		jq -c '{why, tests, refused_outside}' "$1.json"
		return 1
	}
}

# explored NAME EXPLORATION...: these ran among others, all passed, all did again under the policy, and
# nothing was refused then.
explored() {
	local name=$1 test
	is "$name" '.why == null and (.tests | length > 6 and all(.outcome == "pass"))'
	is "$name" '.tests | all(.enforced.outcome == "pass" and .enforced.refused == [])'
	is "$name" '.refused_outside == []'
	for test in "${@:2}"; do
		is "$name" "[.tests[].name] | index(\"explore/$test\") != null"
	done
}

@test "redis: its commands, its files, a user's own" {
	explored redis redis redis-types redis-scripts redis-large redis-clients redis-broken tcp shell \
		signals logs restart stop-term own
	# Another of that name took its place, and is for nobody here.
	is redis '[.tests[].name] | index("explore/redis-keep") == null and index("explore/.hidden") == null'
	is redis '[.tests[].name] | all(contains("http") | not)'
}

@test "nginx: pages, methods, broken and slow clients, its own reload" {
	explored nginx http http-conditions http-write http-body http-wire http-slow nginx tcp shell signals logs \
		restart stop-term
	# Files were served, workers started anew, a shell looked around.
	is nginx '[.calls[].call] | index("sendfile") != null and index("clone") != null'
	is nginx '.calls[] | select(.call == "execve") | .first == "explore/shell"'
}

@test "memcached: text, meta and binary, though HUP is its end" {
	explored memcached memcached memcached-large memcached-stats memcached-flush memcached-broken tcp \
		shell signals
}

@test "a web application of python's" {
	explored python http http-conditions http-write http-body http-wire http-slow tcp shell signals restart
}

@test "nothing of them is left" {
	[[ -z $(pod ps -aq --filter "label=$explore_prefix") ]]
}

@test "a file with a mistake is named with its line, and nothing is started" {
	mkdir -p bad
	printf '%s\n' 'for: any' '' 'send PING' >bad/one
	run -2 --separate-stderr "$TAMIS" mine --state state-bad --explore bad localhost/tamis-redis
	[[ $stderr == *'bad/one:3: a text is in quotes: "PING"'* ]]
	[[ ! -e state-bad/tamis.db ]]
	run -2 --separate-stderr "$TAMIS" mine --state state-bad --explore nowhere localhost/tamis-redis
	[[ $stderr == *'nowhere: No such file or directory'* ]]
}
