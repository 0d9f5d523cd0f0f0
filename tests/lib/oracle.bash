# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what base.bash, daemon.bash, pod.bash set
# Workloads that an oracle decides on. Needs base.bash, daemon.bash, pod.bash.

# oracle_row KEY FILTER: what `tamis oracle` says of it, as jq sees it.
oracle_row() {
	tamis oracle "$1" --json | jq -r ".oracles[0] | $2"
}

# oracle_is KEY STATE
oracle_is() {
	[[ $(oracle_row "$1" .state) == "$2" ]]
}

# oracle_loops KEY
oracle_loops() {
	oracle_row "$1" .loops
}

# oracle_settled KEY COMMAND...: the command succeeds, and no loop began meanwhile. It runs in any case:
# twins need their requests too.
oracle_settled() {
	local key=$1 before
	shift
	before=$(oracle_loops "$key")
	"$@" >/dev/null 2>&1 || return
	sleep 1 # a refused call is told a drain later
	oracle_is "$key" watching && [[ $(oracle_loops "$key") == "$before" ]]
}

# oracle_converges SECONDS KEY COMMAND...: until it does.
oracle_converges() {
	local end=$((SECONDS + $1))
	shift
	until oracle_settled "$@"; do
		((SECONDS <= end)) || { echo "$1 doesn't converge:"; tamis oracle "$1"; return 1; }
		sleep 0.2
	done
}

# generations_lack KEY NR...: numbers of this machine's ABI, in any of its generations.
generations_lack() {
	local key=$1 nr
	shift
	python3 "$ROOT/tests/lib/generations.py" "$daemon_dir/state/tamis.db" "$key" >generations || return
	[[ -s generations ]] || { echo "$key has no generation"; return 1; }
	for nr; do
		! grep -x "[0-9]* 0 $nr" generations || return 1
	done
}

# exports_lack KEY CALL...: what is known of it, in what it calls itself.
exports_lack() {
	local key=$1 call
	shift
	tamis export "$key" -f names -o lacks.names || return
	for call; do
		! grep -x "[^ ]* $call" lacks.names || return 1
	done
}

# policy_has KEY CALL...: what is in force lets it pass as learned.
policy_has() {
	local key=$1 call
	shift
	tamis export "$key" -f names -o has.names || return
	for call; do
		grep -qx "[^ ]* $call" has.names || { echo "$key: no $call"; return 1; }
	done
}
