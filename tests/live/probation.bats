#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2154 # jq's variables; what the libraries set
# Probation for real: calls that nobody learned, made under podman and runc, answered by tamis-keeper,
# learned live or refused, and free at the next start. What was called is known from programs that say
# what each of their calls returned, and from the very filter that the container runs under.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/keeper.bash
load ../lib/probation.bash
load ../lib/workloads.bash

setup_file() {
	export prob_prefix=tamis-prob-$$
	export prob_image=localhost/$prob_prefix
	start_image "$prob_image" "$O/tools/calls"
	"$ROOT/tests/images/build" redis
}

teardown_file() {
	podman rmi -f "$prob_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
}

teardown() {
	daemon_stop || true
	pod_sweep "$prob_prefix"
	keeper_stop || true
	pod_cgroups_restore
}

# --- rules ------------------------------------------------------------------------------------

@test "learn: passes, is learned live with who made it, and asks no more at the next start" {
	local name=$prob_prefix-learn
	begin
	probation "$name"
	grep -qx geteuid "$name.asking"
	has_none "podman/$name" geteuid
	pod exec "$name" /calls -r 107 108 104 >out
	returned out 107 0
	returned out 108 0
	returned out 104 0
	wait_for 20 has_call "podman/$name" geteuid
	wait_for 20 has_call "podman/$name" getegid
	tamis show "podman/$name" --json | json_is 'any(.calls[]; .name == "geteuid" and .comm == "calls" and
		.exe == "/calls" and .pid > 1 and .first > now - 600)'
	# Without anybody's word.
	wait_for 40 has_generation "podman/$name" 2
	start_until "^podman/$name: in probation under generation " restart "$name"
	asking "$name" >after
	fails grep -qxE 'geteuid|getegid|getgid' after
	passing "$name" | grep -cxE 'geteuid|getegid|getgid' | grep -qx 3
	grep -qx getpgrp after
}

@test "ask: refused and pending until it is allowed, and refused again once it is denied" {
	local name=$prob_prefix-ask
	begin
	probation "$name" --rule ask
	pod exec "$name" /calls -r 107 108 >out
	returned out 107 -38
	returned out 108 -38
	wait_for 20 were_denied "podman/$name" 107 1
	tamis denials "podman/$name" --json | json_is 'any(.denials[]; .name == "geteuid" and .how == "asked" and
		.comm == "calls" and .exe == "/calls" and .count == 1)'
	tamis list >list
	grep -E "$name .*pending" list || { cat list; return 1; }
	tamis allow "podman/$name" geteuid --config "$PWD/conf"
	wait_for 10 answers "$name" 107 0
	pod exec "$name" /calls -r 108 107 >out
	returned out 108 -38
	returned out 107 0
	tamis deny "podman/$name" geteuid --config "$PWD/conf"
	wait_for 10 answers "$name" 107 -38
	has_none "podman/$name" getegid
}

# answers NAME NR VALUE: what a call returns there now.
answers() {
	pod exec "$1" /calls -r "$2" >answer && returned answer "$2" "$3"
}

@test "deny: refused, counted, and nobody is asked; what the engine refuses has its errno" {
	local name=$prob_prefix-deny
	begin "[probation podman/*]
rule = deny"
	probation "$name" --rule deny
	pod exec "$name" /calls -r 107 107 107 165 >out
	[[ $(grep -cx "$(uname -m) 107 -38" out) == 3 ]]
	returned out 165 -1
	wait_for 30 were_denied "podman/$name" 107 3
	[[ $(denied "podman/$name" denied) == 107 ]]
	has_none "podman/$name" geteuid
	tamis list >list
	fails grep -E "$name .*pending" list
}

# --- redis ------------------------------------------------------------------------------------

# redis_run NAME PORT
redis_run() {
	workload_command redis "$2"
	pod_run "$1" localhost/tamis-redis "${command[@]}"
	wait_for 20 workload_up redis "$2"
}

# redis_restart NAME PORT
redis_restart() {
	restart "$1"
	wait_for 20 workload_up redis "$2"
}

redis_says() {
	[[ $(redis-cli -p "$1" "${@:3}") == "$2" ]]
}

redis_info() {
	redis-cli -p "$1" info "$2" | tr -d '\r' | grep -qx "$3"
}

# redis_rare PORT: what its load never makes it do.
redis_rare() {
	redis_says "$1" OK config set save '3600 1'
	redis-cli -p "$1" bgsave
	wait_for 60 redis_info "$1" persistence rdb_bgsave_in_progress:0
	redis_info "$1" persistence rdb_last_bgsave_status:ok
	redis_says "$1" OK config set appendonly yes
	wait_for 60 redis_info "$1" persistence aof_rewrite_in_progress:0
	redis_info "$1" persistence aof_last_bgrewrite_status:ok
	redis_says "$1" OK config set appendonly no
}

# redis_rate PORT REQUESTS
redis_rate() {
	redis-benchmark -p "$1" -n "$2" -c 50 -t get --csv | awk -F'"' '$2 == "GET" { print $4 }'
}

@test "redis under full load: CONFIG SET and BGSAVE are learned live, none fails, the next start has them" {
	local name=$prob_prefix-redis twin=$prob_prefix-enforce port twin_port pid i
	begin
	port=$(free_port)
	redis_run "$name" "$port"
	twin_port=$(free_port)
	redis_run "$twin" "$twin_port"
	for i in "$name $port" "$twin $twin_port"; do
		redis_restart ${i}
		start_learned "podman/${i% *}"
		workload_load redis "${i#* }"
	done
	sleep 1
	apply "podman/$name" --mode probation
	apply "podman/$twin" --mode enforce --no-trial
	start_until "^podman/$name: in probation under generation 1" redis_restart "$name" "$port"
	start_until "^podman/$twin: started under generation 1" redis_restart "$twin" "$twin_port"
	asking "$name" | sort >asking
	called "podman/$name" >before

	redis-benchmark -p "$port" -q -n 400000 -c 50 -t get,set,lpush >load 2>&1 &
	pid=$!
	sleep 1
	redis_rare "$port"
	kill -0 "$pid" # in mid-run
	wait "$pid"
	fails grep -iE 'error|refused' load

	# What it did beyond what had been learned, and the filter had it ask for, is learned.
	wait_for 30 has_call "podman/$name" fsync || wait_for 1 has_call "podman/$name" fdatasync
	wait_for 30 has_call "podman/$name" rename
	called "podman/$name" | comm -13 before - >new
	numbers asking | comm -12 - new >learned.live
	[[ -s learned.live ]]
	say "redis: $(wc -l <learned.live) calls learned live"
	tamis denials "podman/$name" --json | json_is '.denials == []'
	tamis show "podman/$name" --json | json_is 'any(.calls[]; .name == "rename" and (.comm | startswith("redis")) and
		(.exe | test("redis")) and .pid > 1 and .first > now - 600)'

	# In pairs, for people to see: it shouldn't cost.
	for i in {1..5}; do
		echo "$(redis_rate "$port" 30000) $(redis_rate "$twin_port" 30000)"
	done >rates
	say "redis: requests/s, probation by enforce: $(awk '{ print $1 / $2 }' rates | sort -n |
		awk '{ v[NR] = $1 } END { printf "%.3f, median of %d pairs, %.3f to %.3f", v[int((NR + 1) / 2)], NR, v[1], v[NR] }')"

	wait_for 40 has_generation "podman/$name" 2
	wait_for 40 free_at_next "$name" "$port"
	redis_rare "$port"
	[[ $(pod inspect -f '{{.State.Running}}' "$name") == true ]]
}

# All that was learned live passes without being asked for after a restart.
free_at_next() {
	redis_restart "$1" "$2" || return
	asking "$1" >asking.next
	passing "$1" >passing.next
	[[ -z $(numbers asking.next | comm -12 - learned.live) ]] &&
		[[ -z $(numbers passing.next | comm -13 - learned.live) ]]
}

# --- the syscall program rests ------------------------------------------------------------------

# links: raw tracepoints that the daemon's programs are on.
links() {
	cat "/proc/$daemon_pid"/fdinfo/* 2>/dev/null | awk '$1 == "tp_name:" { print $2 }'
}

at_rest() {
	! links | grep -qx sys_enter
}

is_awake() {
	links | grep -qx sys_enter
}

# Others' containers keep it awake as long as they run.
@test "the syscall program rests while all that runs is in probation or enforce, and wakes for a start" {
	local name=$prob_prefix-rest twin=$prob_prefix-rest2 late=$prob_prefix-late
	begin
	is_awake
	probation "$name"
	pod_run "$twin" "$prob_image" sh -c "$loop"
	restart "$twin"
	start_learned "podman/$twin"
	apply "podman/$twin" --no-trial
	sleep 4
	is_awake # the other one is still under the engine's own
	start_until "^podman/$twin: started under generation" restart "$twin"
	wait_for 240 at_rest || { tamis list; links; return 1; }
	links | grep -qx cgroup_mkdir
	links | grep -qx sched_process_exec
	# The keeper goes on learning meanwhile.
	pod exec "$name" /calls -r 108 >out
	returned out 108 0
	wait_for 20 has_call "podman/$name" getegid
	at_rest
	# A start: whole, or told to be partial.
	pod_run "$late" "$prob_image" /calls 39 104 pace:600000 24
	wait_for 5 is_awake
	wait_for 20 has_call "podman/$late" nanosleep
	tamis show "podman/$late" --json >shown
	if json_is '.partial' <shown; then
		echo "# partial: $(jq -c '.lost? // .partial' shown)" >&3
	else
		called "podman/$late" >learned
		"$O/tools/calls" -n 39 104 pace:1 24 | awk '$2 != 231 { print $2 }' | sort -u >wanted
		diff wanted learned
	fi
	pod_remove "$late"
	wait_for 60 at_rest
}
