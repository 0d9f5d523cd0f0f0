#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `tamis mine` with real containers: what is learned by which test, enforced, and what becomes of trouble.

# shellcheck disable=SC2016,SC2154 # what tests are made of; what pod.bash sets
bats_require_minimum_version 1.5.0

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash

setup_file() {
	export mine_prefix=tamis-mine-$$ TAMIS
	host_lock images
	"$ROOT/tests/images/build" redis python3
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	export TMPDIR=$PWD/tmp TAMIS
	mkdir tmp tests
	port=$(free_port)
	redis=(localhost/tamis-redis --tests tests -- redis-server --port "$port" --bind 127.0.0.1 --save '')
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	pod_sweep "$mine_prefix"
	pod ps -aq --filter "label=$mine_prefix" | xargs -r podman "${pod_options[@]}" rm -f -t 0 >/dev/null
	pod_cgroups_restore
}

# put_test NAME LINE...: a test of sh.
put_test() {
	printf '%s\n' '#!/bin/sh' 'ask() { redis-cli -h "$TAMIS_HOST" -p "$TAMIS_PORT" "$@"; }' "${@:2}" >"tests/$1"
	chmod +x "tests/$1"
}

put_redis_tests() {
	put_test 1-ping '[ "$(ask ping)" = PONG ]'
	put_test 2-values 'echo 1..2' 'ask set a b | grep -q OK && echo ok 1 || echo not ok 1 - set' \
		'ask get a | grep -q b && echo ok 2 || echo not ok 2 - get'
	put_test 3-save 'ask save | grep -qx OK'
	put_test 4-load 'redis-benchmark -h "$TAMIS_HOST" -p "$TAMIS_PORT" -q -n 500 -c 5 -t get,lpush >/dev/null'
}

# mine [OPTION]... IMAGE [OPTION]... [-- COMMAND...]: as a process of its own, which signals mean.
mine() {
	local options=(--podman "podman ${pod_options[*]}" --podman-option "--label=$mine_prefix") option
	for option in "${pod_run_options[@]}"; do
		options+=(--podman-option "$option")
	done
	exec "$TAMIS" mine --state state "${options[@]}" "$@" 3>&- 8>&-
}

mined() {
	(mine "$@")
}

is() {
	json_is "$@" <doc || { jq -c 'del(.policy, .calls)' doc; return 1; }
}

# Nothing of a run: no container, no cgroup of one, no mount, no file.
nothing_left() {
	[[ -z $(pod ps -aq --filter "label=$mine_prefix") ]] || { echo "containers left"; return 1; }
	[[ -z $(ls tmp) ]] || { echo "files left:"; find tmp; return 1; }
	[[ ! -e ids ]] || while read -r id; do
		[[ -z $(find /sys/fs/cgroup -type d -name "*$id*") ]] || { echo "cgroups of $id left"; return 1; }
		! grep -q "$id" /proc/self/mountinfo || { echo "mounts of $id left"; return 1; }
	done <ids
}

# Ids of the containers as they come, for nothing_left.
note_ids() {
	pod events --stream=false --filter "label=$mine_prefix" --filter event=create --format '{{.ID}}' 2>/dev/null | sort -u >ids
}

@test "redis: which test needs what, nothing refused under the policy" {
	put_redis_tests
	mined --json -o policy.json --report report.html "${redis[@]}" >doc
	is '[.tests[] | .outcome == "pass" and .enforced.outcome == "pass" and .enforced.refused == []] == [true, true, true, true]'
	is '[.tests[].name] == ["1-ping", "2-values", "3-save", "4-load"] and .tests[1].tap == { ok: 2, failed: 0 }'
	is '.refused_outside == [] and .why == null and (.partial | not) and .generation == 1'
	is '[.calls[] | select(.call == "rename")] | length == 1 and .[0].first == "3-save" and .[0].only == "3-save"'
	is '[.calls[] | select(.call == "epoll_wait")][0] | .first == null and (.by | contains([-1, 0, 1]))'
	is '.growth | length == 5 and .[0] > 20 and .[4] >= .[3]'
	is '.score.mined.blocked > .score.default.blocked and .score.none.blocked == 0'
	is '.workload == "podman/localhost/tamis-redis:latest#redis-server"'
	grep -q '<html' report.html
	# what is in the file is what the tests ran under, and podman takes it
	jq -S .policy doc >a && jq -S . policy.json >b && diff a b
	pod run --rm "${pod_run_options[@]}" --security-opt "seccomp=$PWD/policy.json" localhost/tamis-redis \
		redis-server --version
	# it is a workload like any other, and its generation is good
	"$TAMIS" show localhost/tamis-redis --state state | grep -q 3-save ||
		"$TAMIS" show localhost/tamis-redis --state state --json | json_is '.calls | length > 30'
	"$TAMIS" history localhost/tamis-redis --state state --json | json_is '[.generations[].state] == ["good"]'
	note_ids
	nothing_left
}

@test "a test that needs a call nobody else needs is named when it is refused" {
	put_redis_tests
	mined --json "${redis[@]}" >doc
	is '[.calls[] | select(.call == "rename")][0].only == "3-save"'
	"$TAMIS" deny localhost/tamis-redis rename --state state
	run -1 mined --json "${redis[@]}"
	printf '%s\n' "$output" | sed -n '/^{/,$p' >doc
	is '[.tests[] | .outcome] | unique == ["pass"]'
	is '[.tests[] | select(.enforced.outcome != "pass") | .name] == ["3-save"]'
	is '[.tests[2].enforced.refused[].call] | index("rename") != null'
	is '[.tests[0, 1, 3].enforced.refused[]] == []'
	# the service itself can't begin
	"$TAMIS" deny localhost/tamis-redis bind --state state
	run -1 mined "${redis[@]}"
	[[ $output == *'under the policy 0 of these'*'under the policy, 4-load: likewise'* ]]
	[[ $output == *'refused while it started or stopped: bind'* ]]
	"$TAMIS" history localhost/tamis-redis --state state --json |
		json_is '[.generations[].state] | .[0] == "good" and .[-1] == "trial"'
}

@test "a line that calls ptrace widens the policy, and its test is named" {
	mkdir site
	cat >site/app.py <<-'END'
		import ctypes, http.server, sys
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        if self.path == "/work":
		            pass
		        self.send_response(200)
		        self.end_headers()
		        self.wfile.write(b"ok")
		http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
	END
	put_test plain '[ "$(curl -m 20 -s "http://127.0.0.1:$TAMIS_PORT/")" = ok ]'
	put_test work '[ "$(curl -m 20 -s "http://127.0.0.1:$TAMIS_PORT/work")" = ok ]'
	local app=(localhost/tamis-python3 --tests tests --podman-option -v --podman-option "$PWD/site:/site:ro"
		--podman-option --stop-signal=INT -- python3 -B /site/app.py "$port")
	mined -o base.json "${app[@]}"
	sed -i 's/            pass/            ctypes.CDLL(None).ptrace(0, 0, 0, 0)/' site/app.py
	run -1 mined --fail-if-wider base.json "${app[@]}"
	[[ $output == *'wider than base.json: ptrace, made by work'* ]]
	[[ $output == *'guarded, so not in the policy without --allow ptrace: first made by work'* ]]
	run -1 mined --fail-if-wider base.json --json --ready-port "$port" "${app[@]}"
	printf '%s\n' "$output" | sed -n '/^{/,$p' >doc
	is '.widened.calls == [{ abi: "x86_64", call: "ptrace", tests: ["work"] }]'
	# a person's word, and then the policy has it
	run -1 mined --fail-if-wider base.json --allow ptrace -o wide.json "${app[@]}"
	[[ $output != *'guarded, so not'* ]]
	json_is '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] | index("ptrace") != null' <wide.json
	mined --fail-if-wider wide.json --allow ptrace "${app[@]}"
}

# interrupted MS SIGNAL: a run that gets it so long after its beginning.
interrupted() {
	local pid rc=0
	mine "${redis[@]}" >out 2>&1 &
	pid=$!
	sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
	kill -"$2" "$pid" 2>/dev/null || true # it may have ended
	wait "$pid" || rc=$?
	# before it watches for signals there is nothing that could stay
	((rc <= 128)) || [[ -s out ]] || return 0
	((rc == 130 || rc == 0)) || { echo "after $1 ms: $rc"; cat out; return 1; }
	((rc == 0)) || [[ $(grep -c '^tamis: stopped' out) == 1 ]] || { cat out; return 1; }
}

@test "^C at any moment leaves nothing, and what was learned" {
	local i signals=(INT TERM HUP) learned=0
	put_redis_tests
	for i in {1..10}; do
		rm -rf state
		interrupted $((RANDOM % 5000)) "${signals[i % 3]}"
		note_ids
		nothing_left || { echo "in round $i"; cat out; return 1; }
		if grep -q 'so far is in the store' out; then
			learned=$((learned + 1))
			"$TAMIS" show localhost/tamis-redis --state state --json | json_is '.calls | length > 0'
		fi
	done
	((learned > 0))
}

@test "podman that hangs is no reason to stay" {
	put_redis_tests
	printf '%s\n' '#!/bin/sh' 'for word; do [ "$word" != "$HANGS" ] || exec sleep 600; done' 'exec podman "$@"' >hanging
	chmod +x hanging
	local verb
	for verb in image create start stop; do
		HANGS=$verb setsid "$TAMIS" mine --state state --podman "$PWD/hanging ${pod_options[*]}" \
			--podman-option "--label=$mine_prefix" "${pod_run_options[@]/#/--podman-option=}" "${redis[@]}" \
			>out 2>&1 3>&- 8>&- &
		local pid=$! rc=0
		wait_for 60 pgrep -P "$pid" -x sleep
		kill -INT "$pid"
		wait "$pid" || rc=$?
		((rc == 130)) || { echo "$verb: $rc"; cat out; return 1; }
		nothing_left
	done
}

@test "tests that fail, hang or end the service without a policy are said, and are no word on it" {
	put_test 1-ping '[ "$(ask ping)" = PONG ]'
	put_test 2-fails 'echo it is broken; exit 3'
	put_test 3-hangs 'sleep 600'
	put_test 4-ends 'ask shutdown nosave; true'
	put_test 5-ping '[ "$(ask ping)" = PONG ]'
	run -0 mined --json --test-time 2s "${redis[@]}"
	printf '%s\n' "$output" | sed -n '/^{/,$p' >doc
	is '[.tests[].outcome] == ["pass", "fail", "hung", "fail", "pass"]'
	is '.tests[1].why == "exit status 3: it is broken" and .tests[2].why == "no end after 2 s"'
	is '.tests[3].why == "the service ended with status 0"'
	is '[.tests[].enforced.outcome] == ["pass", "fail", "none", "fail", "pass"]'
	run -0 mined --test-time 2s "${redis[@]}"
	[[ $output == *'without the policy, 2-fails: fail: exit status 3: it is broken'* ]]
	nothing_left
}

@test "tests that don't fit the time are said" {
	put_test 1-slow 'sleep 2'
	put_test 2-late true
	run mined --json --time 1s "${redis[@]}"
	printf '%s\n' "$output" | sed -n '/^{/,$p' >doc
	is '[.tests[].outcome] == ["pass", "none"] and .tests[1].why == "no time left"'
	# Whether the service was back in time for the first one under the policy, its speed says.
	is "(.tests[0].enforced.outcome == \"pass\") == ($status == 0)"
}

@test "an image that isn't there, one that never gets ready, one that ends" {
	put_redis_tests
	run -1 mined localhost/tamis-nosuch --tests tests
	[[ ${#lines[@]} == 1 && $output == 'tamis: localhost/tamis-nosuch: no such image: '* ]]
	run -1 mined --ready-port 1 --ready-time 2s "${redis[@]}"
	[[ $output == "tamis: localhost/tamis-redis: it isn't ready after 2 s: nobody listens on its port" ]]
	run -1 mined localhost/tamis-redis --tests tests -- sh -c 'echo no configuration >&2; exit 4'
	[[ $output == 'tamis: localhost/tamis-redis: it ended with status 4 before it was ready; its log ends: no configuration' ]]
	run -1 mined localhost/tamis-redis --tests tests -- /no/such/program
	[[ ${#lines[@]} == 1 && $output == *'no such file or directory'* ]]
	note_ids
	nothing_left
	# by a line of its log, by a command
	mined --ready-log 'Ready to accept' "${redis[@]}" >/dev/null
	mined --ready-cmd "redis-cli -p $port ping" "${redis[@]}" >/dev/null
}

@test "a full disk is said, and what was learned until then is there" {
	local size seen=0
	put_redis_tests
	mkdir disk
	for size in 150k 300k 400k; do
			unshare -m --propagation private bash -c '
			mount -t tmpfs -o "size=$1" tmpfs disk && shift && rc=0
			"$@" >out 2>&1 3>&- 8>&- || rc=$?
			"$TAMIS" list --state disk/state --json >list 2>/dev/null || true
			exit $rc' bash "$size" "$TAMIS" mine --state disk/state --podman "podman ${pod_options[*]}" \
			--podman-option "--label=$mine_prefix" "${pod_run_options[@]/#/--podman-option=}" "${redis[@]}" &&
			{ cat out; return 1; }
		[[ $(grep -c 'database or disk is full' out) == 1 ]] || { cat out; return 1; }
		! json_is '[.workloads[] | select(.call_count > 0)] | length == 1' <list || seen=$((seen + 1))
		nothing_left
	done
	((seen > 0))
}

@test "a container's twin is mined, the container isn't touched" {
	put_test exec 'podman --runtime runc exec "$TAMIS_CONTAINER" redis-cli -p 6379 ping | grep -qx PONG'
	sed -i "s/podman --runtime runc/podman ${pod_options[*]}/" tests/exec
	pod run -d --name "$mine_prefix-web" "${pod_run_options[@]:2}" --network none -e A=1 localhost/tamis-redis \
		redis-server --save '' >/dev/null
	local pid
	pid=$(pod_pid "$mine_prefix-web")
	"$TAMIS" mine --state state --podman "podman ${pod_options[*]}" --container "$mine_prefix-web" --tests tests \
		--json >doc 3>&- 8>&-
	is '.tests[0].outcome == "pass" and .tests[0].enforced.outcome == "pass" and (.calls | length > 30)'
	[[ $(pod_pid "$mine_prefix-web") == "$pid" ]]
	run -1 "$TAMIS" mine --state state --podman "podman ${pod_options[*]}" --container "$mine_prefix-none" --tests tests
	[[ $output == "tamis: $mine_prefix-none: no such container" ]]
	[[ -z $(ls tmp) ]]
}

@test "a daemon beside it, on the same state, goes on as it was" {
	put_redis_tests
	daemon_start "$PWD/daemon" --interval 0.2
	pod_run "$mine_prefix-other" localhost/tamis-redis redis-server --port "$(free_port)" --bind 127.0.0.1
	wait_for 30 other_is_learned
	ln -s daemon/state state
	mined --json "${redis[@]}" >doc
	is '[.tests[].enforced.outcome] | unique == ["pass"]'
	other_is_learned
	tamis show "$mine_prefix-other" --json | json_is '.state == "running" and .evidence.gaps == 0' ||
		tamis show "$mine_prefix-other" --json | jq 'del(.calls)'
	daemon_stop
}

other_is_learned() {
	tamis show "$mine_prefix-other" --json | json_is '.partial | not'
}

@test "what a line can't mean" {
	mkdir empty
	local line
	while read -r line; do
		# shellcheck disable=SC2086
		run -2 "$TAMIS" mine --state state $line
		[[ ${#lines[@]} -le 2 && $output == *mine* ]] || { echo "$line"; return 1; }
	done <<-'END'

		--container a image
		--container a --unit b
		image --tests empty
		image --tests /nonexistent/program'
		image --tests /nonexistent/program
		image --tests /etc/passwd
		image --ready-port 0
		image --ready-port 70000
		image --time soon
		image --podman ''
		image --explore /nonexistent
		--unit a --podman-option --init
	END
	[[ ! -e state ]]
}
