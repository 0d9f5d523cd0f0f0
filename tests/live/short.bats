#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Lives of some milliseconds, by the thousand: none is missed, and nothing is kept of the dead.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/growth.bash
load ../lib/sensor.bash

# One static program; bundles that differ in what it calls.
setup_file() {
	export short_prefix=tamis-short-$$ bundle_cnt=20
	export short_image=localhost/$short_prefix
	local i
	mkdir -p "$BATS_FILE_TMPDIR/root"/{proc,sys,dev,etc,tmp}
	cp "$O/tools/calls" "$BATS_FILE_TMPDIR/root/brief"
	mkdir "$BATS_FILE_TMPDIR/base"
	(cd "$BATS_FILE_TMPDIR/base" && runc spec)
	for ((i = 0; i < bundle_cnt; i++)); do
		bundle "$i"
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_run_options+=(--security-opt seccomp=unconfined)
}

teardown() {
	[[ -z ${lives_pid-} ]] || end_process "$lives_pid"
	daemon_stop || true
	runc list -q | grep "^$short_prefix-" | xargs -r -n 1 runc delete -f || true
	podman ps -aq --filter "ancestor=$short_image" | xargs -r podman rm -f -t 0 >/dev/null 2>&1 || true
	podman rmi -f "$short_image" >/dev/null 2>&1 || true
	[[ -z ${pod_parents+x} ]] || pod_cgroups_restore
}

# tokens I: what the program of bundle I calls; it sleeps a millisecond after each.
tokens() {
	echo pace:1 480 $((500 + $1)) $((530 + $1 % 7)) fork $((540 + $1 % 5))
}

# bundle I: in the file's directory.
bundle() {
	local dir=$BATS_FILE_TMPDIR/bundle.$1
	mkdir "$dir"
	# shellcheck disable=SC2046
	jq --arg root "$BATS_FILE_TMPDIR/root" '.process.args = ["/brief"] + $ARGS.positional |
		.process.terminal = false | .process.rlimits = [] | .root.path = $root' \
		--args $(tokens "$1") <"$BATS_FILE_TMPDIR/base/config.json" >"$dir/config.json"
}

# runc_many FIRST COUNT NAMES: containers PREFIX-N., N from FIRST, two at a time. A name comes again
# after NAMES of them (a store keeps 1,000 workloads of bare runc), with the same bundle.
# shellcheck disable=SC2016
runc_many() {
	seq "$1" $(($1 + $2 - 1)) | xargs -P 2 -n 1 bash -c \
		'n=$(($5 % $1)); runc run --bundle "$3/bundle.$((n % $4))" "$2-$n." </dev/null || exit 255' \
		runc "$3" "$short_prefix" "$BATS_FILE_TMPDIR" "$bundle_cnt"
}

# ours FILTER: on our workloads' rows.
ours() {
	tamis list --json | jq --arg ours "$short_prefix" \
		"[.workloads[] | select(.key | contains(\$ours))] | $1"
}

# all_whole NAMES LIVES: so many workloads of runc, each gone, of so many lives, nothing missing.
all_whole() {
	[[ $(ours 'map(select(.engine == "oci" and .state == "gone" and (.partial | not) and
		.instances == '"$2"' and .starts == '"$2"')) | length') == "$1" ]]
}

@test "2,000 containers of some ms: identity and complete sets, and nothing is kept of the dead" {
	local unit=3 names=500 warm=200 all=2000 rss entries began cpu i
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.5 --unit "$unit"
	"$O/tools/lives" brief >lives 3>&- &
	lives_pid=$!
	runc_many 0 "$warm" "$names"
	wait_for 60 all_whole "$warm" 1
	rest
	rss=$(rss_kib) entries=$(map_entries) cpu=$(cpu_ms) began=$SECONDS
	runc_many "$warm" $((all - warm)) "$names"
	say "$((all - warm)) containers in $((SECONDS - began)) s"
	wait_for 60 all_whole "$names" $((all / names)) || {
		ours 'map(select(.partial or .starts != 4 or .state != "gone"))'
		return 1
	}
	end_process "$lives_pid"
	lives_pid=
	say "$(cat lives)"
	rest
	say "daemon: VmRSS $rss KiB, then $(rss_kib) KiB; $(($(cpu_ms) - cpu)) ms of CPU"
	no_larger "$rss" "$entries"
	mkdir wanted got
	for ((i = 0; i < names; i++)); do
		# shellcheck disable=SC2046
		"$O/tools/calls" -n $(tokens $((i % bundle_cnt))) >"wanted/$short_prefix-$i."
		tamis export "oci/$short_prefix-$i." -f names --stage workload -o "got/$short_prefix-$i."
	done
	sysset many wanted got
}

# Those that it saw from their beginning are whole, and say so; of the others it says that they are
# not. The last one began when it was ready.
@test "a daemon that starts while containers are being started" {
	local i key many
	runc_many 0 60 60 3>&- &
	many=$!
	sleep 0.5
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2
	wait "$many"
	runc_many 60 1 61
	wait_for 60 last_is_whole
	wait_for 60 all_gone
	mkdir wanted got
	for key in $(ours 'map(select(.partial | not) | .key) | .[]' | tr -d '"'); do
		i=${key##*-}
		# shellcheck disable=SC2046
		"$O/tools/calls" -n $(tokens $((${i%.} % bundle_cnt))) >"wanted/$i"
		tamis export "$key" -f names --stage workload -o "got/$i"
	done
	sysset many wanted got
	say "$(ours length) of 61 were seen, $(find wanted -type f | wc -l) of them whole"
}

last_is_whole() {
	[[ $(ours 'map(select(.key | endswith("-60.")) | .partial | not) | .[0]') == true ]]
}

all_gone() {
	[[ $(ours 'map(select(.state != "gone")) | length') == 0 ]]
}

@test "100 starts of one image, which podman names, are one workload" {
	local i key=podman/$short_image:latest#brief
	tar -C "$BATS_FILE_TMPDIR/root" -cf image.tar .
	pod import -q image.tar "$short_image" >/dev/null
	pod_cgroups_note
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.5
	for i in {1..100}; do
		pod run --rm "${pod_run_options[@]}" "$short_image" /brief 480 $((400 + i))
	done
	wait_for 60 is_gone "$key" 100
	[[ $(ours length) == 1 ]]
	[[ $(ours '.[0].instances') == 100 && $(ours '.[0].partial') == false ]]
	"$O/tools/calls" -n 480 401-500 >want
	seen "$key" workload >names
	sysset names names >got
	sysset diff want got
}

# is_gone KEY STARTS
is_gone() {
	tamis list --json | jq -e --arg key "$1" --argjson starts "$2" \
		'.workloads[] | select(.key == $key) | .state == "gone" and .starts == $starts'
}
