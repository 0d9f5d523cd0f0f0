#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `tamis score` says of policy files and of a workload.
# shellcheck disable=SC2016 # variables of jq

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash

# policy NAME CALL...: a file that allows these.
policy() {
	local name=$1
	shift
	jq -n '{ defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 38,
		architectures: [ "SCMP_ARCH_X86_64" ],
		syscalls: [ { names: $ARGS.positional, action: "SCMP_ACT_ALLOW" } ] }' --args "$@" >"$name"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	policy plain.json read write exit_group execve
	policy splice.json read write exit_group execve splice
	policy both.json read splice sendfile
	policy debug.json read ptrace
}

score() {
	"$TAMIS" score --state "$PWD/none" "$@"
}

# The row of a policy in the table: calls, abis, blocked, execve, guarded.
row() {
	score "${@:2}" | awk -v name="$1" '$1 == name { print $2, $3, $4, $5, $6; exit }'
}

@test "a call alone keeps a hole open" {
	score splice.json | grep -qxF '  splice alone keeps CVE-2009-2692, CVE-2022-0847 reachable'
	score --json plain.json | json_is '.policies[0] | (.less | any(.call == "splice") | not) and
		(.more | map(select(.call == "splice")) == [{ abi: "x86_64", call: "splice", guarded: false,
		cves: ["CVE-2009-2692", "CVE-2022-0847"], first: null }])'
	# Two ways: neither alone.
	score --json both.json | json_is '.policies[0].less | any(.call == "splice") | not'
	score --json both.json | json_is '[.policies[0].open[].cve] | index("CVE-2022-0847") != null'
	score --json plain.json | json_is '[.policies[0].open[].cve] | index("CVE-2022-0847") == null'
}

@test "a guarded call that passes is named" {
	score debug.json | grep -qxF '  guarded calls that pass: ptrace'
	score debug.json | grep -qxF '  ptrace alone keeps CVE-2014-4699, CVE-2018-1000199, CVE-2019-13272 reachable'
	score --json debug.json | json_is '.policies[0] | .guarded == ["ptrace"] and .score.guarded == 1 and
		(.less[] | select(.call == "ptrace") | .guarded and (.cves | length) == 3)'
	score --json debug.json | json_is '.policies[0].more[] | select(.call == "bpf") | .guarded'
}

@test "two policies, the default, and no filter at all" {
	score plain.json debug.json >out
	awk 'NR == 1 { print $1, $2, $3, $4, $5, $6 } NR > 1 && $1 == "" { exit } NR > 1 { print $1 }
		NR == 5 { exit }' out >heads
	[[ $(head -1 heads) == "POLICY CALLS ABIS BLOCKED EXECVE GUARDED" ]]
	[[ $(sed -n 2,3p heads | paste -sd' ') == "plain.json debug.json" ]]
	[[ $(sed -n 5p out) == "no filter "* ]]
	score --json plain.json debug.json | json_is '
		(.policies | map(.policy)) == ["plain.json", "debug.json"] and
		(.policies | all(.workload == null and .score.of == ($none.of))) and
		.policies[0].score.calls == 4 and .policies[1].score.calls == 2' \
		--argjson none "$(score --json plain.json | jq .none)"
	# Nothing is worth less than nothing, and what is learned more than what is given to everyone.
	score --json splice.json | json_is '.none.blocked == 0 and .none.calls == .none.of and
		.default.blocked > 10 and .policies[0].score.blocked > .default.blocked and
		.policies[0].score.blocked < .policies[0].score.cves and
		.policies[0].score.cves == .none.cves and .default_name != ""'
}

@test "holes at a program's start are counted apart" {
	[[ $(row plain.json plain.json | cut -d' ' -f4) == 0/11 ]]
	[[ $(row debug.json debug.json | cut -d' ' -f4) == 11/11 ]]
	score --json plain.json | json_is '.policies[0].less | any(.call == "execve") | not'
}

@test "an ABI more is more ways" {
	jq '.architectures += ["SCMP_ARCH_X86"]' splice.json >wide.json
	[[ $(row wide.json wide.json | cut -d' ' -f2) == 2 ]]
	jq '.syscalls[0].names += ["socketcall"]' wide.json >door.json
	score --json door.json | json_is '[.policies[0].open[].cve] | index("CVE-2016-4997") != null'
	score --json wide.json | json_is '[.policies[0].open[].cve] | index("CVE-2016-4997") == null'
}

@test "a condition on flags closes what needs them" {
	jq '.syscalls += [{ names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0,
		value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] }]' plain.json >narrow.json
	jq '.syscalls[0].names += ["clone"]' plain.json >wide.json
	score --json narrow.json | json_is '[.policies[0].open[].cve] | index("CVE-2024-1086") == null'
	score --json wide.json | json_is '[.policies[0].open[].cve] | index("CVE-2024-1086") != null'
}

@test "a workload, and what list says of it" {
	export sensor_prefix=tamis-score-$$ daemon_dir=$BATS_TEST_TMPDIR/daemon
	local key
	daemon_start "$daemon_dir" --interval 0.2 --watch "/$sensor_prefix-*"
	cgroup_make some
	in_cgroup some "$O/tools/calls" 275 101 # splice, ptrace
	cgroup_remove some
	workload_settle some
	daemon_stop
	key=$(workload_key some)
	tamis score "$key" | grep -qE '^  splice alone keeps CVE.*2022-0847'
	tamis score --json "$key" >score.json
	json_is '.policies[0] | .workload == $key and .guarded == []' --arg key "$key" <score.json
	# What nobody allowed isn't in the policy, and list counts the same holes.
	json_is '.policies[0].more | any(.call == "ptrace")' <score.json
	tamis list --json | json_is '.workloads[0].score as $s | $score[0].policies[0].score |
		.blocked == $s.blocked and .cves == $s.cves' --slurpfile score score.json
	tamis list | grep -qF " $(jq -r '.policies[0].score | "\(.blocked)/\(.cves)"' score.json) "
	tamis allow "$key" ptrace
	tamis score --json "$key" | json_is '.policies[0].guarded == ["ptrace"]'
	cgroups_sweep
}

@test "what can't be scored is one line" {
	local rc=0
	echo '{ "defaultAction": 3 }' >bad.json
	score bad.json >out 2>err || rc=$?
	((rc == 1)) && [[ ! -s out && $(wc -l <err) == 1 ]] && grep -qF bad.json err
	rc=0
	score plain.json bad.json >out 2>err || rc=$?
	((rc == 1)) && [[ ! -s out && $(wc -l <err) == 1 ]]
	rc=0
	score nothing-there >out 2>err || rc=$?
	((rc == 1)) && [[ ! -s out && $(wc -l <err) == 1 ]]
	rc=0
	score >out 2>err || rc=$?
	((rc == 2)) && [[ $(wc -l <err) -le 2 ]]
}
