# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154 # jq's variables; what base.bash and the others set
# Workloads in probation under podman, with a keeper and a daemon of ours: what asks, what passes,
# what was learned or refused. Needs base.bash, daemon.bash, pod.bash, start.bash, keeper.bash;
# `prob_prefix` begins containers' names, `prob_image` has busybox and the program calls.

loop='while :; do sleep 0.1; done'

# begin [RULES]: a keeper, as much before others as its unit has it, a daemon, podman's hook.
begin() {
	keeper_start "$PWD/d"
	renice -n -10 -p "$keep_pid" "$(keeper_pid)" >/dev/null
	printf '[apply]\nkeeper = %s\n%s\n' "$keeper_socket" "${1-}" >conf
	daemon_again
	start_install "$PWD/hooks"
}

daemon_again() {
	daemon_start "$PWD/d" --config "$PWD/conf" --interval 0.2 --unit 2
}

restart() {
	pod restart -t 0 "$1" >/dev/null
}

# apply KEY [OPTION...]
apply() {
	tamis apply "$1" --config "$PWD/conf" "${@:2}"
}

# What a shell needs besides, of which some would try for ever without: `wait` sleeps (rt_sigsuspend)
# only when the child is still there.
lesson='x=$(/calls -r 39); : >/tmp/x; sleep 1 & wait'

# probation NAME [OPTION...]: learned in one whole start and a session, then started in probation.
probation() {
	local name=$1
	shift
	podman container exists "$name" || pod_run "$name" "$prob_image" sh -c "$loop"
	restart "$name"
	start_learned "podman/$name"
	pod exec "$name" sh -c "$lesson"
	wait_for 20 has_call "podman/$name" getpid
	apply "podman/$name" --mode probation "$@"
	start_until "^podman/$name: in probation under generation " restart "$name"
	[[ $(seccomp_mode "$(pod_pid "$name")") == 2 ]]
	asking "$name" >"$name.asking"
	[[ $(wc -l <"$name.asking") -gt 100 ]]
}

# asking NAME: names that the filter it runs under asks for. passing NAME: those that it lets through.
asking() {
	spec_names "$1" SCMP_ACT_NOTIFY
}

passing() {
	spec_names "$1" SCMP_ACT_ALLOW
}

spec_names() {
	jq -r --arg action "$2" '.linux.seccomp.syscalls[] | select(.action == $action) | .names[]' \
		"$(pod inspect -f '{{.OCIConfigPath}}' "$1")" | sort -u
}

# numbers FILE...: of names, in this kernel's own ABI, a line each.
numbers() {
	awk 'FILENAME == ARGV[1] { if (!/^#/) nr[$2] = $1; next } $1 in nr { print nr[$1] }' \
		"$ROOT/user/model/calls/$(uname -m).tbl" "$@" | sort -u
}

# has_call KEY NAME [ABI]: it is in the store, learned.
has_call() {
	tamis show "$1" --json | json_is 'any(.calls[]; .name == $name and .abi == $abi)' \
		--arg name "$2" --arg abi "${3-$(uname -m)}"
}

has_none() {
	! has_call "$@"
}

# called KEY: numbers that the store has of it, workload's and sessions', of the native ABI.
called() {
	tamis show "$1" --json | jq -r --arg abi "$(uname -m)" '.calls[] |
		select(.abi == $abi and (.stage == "workload" or .stage == "session")) | .nr' | sort -u
}

# denied KEY KIND: numbers of its refused calls.
denied() {
	tamis denials "$1" --json | jq -r --arg kind "$2" '.denials[] | select(.how == $kind) | .nr' | sort -u
}

# denied_times KEY NR: how often.
denied_times() {
	tamis denials "$1" --json | jq --argjson nr "$2" '[.denials[] | select(.nr == $nr) | .count] | add // 0'
}

were_denied() {
	(($(denied_times "$1" "$2") >= $3))
}

# returned FILE NR VALUE: as `calls -r` said.
returned() {
	grep -qx "$(uname -m) $2 $3" "$1" || { echo "not: $2 returned $3, but:"; grep " $2 " "$1"; return 1; }
}

has_generation() {
	tamis history "$1" --json | json_is 'any(.generations[]; .number >= $n)' --argjson n "$2"
}

# For people who watch the tests run.
say() {
	echo "# $*" >&3
}
