#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2034,SC2154 # what tests are made of; what the libraries set
# In a virtual machine with systemd: units that are mined where they are, and a container's twin.

bats_require_minimum_version 1.5.0

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash
load guest.bash
load systemd.bash
load installed.bash

unit=vm-mine.service
port=8121
drop_in=/run/systemd/system/$unit.d

setup_file() {
	pod_image "$DIR/tree"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tests
	service vm-mine Type=exec ExecStart= \
		"ExecStart=/usr/bin/python3 -I -S $BATS_TEST_DIRNAME/web.py $port"
	systemctl daemon-reload
	systemctl start "$unit"
	wait_for 60 port_open "$port"
	put_test 1-index '[ "$(get /)" = ok ]'
	put_test 2-again 'for i in 1 2 3; do [ "$(get /)" = ok ] || exit 1; done'
	put_test 3-try '[ "$(get /try)" = 0 ]'
}

teardown() {
	[[ ! -e doc ]] || jq -c 'del(.policy, .calls)' doc || cat doc
	journalctl -o short-monotonic --no-pager -n 60 >>/run/results/mine.journal
	units_sweep
	systemctl daemon-reload
	systemctl reset-failed
	pod_sweep vm-
}

# put_test NAME LINE...: a test of bash.
put_test() {
	printf '%s\n' '#!/bin/bash' 'get() { exec 3<>"/dev/tcp/$TAMIS_HOST/${TAMIS_PORT:?}" || exit' \
		'printf "GET %s HTTP/1.0\r\n\r\n" "$1" >&3; timeout 60 tail -n 1 <&3; exec 3>&-; }' "${@:2}" >"tests/$1"
	chmod +x "tests/$1"
}

# mine OPTION...: as a process of its own, which signals mean.
mine() {
	exec "$O/tamis" mine --state state --time 30m --test-time 5m --ready-time 5m --tests tests "$@" 3>&- 8>&-
}

mined() {
	(mine "$@")
}

tamis() {
	"$O/tamis" "$1" --state state "${@:2}"
}

is() {
	json_is "$@" <doc
}

# It runs without a filter, and answers; nothing of a run is there.
as_before() {
	wait_for 60 port_open "$port"
	under "$unit" 0
	[[ ! -e $drop_in ]] || { find "$drop_in"; return 1; }
	[[ $(systemctl show -P DropInPaths "$unit") == '' ]]
	[[ $(systemctl show -P NeedDaemonReload "$unit") == no ]]
	[[ $(systemctl is-active "$unit") == active ]]
}

@test "a unit, mined and enforced where it is: its drop-in, and then it is as before" {
	# by a name that people use
	mined --unit vm-mine --json -o policy.conf --report report.html >doc
	is '[.tests[] | .outcome == "pass" and .enforced.outcome == "pass" and .enforced.refused == []] == [true, true, true]'
	is '.refused_outside == [] and .why == null and (.partial | not) and .generation == 1'
	is '[.calls[] | select(.call == "getpriority")] | length == 1 and .[0].only == "3-try"'
	is ".workload == \"systemd/$unit\""
	is '.score.mined.blocked > .score.none.blocked'
	as_before
	grep -q '<html' report.html
	tamis history "$unit" --json | json_is '[.generations[].state] == ["good"]'
	# what came out is what systemd takes
	grep -q '^SystemCallFilter=.*accept4' policy.conf || grep -q accept4 policy.conf
	mkdir -p "$drop_in"
	cp policy.conf "$drop_in/"
	systemctl daemon-reload
	systemd-analyze verify "$unit" >said 2>&1
	cat said
	fails grep -F policy.conf said
	systemctl restart "$unit"
	wait_for 60 port_open "$port"
	under "$unit" 2
	rm -r "$drop_in"
}

@test "a test that needs what is refused is named; a start that can't be is said" {
	mined --unit "$unit" --json >doc
	tamis deny "$unit" getpriority
	run -1 mined --unit "$unit" --json
	printf '%s\n' "$output" | sed -n '/^{/,$p' >doc
	is '[.tests[].outcome] == ["pass", "pass", "pass"]'
	is '[.tests[] | select(.enforced.outcome != "pass") | .name] == ["3-try"]'
	is '[.tests[2].enforced.refused[].call] == ["getpriority"]'
	is '[.tests[0, 1].enforced.refused[]] == []'
	as_before
	rm doc
	tamis deny "$unit" listen
	run -1 mined --unit "$unit"
	echo "$output"
	[[ $output == *'under the policy 0 of these'* && $output == *'listen'* ]]
	as_before
}

# stopped_when CONDITION...: ^C once it is so.
stopped_when() {
	local pid rc=0
	mine --unit "$unit" >out 2>&1 &
	pid=$!
	wait_for 300 "$@" || { cat out; end_process "$pid"; return 1; }
	kill -INT "$pid"
	wait "$pid" || rc=$?
	cat out
	[[ $rc == 130 && $(grep -c '^tamis: stopped' out) == 1 ]]
}

@test "^C while it starts, in a test, and under the policy: it is as before" {
	put_test 4-lasting "touch $PWD/begun.\$(cat $PWD/round)x\$TAMIS_PID" 'sleep 600'
	local before
	before=$(main_pid "$unit")
	echo 1 >round
	stopped_when other_pid "$unit" "$before"
	as_before
	echo 2 >round
	stopped_when eval 'compgen -G "begun.2x*"'
	as_before
	grep -q 'is in the store' out
	tamis show "$unit" --json | json_is '.calls | length > 20'
	put_test 4-lasting '[ ! -e '"$drop_in"' ] || exec sleep 600'
	stopped_when under_policy
	as_before
	# one that didn't run doesn't run then
	systemctl stop "$unit"
	stopped_when under_policy
	fails systemctl is-active "$unit"
	[[ ! -e $drop_in ]]
}

under_policy() {
	[[ -e $drop_in ]] && under "$unit" 2
}

@test "no such unit, a transient one, a timer: one line" {
	refuses 'no such unit' mined --unit vm-nothing
	systemd-run --unit vm-passing sleep 600
	refuses 'transient' mined --unit vm-passing
	refuses 'only a service' mined --unit apt-daily.timer
	as_before
}

@test "a container: its twin is mined, it goes on" {
	mkdir site
	echo ok >site/index.html
	pod_run_options=(--network none)
	pod_run vm-web -v "$PWD/site:/site:ro" "$image" httpd -f -p 80 -h /site
	local before
	before=$(pod inspect -f '{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' vm-web)
	rm tests/*
	put_test 1-index '[ "$(nsenter -n -t "$TAMIS_PID" busybox wget -q -O - http://127.0.0.1/)" = ok ]'
	put_test 2-none 'nsenter -n -t "$TAMIS_PID" busybox wget -q -O - http://127.0.0.1/none || exit 0; exit 1'
	mined --container vm-web --json -o policy.json >doc
	is '[.tests[] | .outcome == "pass" and .enforced.outcome == "pass" and .enforced.refused == []] == [true, true]'
	[[ $before == "$(pod inspect -f '{{.Id}} {{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' vm-web)" ]]
	[[ $(pod ps -aq | wc -l) == 1 ]]
	json_is '.syscalls | length > 0' <policy.json
}
