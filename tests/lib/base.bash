# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests and the demonstration: where things are, waiting, ports.

PATH=$PATH:/usr/sbin:/sbin
ROOT=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
O=$(cd "$ROOT" && realpath -m "${O:-build}")
TAMIS=${TAMIS:-$O/tamis}

# wait_for SECONDS COMMAND...: until it succeeds; fails after SECONDS (WAIT_FACTOR times as many on
# a slow machine).
wait_for() {
	local end=$((SECONDS + $1 * ${WAIT_FACTOR:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS <= end)) || return 1
		sleep 0.05
	done
}

# json_is FILTER [JQ_OPTION...]: true of the one JSON text on standard input. jq -e alone says yes to
# none at all (1.6).
json_is() {
	[[ $(jq "${@:2}" "$1") == true ]]
}

# fails COMMAND...: where bats would let "! COMMAND" pass whatever comes of it.
fails() {
	! "$@"
}

port_open() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A loopback port that nobody listens on now.
free_port() {
	local port
	while :; do
		port=$((20000 + RANDOM % 10000))
		port_open "$port" || break
	done
	echo "$port"
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# end_process PID [SECONDS]: TERM, and KILL when it doesn't listen.
end_process() {
	kill -TERM "$1" 2>/dev/null || return 0
	kill -CONT "$1" 2>/dev/null || true
	wait_for "${2:-10}" gone "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null || true
}

# The mount of cgroup v2: the whole tree, or the "unified" part of a hybrid one.
cgroup2_mount() {
	awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break } $(i + 1) == "cgroup2" && $4 == "/" { print $5; exit }' \
		/proc/self/mountinfo
}

# host_lock NAME: held by this process until it ends. Containers' names are one set per host, so
# two runs (of two clones, say) wait for each other. Descriptor 8: close it for what outlives us.
host_lock() {
	exec 8>"/tmp/.tamis-$1.lock"
	flock 8
}
