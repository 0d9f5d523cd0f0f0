#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Nobody speaks for another, whatever he calls his cgroups, and names that are meant to hurt don't.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/pod.bash
load ../lib/sensor.bash

# An image of busybox and the program whose calls are known.
setup_file() {
	export id_prefix=tamis-forge-$$ sensor_prefix=tamis-forge-$$-give
	export id_image=localhost/$id_prefix
	local root=$BATS_FILE_TMPDIR/root
	mkdir -p "$root"/{proc,sys,dev,etc,tmp,cg,bin}
	cp "$O/tools/calls" "$root/calls"
	cp /bin/busybox "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	tar -C "$root" -cf "$BATS_FILE_TMPDIR/image.tar" .
	podman import -q "$BATS_FILE_TMPDIR/image.tar" "$id_image" >/dev/null
}

teardown_file() {
	podman rmi -f "$id_image" >/dev/null 2>&1 || true
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	# The calls that no kernel knows are seen only where no filter answers them.
	pod_run_options+=(--security-opt seccomp=unconfined)
	pod_cgroups_note
	daemon_start "$BATS_TEST_TMPDIR/daemon" --interval 0.2 --watch "/$sensor_prefix*"
}

teardown() {
	daemon_stop || true
	pod_sweep "$id_prefix"
	runc delete -f "$id_prefix-bundle" >/dev/null 2>&1 || true
	pod_cgroups_restore
	cgroups_sweep
}

is_gone() {
	tamis show "$1" --json | json_is '.state == "gone"'
}

settled() {
	wait_for 15 is_gone "$1" || { tamis list; return 1; }
}

# made KEY TOKEN...: the workload's own calls are those that the tokens mean, no more, no less.
made() {
	local key=$1
	shift
	tamis export "$key" -f names --stage workload -o names 2>export.err || { cat export.err; return 1; }
	"$O/tools/calls" -n "$@" >want
	sysset names names >got
	sysset diff want got
}

# made_too KEY TOKEN...: and others.
made_too() {
	local key=$1
	shift
	tamis export "$key" -f names --stage workload -o names 2>export.err || { cat export.err; return 1; }
	"$O/tools/calls" -n "$@" >want
	sysset names names >got
	sysset subset want got
}

# What is known of the victim, without its times.
record_of() {
	tamis show "$1" --json | jq -S 'del(.first, .last, .units, .calls[].last)'
	tamis export "$1" -f oci 2>/dev/null
}

victim() {
	victim=podman/$id_prefix-victim
	pod_run "$id_prefix-victim" "$id_image" /calls 480 501-510 pace:600000 39
	wait_for 15 knows "$victim" 10
	victim_id=$(pod inspect -f '{{.Id}}' "$id_prefix-victim")
	[[ ${#victim_id} == 64 ]]
	record_of "$victim" >victim.before
}

knows() {
	tamis show "$1" --json | json_is ".call_count > $2 and all(.calls[]; .pid != null)"
}

victim_is_untouched() {
	record_of "$victim" >victim.after
	diff victim.before victim.after
	pod_remove "$id_prefix-victim"
	settled "$victim"
	! grep -E '^x86_64 #?(490|491)$' <(tamis export "$victim" -f names --stage all)
}

# --- forgery --------------------------------------------------------------------------------

@test "a user's own cgroups: what he runs in them is his directory's" {
	local dir fake calls
	victim
	calls=$(mktemp /tmp/tamis-forge.XXXXXX) # where he gets at it, wherever it was built
	install -m 755 "$O/tools/calls" "$calls"
	dir=$(cgroup_dir user)
	mkdir "$dir"
	chown -R 12345 "$dir"
	for fake in "docker-$victim_id.scope" "libpod-$victim_id.scope" "libpod-$victim_id" \
		"machine.slice/libpod-$victim_id.scope" "system.slice/docker-$victim_id.scope" \
		"kubepods/burstable/pod7a172e54-0000-4000-8000-000000000000/$victim_id" \
		"cri-containerd-$victim_id.scope"; do
		setpriv --reuid 12345 --clear-groups mkdir -p "$dir/$fake"
		# the user's own process changes over, as a delegated tree lets it
		# shellcheck disable=SC2016
		"$O/tools/launch" "$dir" /bin/sh -c 'exec setpriv --reuid 12345 --clear-groups \
			sh -c "echo \$\$ >\"\$1\"/cgroup.procs && exec \"\$2\" 490 491" sh "$1" "$2"' sh \
			"$dir/$fake" "$calls"
		wait_for 5 cgroup_empty "$dir/$fake"
	done
	rm "$calls"
	find "$dir" -depth -type d -exec rmdir {} +
	settled "$(workload_key user)"
	made_too "$(workload_key user)" 490 491
	victim_is_untouched
	[[ $(tamis list --json | jq --arg p "$id_prefix" '[.workloads[] | select(.key | contains($p))] | length') == 2 ]]
}

@test "a container with a writable cgroup: what it runs in others of its making is its own" {
	local forger=podman/$id_prefix-forger
	victim
	# shellcheck disable=SC2016
	pod run --rm --privileged --cgroupns private --name "$id_prefix-forger" "${pod_run_options[@]}" "$id_image" \
		sh -c 'busybox mount -t cgroup2 none /cg && for fake in docker-$0.scope libpod-$0 libpod_parent/libpod-$0; do
			busybox mkdir -p /cg/$fake && (echo 0 >/cg/$fake/cgroup.procs && exec /calls 490 491) || exit 1
		done; echo forged' "$victim_id" >out
	grep -qx forged out
	settled "$forger"
	made_too "$forger" 490 491 165 # and its mount
	victim_is_untouched
	[[ $(tamis list --json | jq --arg p "$id_prefix" '[.workloads[] | select(.key | contains($p))] | length') == 2 ]]
}

@test "labels and annotations of another engine name nobody" {
	local own=podman/$id_prefix-plain
	pod run --rm --name "$id_prefix-plain" --annotation io.kubernetes.cri.container-name=stolen \
		--annotation io.kubernetes.container.name=stolen --annotation io.kubernetes.pod.namespace=kube-system \
		--annotation io.kubernetes.cri-o.ContainerName=stolen --annotation io.container.manager=cri-o \
		--label com.docker.compose.service=stolen "${pod_run_options[@]}" "$id_image" /calls 490
	settled "$own"
	made "$own" 490
	[[ $(tamis list --json | jq '[.workloads[] | select((.key + (.name // "")) | contains("stolen"))] | length') == 0 ]]
}

# --- hostile names --------------------------------------------------------------------------

# A newline alone is what the kernel refuses (cgroup_mkdir). One line a workload, nothing but printable ASCII or valid UTF-8 in it, JSON that parses.
list_is_clean() {
	tamis list >list
	tamis list --json >list.json
	jq -e . list.json >/dev/null
	[[ $(wc -l <list) == $(($(jq '.workloads | length' list.json) + 1)) ]]
	! LC_ALL=C grep -q '[[:cntrl:]]' list
	iconv -f UTF-8 -t UTF-8 list >/dev/null
}

@test "cgroups with hostile names are listed, escaped, and can be exported by key" {
	local name key n=0
	local -a hostile=($'\e[31mred\e[0m' $'bad\xff\xfeutf8' '..evil' '%2e%2e' "it's \"quoted\"" '$(id)' '-rf' \
		$'tab\there' "$(printf 'long%.0s' {1..55})" $'\u202egnp.exe' 'a;b|c&d' '*')
	for name in "${hostile[@]}"; do
		mkdir "$(cgroup_dir "$name")"
		"$O/tools/launch" "$(cgroup_dir "$name")" "$O/tools/calls" $((500 + n++))
		wait_for 5 cgroup_empty "$(cgroup_dir "$name")"
		rmdir "$(cgroup_dir "$name")"
	done
	all_gone() {
		[[ $(tamis list --json | jq '[.workloads[] | select(.state == "gone")] | length') -ge $n ]]
	}
	wait_for 15 all_gone
	list_is_clean
	n=0
	while read -r key; do
		[[ $key =~ ^[A-Za-z0-9._:@+=,~%/-]+$ && $key != */../* && $key != */.. ]]
		tamis show "$key" >show
		! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f]' show
		tamis export "$key" -f text -o text
		! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f]' text
		tamis export "$key" -f names -o names
		grep -qE '^x86_64 #5[0-9]{2}$' names
		((++n))
	done < <(jq -r '.workloads[] | select(.engine == "cgroup") | .key' list.json)
	((n == ${#hostile[@]}))
}

@test "a container's hostile command, labels and environment stay text" {
	local label
	label=$(printf 'x%.0s' {1..4096})
	pod run --rm --name "$id_prefix-text" --label "$label=$label" --label $'a=\n../../etc\e[2J' \
		--annotation $'b=\n..\x7f' --hostname h --env $'C=\n\e]0;owned\a' \
		--entrypoint '["/calls", "490", "491"]' "${pod_run_options[@]}" "$id_image"
	settled "podman/$id_prefix-text"
	made "podman/$id_prefix-text" 490 491
	list_is_clean
}

daemon_rss() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$daemon_pid/status"
}

@test "a bundle whose config.json has 100 MB is read no further than makes sense" {
	local before
	mkdir bundle
	(cd bundle && runc spec)
	jq --arg root "$BATS_FILE_TMPDIR/root" '.process.args = ["/calls", "490"] |
		.process.terminal = false | .process.rlimits = [] | .root.path = $root' <bundle/config.json >spec
	{ head -c -2 spec; echo ', "annotations": {"big": "'; } | tr -d '\n' >bundle/config.json
	head -c 100000000 /dev/zero | tr '\0' x >>bundle/config.json
	echo '"}}' >>bundle/config.json
	before=$(daemon_rss)
	runc run --bundle bundle "$id_prefix-bundle" </dev/null
	settled "oci/$id_prefix-bundle"
	made "oci/$id_prefix-bundle" 490
	echo "# resident: $before KiB, then $(daemon_rss) KiB"
	(($(daemon_rss) < before + 20000))
}

@test "what strangers named touched nothing outside of the state directory" {
	local before
	before=$(find /etc /var/lib/tamis /run/tamis -newer "$daemon_dir/log" 2>/dev/null | wc -l)
	mkdir "$(cgroup_dir '%2e%2e%2f..evil')"
	"$O/tools/launch" "$(cgroup_dir '%2e%2e%2f..evil')" "$O/tools/calls" 500
	wait_for 5 cgroup_empty "$(cgroup_dir '%2e%2e%2f..evil')"
	rmdir "$(cgroup_dir '%2e%2e%2f..evil')"
	daemon_stop
	find "$daemon_dir/state" -mindepth 1 -printf '%P\n' >files
	fails grep -vE '^(oracle|tamis\.db(-wal|-shm)?)$' files
	[[ $(find /etc /var/lib/tamis /run/tamis -newer "$daemon_dir/log" 2>/dev/null | wc -l) == "$before" ]]
}
