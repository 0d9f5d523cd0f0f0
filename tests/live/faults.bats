#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whatever goes wrong in a start path, the container starts as the engine made it, and one line says
# why. 500 starts: through podman's hook, through the wrapper, with a fault in each.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/start.bash

hook_starts=${HOOK_STARTS-120}
wrapper_starts=${WRAPPER_STARTS-380}

# What can be wrong with what is applied, and with the program. Every one of them is a line.
file_faults=(missing corrupt truncated directory newer digest unknown writable link)
program_faults=(worker-killed worker-crashes worker-aborts worker-exits worker-hangs
	worker-writes-garbage worker-lies parent-crashes)
faults=("${file_faults[@]}" "${program_faults[@]}")

setup_file() {
	export start_prefix=tamis-faults-$$
	export start_image=localhost/$start_prefix
	start_image "$start_image"
}

teardown_file() {
	podman rmi -f "$start_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	pod_cgroups_note
	mkdir bin
	program=$PWD/bin/tamis-start-faults
	cp "$O/tools/tamis-start-faults" "$program"
}

teardown() {
	daemon_stop || true
	runc list -q 2>/dev/null | grep "^$start_prefix-" | xargs -r -n 1 runc delete -f || true
	pod_sweep "$start_prefix"
	pod_cgroups_restore
}

# --- a fault ---------------------------------------------------------------------------------

# fault NAME: of $applied, the file; of $program.
fault() {
	case $1 in
	missing) rm "$applied" ;;
	corrupt) head -c 2000 /dev/urandom >"$applied" ;;
	truncated) truncate -s 500 "$applied" ;;
	directory) rm "$applied" && mkdir "$applied" ;;
	newer) jq '.version = 99' good.json >"$applied" ;;
	digest) jq '.generation.digest = "sha256:" + ("0" * 64)' good.json >"$applied" ;;
	unknown) jq '.generation.learned.workload.x86_64 += ["frobnicate"]' good.json >"$applied" ;;
	writable) chmod 666 "$applied" ;;
	link) cp good.json elsewhere.json && ln -sf "$PWD/elsewhere.json" "$applied" ;;
	*) echo "$1" >"$program.fault" ;;
	esac
}

mend() {
	rm -rf "$applied" "$program.fault"
	install -m 644 good.json "$applied"
}

# each START COUNT: START is a command that starts the container and succeeds under the engine's own
# profile alone.
each() {
	local i kind before lines
	for ((i = 0; i < $2; i++)); do
		kind=${faults[i % ${#faults[@]}]}
		before=$(start_lines | wc -l)
		fault "$kind"
		if ! "$1" >out 2>&1; then
			echo "$i, $kind: not started, or not under the engine's profile"
			cat out
			return 1
		fi
		mend
		wait_for 5 has_lines $((before + 1)) || true
		lines=$(start_lines | tail -n +$((before + 1)))
		if [[ $(wc -l <<<"$lines") != 1 || $lines != *"engine's own profile" ]]; then
			echo "$i, $kind: not one line but: $lines"
			return 1
		fi
		((i >= ${#faults[@]})) || echo "# $kind: $lines" >&3
	done
}

# A process that crashed says so after the container was let go.
has_lines() {
	(($(start_lines | wc -l) >= $1))
}

# --- podman's hook ---------------------------------------------------------------------------

hook_start() {
	timeout 60 podman "${pod_options[@]}" start -a "$name"
}

# It is enforced: what it does is refused.
hook_is_refused() {
	hook_start >out 2>&1 && return 1
	grep -q 'Function not implemented' out
}

# A container of podman's, its policy, and the hook in front.
hook_prepare() {
	name=$start_prefix-hook
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	pod run --name "$name" "${pod_run_options[@]}" "$start_image" sh -c 'mkdir -p /tmp/a'
	pod start -a "$name"
	start_learned "podman/$name"
	tamis deny "podman/$name" mkdir
	tamis apply "podman/$name" --no-trial
	daemon_stop
	start_install "$PWD/hooks"
	sed -i "s|\"path\": .*|\"path\": \"$program\",|" hooks/*.json
	applied=$daemon_dir/state/applied/podman/$name.json
	cp "$applied" good.json
}

@test "a fault in each of $hook_starts starts through podman's hook" {
	hook_prepare
	start_until 'started under generation 1$' hook_is_refused
	each hook_start "$hook_starts"
	start_until 'started under generation 1$' hook_is_refused
}

# --- the wrapper -----------------------------------------------------------------------------

wrapper_start() {
	cp original b/config.json
	timeout 60 "$program" run --bundle "$PWD/b" "$name" </dev/null &&
		cmp b/config.json original &&
		[[ $(find b -maxdepth 1 -type f | wc -l) == 1 ]]
}

wrapper_is_refused() {
	cp original b/config.json
	timeout 60 "$program" run --bundle "$PWD/b" "$name" </dev/null >out 2>&1 && return 1
	grep -q 'Function not implemented' out
}

# A bundle of bare runc, its policy, and the wrapper in front.
wrapper_prepare() {
	name=$start_prefix-bare
	bare_bundle b sh -c 'mkdir -p /tmp/a'
	cp b/config.json original
	daemon_start "$PWD/d" --interval 0.2 --unit 2
	runc run --bundle b "$name" </dev/null
	start_learned "oci/$name"
	tamis deny "oci/$name" mkdir
	tamis apply "oci/$name" --no-trial
	daemon_stop
	printf 'runtime = %s\nstate = %s\n' "$(command -v runc)" "$daemon_dir/state" >"$program.conf"
	applied=$daemon_dir/state/applied/oci/$name.json
	cp "$applied" good.json
}

@test "a fault in each of $wrapper_starts starts through the wrapper" {
	wrapper_prepare
	start_until 'started under generation 1$' wrapper_is_refused
	each wrapper_start "$wrapper_starts"
	start_until 'started under generation 1$' wrapper_is_refused
}

# --- a full disk -----------------------------------------------------------------------------

# on_full_disk COMMAND...: with a state on a tmpfs that has no room left; what is said goes to
# standard error there.
on_full_disk() {
	# shellcheck disable=SC2016
	unshare -m --propagation private bash -ec '
		state=$1 applied=$2; shift 2
		mkdir -p kept && cp -a "$state/applied" kept/
		mount -t tmpfs -o size=256k,mode=711 full "$state"
		cp -a kept/applied "$state/"
		jq ".generation.state = \"trial\"" good.json >"$applied"
		mkdir -m 700 "$state/trial"
		dd if=/dev/zero of="$state/fill" bs=4k status=none 2>/dev/null || true
		"$@"
		[[ ! -s $state/start.log ]]' bash "$daemon_dir/state" "$applied" "$@"
}

@test "a full disk: a trial that can't be kept isn't begun" {
	local i
	wrapper_prepare
	for i in {1..5}; do
		cp original b/config.json
		on_full_disk "$program" run --bundle "$PWD/b" "$name" </dev/null 2>said
		cmp b/config.json original
		[[ $(wc -l <said) == 1 && $(cat said) == *"No space left"*"engine's own profile" ]]
	done
}

@test "a full disk: podman's hook gives the spec back" {
	hook_prepare
	cp "$(podman inspect -f '{{.OCIConfigPath}}' "$name")" spec.json
	on_full_disk "$O/tamis-start" precreate --state "$daemon_dir/state" <spec.json >answer 2>said
	cmp spec.json answer
	[[ $(wc -l <said) == 1 && $(cat said) == *"podman/$name: "*"No space left"* ]]
}

# --- what a hook is given and how --------------------------------------------------------------

hook() {
	timeout 30 env -i "$O/tamis-start" precreate "$@"
}

@test "a hook gives back what it doesn't understand, and survives a closed world" {
	local state=$PWD/nowhere i
	printf '{"ociVersion":"1.0.2","linux":{"cgroupsPath":"/x"},"big":18446744073709551615}\n' >spec
	for i in spec /dev/null "$ROOT/README.md" "$O/tamis-start"; do
		hook --state "$state" <"$i" >out
		cmp "$i" out
	done
	head -c 50M /dev/zero >large
	hook --state "$state" <large | cmp - large
	hook --frobnicate <spec 2>err | cmp - spec
	hook --state "$state" <spec 2>&- | cmp - spec
	hook --state "$state" <spec >&-
	hook --state "$state" <&- >out
	[[ ! -s out ]]
	# Nobody reads.
	hook --state "$state" <large | true
	# The writer takes its time.
	(head -c 20 spec; sleep 1; tail -c +21 spec) | hook --state "$state" | cmp - spec
}
