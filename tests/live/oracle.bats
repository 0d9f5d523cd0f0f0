#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # a container's own shell; what bats and the libraries set
# The oracle's loop with real containers: production is a shell that makes the calls it is asked for, by
# numbers in a file; its twin finds the same file. What is between them may go wrong at any step.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash
load ../lib/oracle.bash

setup_file() {
	export prefix=tamis-loop-$$
	export image=localhost/$prefix
	start_image "$image" "$O/tools/calls"
}

teardown_file() {
	podman rmi -f "$image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	printf '[oracle]\ntrace=%s\n' "$PWD/trace" >conf
	hold_bpffs
}

teardown() {
	daemon_stop || true
	pod_sweep "$prefix"
	pod_sweep "tamis-oracle-$prefix"
	end_process "$holder"
	pod_cgroups_restore
}

# --- the daemon: it may be killed, its pins are held ----------------------------------------------

# Its own mount namespace is the host's, since what podman mounts for it has to be there for others too.
hold_bpffs() {
	mkdir bpf d
	unshare -m --propagation private sh -c \
		'mount -t bpf tamis "$1" && : >"$1.mounted" && exec sleep 3000' sh "$PWD/bpf" 3>&- 8>&- &
	holder=$!
	wait_for 10 test -e bpf.mounted
}

observes_again() {
	[[ $(grep -c 'ready: ' d/log) -gt $1 ]]
}

# daemon_begin [COMMAND that runs it...]
daemon_begin() {
	local before
	export daemon_dir=$PWD/d
	before=$(grep -c 'ready: ' d/log 2>/dev/null) || before=0
	"$@" "$TAMIS" daemon --config "$PWD/conf" --state "$PWD/d/state" \
		--bpffs "/proc/$holder/root$PWD/bpf/tamis" --interval 0.2 --unit 2 >>d/log 2>&1 </dev/null 3>&- 8>&- &
	daemon_pid=$!
	wait_for 30 observes_again "$before"
}

daemon_kill() {
	local pid=$daemon_pid
	daemon_pid=
	[[ -n $pid ]]
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || true
}

# --- production --------------------------------------------------------------------------------------

# What it does all day, and, as soon as there is a file of requests, those calls; NAME.out has what they
# returned.
service='while :; do
	: >/ctl/alive
	[ ! -e /ctl/die ] || exit 3
	[ -e /ctl/req ] && /calls -r $(cat /ctl/req) >/ctl/new && cat /ctl/new >/ctl/out
	sleep 0.1
	/calls noise:0 39
done'

alive() {
	rm -f "$1.ctl/alive"
	wait_for 5 test -e "$1.ctl/alive"
}

# What a sanitizer would be told: nobody can be sure then that the twin has none.
maybe_sanitized=(-e ASAN_OPTIONS=abort_on_error=1)
begin_options=() # more of podman's

# begin NAME [OPTION...]: observed for a while, then with an oracle that begins from that.
begin() {
	local name=$1
	shift
	mkdir -p "$name.ctl"
	pod_run "$name" "${begin_options[@]}" --stop-signal KILL -v "$PWD/$name.ctl:/ctl" "$image" sh -c "$service"
	start_learned "podman/$name"
	echo 39 >"$name.ctl/req"
	wait_for 20 test -s "$name.ctl/out"
	rm "$name.ctl/req" "$name.ctl/out"
	alive "$name"
	sleep 1 # what a drain brings
	tamis oracle "podman/$name" --hardened "$image" --window 1s --config conf "$@"
	wait_for 30 oracle_is "podman/$name" watching
	wait_for 20 alive "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
}

# request NAME NUMBER...
request() {
	local name=$1
	shift
	rm -f "$name.ctl/out"
	echo "$*" >"$name.ctl/req.new"
	mv "$name.ctl/req.new" "$name.ctl/req"
}

# served NAME: what was asked for passes in production, which runs under a filter.
served() {
	oracle_is "podman/$1" watching || return
	rm -f "$1.ctl/out"
	wait_for 3 test -s "$1.ctl/out" || return
	! grep -q -- ' -38$' "$1.ctl/out" && oracle_is "podman/$1" watching &&
		[[ $(seccomp_mode "$(pod_pid "$1")") == 2 ]]
}

# verdicts NAME VERDICT: their numbers.
verdicts() {
	oracle_row "podman/$1" ".calls[] | select(.verdict == \"$2\") | .nr" | sort -n
}

has_verdict() {
	verdicts "$1" "$2" | grep -qx "$3"
}

# In the generation that is in force.
has_in_force() {
	jq -r '.generation.learned.workload.x86_64[]' "d/state/applied/podman/$1.json" | grep -qx "$2"
}

lacks_in_force() {
	[[ -s d/state/applied/podman/$1.json ]] || return
	! has_in_force "$@"
}

# traced STATE COUNT: it was entered so often.
traced() {
	[[ $(grep -c "^$1 " trace 2>/dev/null) -ge $2 ]]
}

traces() {
	grep -c "^$1 " trace 2>/dev/null || true
}

no_twins_row() {
	tamis list --json | json_is "all(.workloads[]; .key != \"podman/tamis-oracle-$1\")"
}

no_twin() {
	! podman container exists "tamis-oracle-$1"
}

# --- the loop ------------------------------------------------------------------------------------------

@test "a refused call is learned from the twin, and the same question isn't asked again" {
	local name=$prefix-one loops
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	[[ $(oracle_row "podman/$name" .loops) == 0 ]]
	oracle_row "podman/$name" .saved | grep -qx '[1-9][0-9]*'
	request "$name" 107 108
	wait_for 60 served "$name"
	has_verdict "$name" learned 107
	has_in_force "$name" geteuid
	has_in_force "$name" getegid
	no_twin "$name"
	# The twin isn't a workload any more.
	wait_for 20 no_twins_row "$name"
	loops=$(oracle_loops "podman/$name")
	sleep 3
	[[ $(oracle_loops "podman/$name") == "$loops" ]]
	# For people, too.
	tamis oracle | grep -q "podman/$name *watching"
	tamis oracle "podman/$name" | grep -qE 'geteuid +learned +1 '
	# Its end: what was learned stays in force.
	tamis oracle "podman/$name" --stop
	run tamis oracle "podman/$name"
	[[ $status == 1 && $output == *'has no oracle'* ]]
	pod restart -t 0 "$name"
	wait_for 20 alive "$name"
	has_in_force "$name" geteuid
}

@test "a guarded call is rejected at once, production goes on" {
	local name=$prefix-guard pid
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	pid=$(pod_pid "$name")
	request "$name" 101
	wait_for 30 has_verdict "$name" rejected 101
	grep -q "podman/$name: oracle: rejected.*ptrace" d/log
	[[ $(pod_pid "$name") == "$pid" && $(oracle_loops "podman/$name") == 0 ]]
	tamis denials "podman/$name" | grep -q 'ptrace.*rejected'
	# Nor by a later loop, whatever the twin does.
	request "$name" 101 107
	wait_for 60 has_verdict "$name" learned 107
	has_in_force "$name" geteuid
	lacks_in_force "$name" ptrace
	has_verdict "$name" rejected 101
	# A person's word counts, from the next generation on.
	tamis allow "podman/$name" ptrace
	request "$name" 101 107
	wait_for 60 has_in_force "$name" ptrace
}

@test "a twin that never comes up: production is back, nothing is learned, and the loop backs off" {
	local name=$prefix-broken
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap --hardened '/bin/sh -c "exit 3"'
	request "$name" 107
	wait_for 60 grep -q 'the next loop waits' d/log
	oracle_is "podman/$name" resting
	grep -q "podman/$name: oracle: loop 1: nothing learned: the twin didn't stay: it ended with status 3" d/log
	wait_for 20 alive "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	[[ -z $(verdicts "$name" learned)$(verdicts "$name" rejected) ]]
	grep -q 'the next loop waits 5 s' d/log
	wait_for 60 grep -q 'loop 2: nothing learned' d/log
	wait_for 60 grep -q 'the next loop waits 10 s' d/log
	oracle_is "podman/$name" resting
	no_twin "$name"
	lacks_in_force "$name" geteuid
}

@test "production that ends without a refused call on record is started again, or left alone by who stopped it" {
	local name=$prefix-dies
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	: >"$name.ctl/die"
	wait_for 30 grep -q "podman/$name: oracle: production ended with status 3, and no refused call is on record: it is started again in 5 s" d/log
	rm "$name.ctl/die"
	wait_for 60 alive "$name"
	wait_for 60 oracle_is "podman/$name" watching
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 && $(oracle_loops "podman/$name") == 0 ]]
	[[ $(start_said -c "^podman/$name: started") == 2 ]]
	# A person's stop is one.
	pod stop -t 0 "$name"
	sleep 6
	oracle_is "podman/$name" watching
	run pod_pid "$name"
	[[ $status != 0 ]]
}

@test "no more loops within an hour than wanted" {
	local name=$prefix-cap
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap --per-hour 1
	request "$name" 107
	wait_for 60 served "$name"
	request "$name" 108
	wait_for 60 oracle_is "podman/$name" resting
	oracle_row "podman/$name" .why | grep -q '^1 loops within an hour'
	wait_for 20 alive "$name"
	[[ $(oracle_loops "podman/$name") == 1 ]]
}

@test "what is refused while production is being exchanged belongs to the loop" {
	local name=$prefix-swap
	begin_options=("${maybe_sanitized[@]}")
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	# sched_getaffinity and readlinkat are what sanitizers call for themselves: only what was asked for
	# in this loop counts.
	echo stop >trace.hold
	request "$name" 107
	wait_for 30 traced stop 1
	request "$name" 107 204
	wait_for 30 sh -c '"$0" denials --state "$1" | grep -q sched_getaffinity' "$TAMIS" "$PWD/d/state"
	request "$name" 107 204 267
	wait_for 30 sh -c '"$0" denials --state "$1" | grep -q readlinkat' "$TAMIS" "$PWD/d/state"
	rm trace.hold
	wait_for 60 served "$name"
	[[ $(oracle_loops "podman/$name") == 1 ]]
	has_verdict "$name" learned 267
	has_verdict "$name" learned 204
}

@test "what sanitizers call for themselves is taken off where the twin may have one" {
	local one=$prefix-plain two=$prefix-san
	local -r twin='/bin/sh -c "/calls 107 204 267 && sleep 1000"'
	daemon_begin
	start_install "$PWD/hooks"
	# What isn't known of a twin by its end is in doubt, and taken off: time enough to know it.
	begin "$one" --bootstrap --hardened "$twin" --window 4s
	begin_options=("${maybe_sanitized[@]}")
	begin "$two" --bootstrap --hardened "$twin" --window 4s
	request "$one" 107
	request "$two" 107
	wait_for 60 served "$one"
	wait_for 60 served "$two"
	has_in_force "$one" sched_getaffinity
	has_verdict "$one" learned 267
	lacks_in_force "$two" sched_getaffinity
	run has_verdict "$two" learned 267
	[[ $status != 0 ]]
}

@test "two at once" {
	local one=$prefix-a two=$prefix-b
	daemon_begin
	start_install "$PWD/hooks"
	begin "$one" --bootstrap
	begin "$two" --bootstrap
	request "$one" 107
	request "$two" 108
	wait_for 90 served "$one"
	wait_for 90 served "$two"
	has_verdict "$one" learned 107
	has_verdict "$two" learned 108
	lacks_in_force "$one" getegid
	lacks_in_force "$two" geteuid
}

# In a mount namespace that production was not mounted in; what it takes is a race there, so thrice.
@test "production's first start is one, wherever the daemon sees mounts from" {
	local name
	daemon_begin unshare -m --propagation private
	start_install "$PWD/hooks"
	for name in "$prefix-once-"{a,b,c}; do
		begin "$name" --bootstrap
		[[ $(start_said -c "^podman/$name: ") == 1 ]] || { start_lines; return 1; }
		[[ $(grep -cx "start podman/$name" trace) == 1 ]]
		pod_remove "$name"
	done
}

# --- killed ----------------------------------------------------------------------------------------------

@test "kill -9 of the daemon at every state: production comes back, with what was learned" {
	local name=$prefix-kill state nr=0 number
	local -r numbers=(107 108 104 146 147 145 143)
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	request "$name" 101
	wait_for 30 has_verdict "$name" rejected 101
	for state in watch stop twin window untwin judge start; do
		number=${numbers[nr++]}
		echo "state $state, call $number"
		local before
		before=$(traces "$state")
		echo "$state" >trace.hold
		request "$name" "$number"
		if [[ $state == watch ]]; then
			wait_for 30 sh -c '"$0" denials --state "$1" | grep -q geteuid' "$TAMIS" "$PWD/d/state"
		else
			wait_for 60 traced "$state" $((before + 1))
		fi
		daemon_kill
		rm trace.hold
		daemon_begin
		wait_for 90 served "$name" || { tail -n 30 d/log; tamis oracle "podman/$name"; return 1; }
		has_verdict "$name" learned "$number"
		no_twin "$name"
	done
	# Nothing of it is lost, nothing that was rejected came in.
	request "$name" "${numbers[@]}"
	wait_for 30 served "$name"
	for number in "${numbers[@]}"; do
		has_verdict "$name" learned "$number"
	done
	has_verdict "$name" rejected 101
	lacks_in_force "$name" ptrace
	[[ $(sqlite3 d/state/tamis.db 'PRAGMA integrity_check') == ok ]]
}

@test "kill -9 of the daemon at any time" {
	local name=$prefix-any number
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	for number in 107 108 104 146; do
		request "$name" "$number"
		for _ in 1 2 3; do
			sleep "$((RANDOM % 2)).$((RANDOM % 10))"
			daemon_kill
			daemon_begin
		done
		wait_for 120 served "$name" || { tail -n 30 d/log; tamis oracle "podman/$name"; return 1; }
	done
	request "$name" 107 108 104 146
	wait_for 60 served "$name"
	no_twin "$name"
}

@test "a daemon that is stopped in the middle of a loop brings production back first" {
	local name=$prefix-term
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	echo window >trace.hold
	request "$name" 107
	wait_for 60 traced window 1
	run pod_pid "$name"
	[[ $status != 0 ]]
	kill -TERM "$daemon_pid"
	wait_for 40 gone "$daemon_pid"
	daemon_pid=
	pod_pid "$name"
	wait_for 20 alive "$name"
	no_twin "$name"
	rm trace.hold
	daemon_begin
	wait_for 90 served "$name"
}

# --- rules and words ------------------------------------------------------------------------------------

@test "a rule of the configuration begins one, and ends it when it is gone" {
	local name=$prefix-rule
	mkdir "$name.ctl"
	printf '[oracle podman/%s]\nhardened=%s\nwindow=1s\nbootstrap=yes\n' "$name" "$image" >>conf
	daemon_begin
	start_install "$PWD/hooks"
	pod_run "$name" --stop-signal KILL -v "$PWD/$name.ctl:/ctl" "$image" sh -c "$service"
	wait_for 60 oracle_is "podman/$name" watching
	grep -q "podman/$name: oracle: begun by \[oracle podman/$name\]" d/log
	request "$name" 107
	wait_for 90 served "$name"
	run tamis oracle "podman/$name" --stop
	[[ $status == 1 && $output == *'by a rule'* ]]
	daemon_stop
	printf '[oracle]\ntrace=%s\n' "$PWD/trace" >conf
	daemon_begin
	wait_for 30 sh -c '! "$0" oracle --state "$1" | grep -q podman/' "$TAMIS" "$PWD/d/state"
	alive "$name"
}

@test "who can't have one is told why" {
	local name=$prefix-no
	daemon_begin
	start_install "$PWD/hooks"
	run tamis oracle "podman/$name" --hardened "$image"
	[[ $status == 1 && $output == *"podman/$name"* ]]
	pod_run "$name" --rm "$image" sleep 1000
	start_learned "podman/$name"
	run tamis oracle "podman/$name" --hardened "$image"
	[[ $status == 1 && $output == *'--rm'* ]]
	run tamis oracle "podman/$name" --hardened "$image" --container "$prefix-none"
	[[ $status == 1 && $output == *'no container'* ]]
	pod_remove "$name"
	podman --runtime runc --cgroup-manager cgroupfs run -d --name "$name" "${pod_run_options[@]}" "$image" \
		sleep 1000
	sleep 1
	run tamis oracle "podman/$name" --hardened "$image"
	[[ $status == 1 && $output == *'no way into its starts'* ]]
}

@test "--json has the keys that the man page names" {
	local name=$prefix-json
	daemon_begin
	start_install "$PWD/hooks"
	begin "$name" --bootstrap
	request "$name" 107
	wait_for 60 served "$name"
	tamis oracle "podman/$name" --json | jq -r '[paths | select(.[-1] | type == "string") |
		map(if type == "string" then "." + . else "[]" end) | join("") | ltrimstr(".")] | unique[]' |
		sort >keys
	[[ -s keys ]]
	awk '/^\.Sh / { json = $2 == "JSON"; ours = 0; next }
		/^\.Ss / { ours = json && $2 == "oracle"; next }
		ours && /^\.It / { sub(/^\.It /, ""); n = split($0, key, / , /)
			for (i = 1; i <= n; i++) print key[i] }' "$ROOT/user/man/tamis.1" | sort >documented
	diff keys documented
}
