#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tamis mine --minimize of redis and nginx: what goes, what stays and why, ended in the middle and gone
# on with; the tests pass ten times under what comes out, and nobody keeps rights it would give up.
# shellcheck disable=SC2016 # variables of jq

load ../lib/base
load ../lib/pod
load ../lib/daemon
load ../lib/workloads
load ../lib/mined

setup_file() {
	export dir=$BATS_FILE_TMPDIR
	host_lock test-minimise
	pod_sweep tamis-test-min-
	mined_images redis nginx
}

teardown_file() {
	pod_sweep tamis-test-min-
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	port=$(free_port)
	site=$PWD/site
	mined_site "$site" "$port"
}

teardown() {
	[[ -z ${miner-} ]] || end_process "$miner" 60
	daemon_stop
	pod_remove tamis-test-min-run ${container:+"$container"}
}

# mine NAME "TEST..." [OPTION...]: minimised by some of its tests.
mine() {
	local name=$1 test option arguments=()
	mined_command "$name" "$port"
	for test in $2; do
		arguments+=(--tests "$ROOT/tests/mine/$name/tests/$test")
	done
	# shellcheck disable=SC2154
	for option in "${options[@]}"; do
		arguments+=(--podman-option "$option")
	done
	# shellcheck disable=SC2154
	${prefix-} "$TAMIS" mine "$image" --podman "podman ${pod_options[*]}" "${arguments[@]}" --state "$PWD/state" \
		--minimize --ready-port "$port" --json "${@:3}" -- "${command[@]}" 8>&-
}

# settled FILE: every call has its state and reason, and nothing that is to be kept is gone.
settled() {
	json_is '.calls | map(select(.minimised != null)) as $m | ($m | length) == length and
		($m | all(.minimised |
			(.state == "kept" and .why != null and .errno == null) or
			(.state == "needed" and .why != null and .errno == null) or
			(.state == "not needed" and (.errno == "ENOSYS" or .errno == "EPERM")) or
			(.state == "open")))' <"$1"
	json_is '[.calls[] | select(.minimised.state == "not needed") | .call] as $gone |
		["fcntl", "futex", "rt_sigaction", "rt_sigprocmask", "mprotect", "prctl", "execve", "exit_group",
		"setuid", "setgid", "setgroups", "geteuid", "wait4", "capget", "getrandom", "prlimit64", "fsync"] as $keep |
		($keep - ($keep - $gone)) == []' <"$1"
	json_is '[.calls[] | select(.call == "futex" or .call == "mprotect") | .minimised] ==
		[{ state: "kept", errno: null, why: "memory-protection" },
		{ state: "kept", errno: null, why: "locks" }]' <"$1"
}

# refused FILE PROFILE: the profile refuses what is gone, each with its errno, and allows what isn't.
refused() {
	jq -r '.calls[] | select(.minimised.state == "not needed") | "\(.call) \(.minimised.errno)"' "$1" >gone
	jq -r '.calls[] | select(.minimised.state == "needed") | .call' "$1" >needed
	"$TAMIS" run --policy "$2" -- true
	local call errno
	while read -r call errno; do
		json_is '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] |
			index($call) == null' --arg call "$call" <"$2"
		[[ $errno == ENOSYS ]] || json_is '[.syscalls[] | select(.action == "SCMP_ACT_ERRNO" and
			.errnoRet == 1) | .names[]] | index($call) != null' --arg call "$call" <"$2"
	done <gone
	while read -r call; do
		json_is '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] |
			index($call) != null' --arg call "$call" <"$2"
	done <needed
}

# serve NAME PROFILE: it runs under the profile.
serve() {
	mined_command "$1" "$port"
	pod run -d --name tamis-test-min-run "${options[@]}" --security-opt "seccomp=$2" "$image" \
		"${command[@]}" >/dev/null
	wait_for 60 workload_up "$1" "$port"
}

# tests_pass NAME TEST...
tests_pass() {
	local test
	for test in "${@:2}"; do
		TAMIS_HOST=127.0.0.1 TAMIS_PORT=$port "$ROOT/tests/mine/$1/tests/$test"
	done
}

decided() {
	(($(python3 - state/tamis.db <<-'END'
		import sqlite3, sys
		with sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True) as db:
		    print(db.execute("SELECT count(*) FROM minimised WHERE state IN (1, 3)").fetchone()[0])
	END
	) >= $1))
}

@test "redis: ended in the middle, gone on with, and ten times under the result" {
	local tests='10-strings 80-admin' rc=0
	{
		prefix="exec"
		mine redis "$tests" >first.json 2>first.log
	} &
	miner=$!
	wait_for 300 decided 4
	kill -TERM "$miner"
	wait "$miner" || rc=$?
	miner=
	((rc == 130))
	json_is '.why == "stopped" and .minimised_generation == null' <first.json

	mine redis "$tests" --minimize-time 20m -o redis.json >second.json 2>second.log
	settled second.json
	json_is '.why == null and .minimised_generation == .generation + 1' <second.json
	json_is '[.calls[] | select(.minimised.state == "open")] == []' <second.json
	json_is '[.calls[] | select(.minimised.state == "not needed")] | length >= 3' <second.json
	# What it said before it was ended stands, and nothing of it was tried again.
	jq '[.calls[] | select(.minimised.state == "needed")]' first.json >needed.json
	json_is '[.calls[] | { key: "\(.abi) \(.call)", value: .minimised }] | from_entries as $now |
		$needed[0] | all($now["\(.abi) \(.call)"] == .minimised)' --slurpfile needed needed.json \
		<second.json
	json_is '.score as $s | $s.minimised.calls < $s.mined.calls and
		$s.mined.calls < $s.default.calls' <second.json

	refused second.json redis.json
	serve redis redis.json
	for _ in {1..10}; do
		# shellcheck disable=SC2086
		tests_pass redis $tests
	done
	# A person sees who said it, and has the last word.
	"$TAMIS" show --state state redis | grep -qF 'denied by mining'
}

worker_users() {
	local master pid
	master=$(pod_pid tamis-test-min-run)
	for pid in $(pgrep -P "$master"); do
		awk '$1 == "Uid:" || $1 == "CapEff:" { printf "%s ", $2 }' "/proc/$pid/status"
	done
}

@test "nginx: within a time, and its workers are who they are to be" {
	mine nginx '10-pages 30-none' --minimize-time 60s -o nginx.json >out.json 2>log
	settled out.json
	json_is '.why == null and .minimised_generation != null' <out.json
	json_is '[.calls[] | select(.call == "setuid" or .call == "setgid" or .call == "setgroups" or
		.call == "geteuid") |
		.minimised.why] | unique == ["identity"]' <out.json
	refused out.json nginx.json
	serve nginx nginx.json
	# Two workers: uid, capabilities.
	[[ $(worker_users) == '33 0000000000000000 33 0000000000000000 ' ]]
	for _ in {1..10}; do
		tests_pass nginx 10-pages 30-none
	done
}

# Tests don't show all that a service does: what it did while a daemon watched stays.
@test "what was made outside of the tests is kept" {
	daemon_start "$PWD" --interval 0.2
	mined_command redis "$port"
	# Without a name of its own, as the one that is mined: the same workload.
	container=$(pod run -d "${options[@]}" "$image" "${command[@]}")
	wait_for 60 workload_up redis "$port"
	redis-cli -p "$port" save >/dev/null
	pod stop "$container" >/dev/null
	pod_remove "$container"
	daemon_stop
	mine redis 10-strings --minimize-time 60s >out.json 2>log
	settled out.json
	json_is '[.calls[] | select(.call == "bind" or .call == "listen" or .call == "accept4") |
		.minimised.why] | unique == ["made outside of the tests"]' <out.json
}
