# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # what tests/soak/run and the libraries set
# What the daemon watches in a soak: containers whose calls are known to the last one, redis, sessions in
# a container that is in probation.

stopping() {
	[[ -e $dir/stop ]]
}

# between A B: a random number of seconds, or until there is an end to it.
between() {
	local until=$((SECONDS + $1 + RANDOM % ($2 - $1 + 1)))
	while ((SECONDS < until)) && ! stopping; do
		sleep 0.5
	done
}

# Numbers that this kernel has no call for, each once: what a life calls no other one has called, so that
# nothing can make up for a loss. 0: another round.
numbers_shuffled() {
	{
		seq 337 423
		seq 481 559
		[[ $(uname -m) != x86_64 ]] || seq -f 'int80:%g' 481 559
	} | awk -v seed="$((seed * 1000 + $1))" 'BEGIN { srand(seed) } { print rand(), $1 }' | sort | cut -d ' ' -f 2
}

# life_tokens SLOT LIFE: for tests/tools/calls. A few numbers, some seconds apart, by one process or more.
life_tokens() {
	local all n first i nr
	mapfile -t all <"$dir/slots/$1"
	n=$((${#all[@]} * 25 / (time + 25)))
	((n = n < 1 ? 1 : n > 8 ? 8 : n))
	((first = $2 * n))
	printf '104 pace:%d ' $((10000 / n + RANDOM % (30000 / n)))
	for ((i = first; i < first + n; i++)); do
		nr=${all[i % ${#all[@]}]}
		printf '%s ' "$nr"
		case $((RANDOM % 6)) in
		0) printf 'fork ' ;;
		1) printf 'exec ' ;;
		esac
	done
}

slot_bundle() {
	mkdir -p "$dir/bundles/$1"
	jq --arg root "$dir/root" '.process.args = ["/calls"] + $ARGS.positional | .process.terminal = false |
		.process.rlimits = [] | .root = { path: $root, readonly: true } | del(.linux.resources)' \
		--args -- "${@:2}" <"$dir/spec/config.json" >"$dir/bundles/$1/config.json"
}

# slot_run SLOT TOKEN...: one life, until it ends by itself. $life is its number.
slot_run() {
	local name=$prefix-$1
	if ((10#$1 < pods)); then
		pod run --rm --name "$name" --cidfile "$dir/cids/$1.$life" "${pod_run_options[@]}" --security-opt seccomp=unconfined "$image" \
			/calls "${@:2}"
	else
		slot_bundle "$1" "${@:2}"
		runc run --bundle "$dir/bundles/$1" "$name"
	fi
}

slot_key() {
	((10#$1 < pods)) && echo "podman/$prefix-$1" || echo "oci/$prefix-$1"
}

# slot SLOT: lives without an end. What one has called is wanted when it has ended well.
slot() {
	local life tokens rc started
	sleep "$((RANDOM % 10)).$((RANDOM % 10))"
	for ((life = 0; ; life++)); do
		stopping && return
		read -r -a tokens < <(life_tokens "$1" "$life")
		rc=0 started=$EPOCHSECONDS
		slot_run "$1" "${tokens[@]}" || rc=$?
		echo "$life $rc $started $EPOCHSECONDS ${tokens[*]}" >>"$dir/lives/$1"
		((rc != 0)) || "$O/tools/calls" -n "${tokens[@]}" | sed "s/^/$life /" >>"$dir/calls/$1"
	done
}

redis_start() {
	redis_port=$(free_port)
	pod_run "$prefix-redis" localhost/tamis-redis redis-server --port "$redis_port" --bind 127.0.0.1 \
		--save '' --dir /tmp
	wait_for 60 port_open "$redis_port" || return
	# shellcheck disable=SC2034 # the verdict's
	redis_pid=$(pod_pid "$prefix-redis")
}

redis_load() {
	until stopping; do
		nice redis-benchmark -p "$redis_port" -t set,get,lpush,lrange_100 -n 5000 -c 20 -q || echo failed
		sleep 1
	done
}

# One container in probation, and the numbers that its filter asks for.
asking_start() {
	keeper_start "$dir"
	printf '[apply]\nkeeper = %s\n' "$keeper_socket" >"$dir/conf"
	daemon_again
	start_install "$dir/hooks"
	probation "$prefix-asks" || return
	numbers "$prefix-asks.asking" | awk '$1 > 340 || $1 == 104 || $1 == 107 || $1 == 108' >"$dir/candidates"
	: >"$dir/asked"
	pod_options=("${pod_options[@]:0:${#pod_options[@]}-2}") # other containers start without us
}

# Sessions by a program that nobody has seen there: every call is the keeper's to answer.
sessions() {
	local nr
	while read -r nr; do
		! stopping || return
		if timeout 300 podman "${pod_options[@]}" exec "$prefix-asks" /calls -r "$nr"; then
			echo "$nr" >>"$dir/asked"
		else
			echo "failed: $nr"
		fi
		between 1 $((time / 60 + 2))
	done < <(shuf --random-source=<(yes "$seed") "$dir/candidates")
}

load_prepare() {
	local i
	mkdir "$dir/root" "$dir/spec"
	mkdir "$dir/root"/{proc,sys,dev}
	cp "$O/tools/calls" "$dir/root"
	(cd "$dir/spec" && runc spec)
	for ((i = 0; i < slots; i++)); do
		numbers_shuffled "$i" >"$dir/slots/$(printf %02d "$i")"
	done
	asking_start && redis_start
}

load_start() {
	local i
	for ((i = 0; i < slots; i++)); do
		job "slot$i" slot "$(printf %02d "$i")"
	done
	job redis redis_load
	job sessions sessions
}

# Every life ends by itself.
load_stop() {
	local pid
	touch "$dir/stop"
	for pid in "${jobs[@]}"; do
		wait "$pid"
	done
	jobs=()
}
