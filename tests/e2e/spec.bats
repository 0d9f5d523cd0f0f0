#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# config.json, real ones and made ones, with another profile: nothing else differs, read with two
# other JSON libraries and compared by bytes.

load ../lib/base.bash
load ../lib/pod.bash

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir specs
	cat >profile.json <<-EOT
		{ "defaultAction": "SCMP_ACT_TAMIS", "syscalls": [
			{ "names": [ "read", "exit_group" ], "action": "SCMP_ACT_ALLOW",
			  "args": [ { "index": 0, "value": 18446744073709551615 } ] } ] }
	EOT
}

teardown() {
	pod_sweep "tamis-spec-$$"
	[[ -z ${image-} ]] || podman rmi -f "$image" >/dev/null 2>&1 || true
}

# jq is the second library: it knows no numbers of 64 bits, and the last of duplicates only.
jq_agrees() {
	jq -e . "$1" >/dev/null 2>&1 || return 0
	cmp <(jq -S 'del(.linux.seccomp)' "$1") <(jq -S 'del(.linux.seccomp)' "$2")
}

# spliced FILE...: and how many there were.
spliced() {
	local file
	for file; do
		"$O/tools/start" splice "$file" profile.json >after.json || { echo "$file"; return 1; }
		python3 "$BATS_TEST_DIRNAME/spec/same.py" "$file" after.json || { echo "$file"; return 1; }
		jq_agrees "$file" after.json || { echo "$file"; return 1; }
	done
}

@test "what runc and crun write themselves" {
	local runtime option
	for runtime in runc crun; do
		for option in '' --rootless; do
			rm -f config.json
			"$runtime" spec ${option:+"$option"}
			mv config.json "specs/$runtime$option.json"
		done
	done
	spliced specs/*.json
}

@test "what podman writes" {
	image=localhost/tamis-spec-$$
	mkdir -p root/bin
	cp "$(command -v busybox)" root/bin/busybox
	tar -C root -cf image.tar .
	podman import -q image.tar "$image" >/dev/null
	local name=tamis-spec-$$ n=0 options id dir
	while read -r options; do
		n=$((n + 1))
		# shellcheck disable=SC2086
		pod_run "$name-$n" $options "$image" /bin/busybox sleep 1000
		id=$(pod inspect -f '{{.Id}}' "$name-$n")
		dir=$(podman info -f '{{.Store.GraphRoot}}')
		cp "$dir"/*-containers/"$id"/userdata/config.json "specs/$n.json"
		pod_remove "$name-$n"
	done <<-EOT
		--hostname other --env Y=\"
		--privileged
		--security-opt seccomp=unconfined
		--security-opt no-new-privileges --cap-drop all --read-only
		--annotation linux=seccomp --annotation Größe=漢字 --env X=ä --tmpfs /tmp
	EOT
	((n == 5))
	spliced specs/*.json
	[[ $(grep -l '"seccomp":' specs/*.json | wc -l) == 3 ]]
}

@test "what engines and nobody would write" {
	python3 "$BATS_TEST_DIRNAME/spec/made.py" specs
	rm specs/refused-*.json
	local files=(specs/*.json)
	((${#files[@]} >= 30))
	spliced "${files[@]}"
}

@test "what can't be told apart is refused, with a word" {
	python3 "$BATS_TEST_DIRNAME/spec/made.py" specs
	local file n=0
	for file in specs/refused-*.json; do
		run "$O/tools/start" splice "$file" profile.json
		[[ $status == 3 && -n $output && $output != *$'\n'* ]] || { echo "$file: $output"; return 1; }
		n=$((n + 1))
	done
	((n >= 10))
}

@test "how an engine has a filter loaded stays" {
	python3 "$BATS_TEST_DIRNAME/spec/made.py" specs
	"$O/tools/start" splice specs/listener.json profile.json >after.json
	[[ $(jq -c '.linux.seccomp | [.flags, .listenerPath, .listenerMetadata, .defaultAction]' after.json) == \
		'[[],"/run/x y.sock","m\"n","SCMP_ACT_TAMIS"]' ]]
	"$O/tools/start" splice specs/cri.json profile.json >after.json
	[[ $(jq -c '.linux.seccomp.flags' after.json) == '["SECCOMP_FILTER_FLAG_LOG"]' ]]
	grep -q '"value":18446744073709551615' after.json
}

# The comparison itself.
@test "a change elsewhere would be seen" {
	python3 "$BATS_TEST_DIRNAME/spec/made.py" specs
	"$O/tools/start" splice specs/integers.json profile.json >after.json
	python3 "$BATS_TEST_DIRNAME/spec/same.py" specs/integers.json after.json
	local change
	for change in 's/"e":1.10/"e":1.1/' 's/9007199254740993/9007199254740992/' 's/,"y":-0//' \
		's/"y":-0/"y": -0/' 's/$/ /' 's/"linux":/"linux" :/'; do
		sed "$change" after.json >changed.json
		! cmp -s after.json changed.json
		run python3 "$BATS_TEST_DIRNAME/spec/same.py" specs/integers.json changed.json
		((status != 0)) || { echo "$change"; return 1; }
	done
}
