#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# One learned policy in each format, taken by what the format is for: what was learned works under
# it, what wasn't is refused.

load ../lib/base.bash
load ../lib/daemon.bash
load ../lib/sensor.bash
load ../lib/pod.bash

# What is learned, and what is then done: more than that.
# shellcheck disable=SC2016
serve='/bin/busybox cat /proc/self/status | /bin/busybox grep Seccomp:; echo served'
overdo="$serve; /bin/busybox mkdir /tmp/tamis-test-refused"

setup_file() {
	export sensor_prefix=tamis-formats-$$ daemon_dir=$BATS_FILE_TMPDIR/daemon pod_parents
	export image=localhost/tamis-test-formats
	host_lock test-formats
	pod_sweep tamis-test-formats-
	pod_cgroups_note
	image_import "$image"
	daemon_start "$daemon_dir" --interval 0.2 --watch "/$sensor_prefix-*"
	cgroup_make svc
	in_cgroup svc /bin/busybox sh -c "$serve" >/dev/null
	cgroup_remove svc
	workload_settle svc
	cgroup_make guarded
	in_cgroup guarded "$(guarded_program)"
	cgroup_remove guarded
	workload_settle guarded
	daemon_stop
}

teardown_file() {
	cgroups_sweep
	pod_sweep tamis-test-formats-
	podman image rm -f "$image" "$image-label" >/dev/null 2>&1 || true
	pod_cgroups_restore
}

# image_import NAME [OPTION...]: busybox.
image_import() {
	local name=$1 root
	shift
	root=$(mktemp -d "$BATS_FILE_TMPDIR/image.XXXXXX")
	mkdir -p "$root"/{bin,proc,sys,dev,etc,tmp}
	cp /bin/busybox "$root/bin/busybox"
	tar -C "$root" -cf "$root.tar" .
	podman import -q "$@" "$root.tar" "$name" >/dev/null
}

# Calls bpf and ptrace, in vain.
guarded_program() {
	gcc -O2 -static -D_GNU_SOURCE -x c -o "$BATS_FILE_TMPDIR/guarded" - <<-'END'
		#include <sys/syscall.h>
		#include <unistd.h>
		int main(void)
		{
			syscall(SYS_bpf, -1, 0, 0);
			syscall(SYS_ptrace, -1, -1, 0, 0);
			return 0;
		}
	END
	echo "$BATS_FILE_TMPDIR/guarded"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# export_as FORMAT [OPTION...]: of the workload, to the file named so; warnings beside it.
export_as() {
	tamis export "$(workload_key svc)" -f "$1" -o "$1" "${@:2}" 2>"$1.warnings"
}

# lacks GREP_ARGUMENT...
lacks() {
	if grep "$@"; then
		return 1
	fi
}

# What came out of $overdo under the policy.
is_confined() {
	grep -qx $'Seccomp:\t2' "$1"
	grep -qx served "$1"
	grep -q 'tamis-test-refused.*Function not implemented' "$1"
}

# run_image OPTION...: $overdo in a container.
run_image() {
	local image=$1
	shift
	# shellcheck disable=SC2154 # of pod.bash
	pod run --rm --name "tamis-test-formats-$$" "${pod_run_options[@]}" "$@" "$image" \
		/bin/busybox sh -c "$overdo" >out 2>&1 || true
}

@test "oci: podman" {
	export_as oci
	run_image "$image" --security-opt seccomp=oci
	is_confined out
}

@test "docker: podman, which reads docker's format" {
	export_as docker
	jq -e 'has("archMap") and (has("architectures") | not)' docker
	run_image "$image" --security-opt seccomp=docker
	is_confined out
}

@test "docker: with podman's own profile as the base" {
	local base=/usr/share/containers/seccomp.json
	export_as docker --base "$base"
	jq -e '[.syscalls[] | select(.includes.caps // [] != [])] | length > 0' docker
	jq -e '.defaultErrnoRet == $base[0].defaultErrnoRet' --slurpfile base "$base" docker
	run_image "$image" --security-opt seccomp=docker
	is_confined out
	# more capabilities, no more calls: the base has mkdir for everybody, chroot for some
	run_image "$image" --security-opt seccomp=docker --cap-add SYS_ADMIN
	is_confined out
	# neither allows what the other doesn't
	export_as oci
	tamis diff oci docker >differences || (($? == 1))
	lacks '^+' differences
	tamis diff "$base" docker >differences || (($? == 1))
	lacks '^+' differences
	grep -qx -- '- x86_64 mkdir' differences
}

@test "docker: what can't be a base" {
	echo '{ "defaultAction": "SCMP_ACT_ALLOW" }' >open.json
	run export_as docker --base open.json
	((status == 1))
	grep -q 'open.json: SCMP_ACT_ALLOW by default' docker.warnings
	run export_as docker --base missing.json
	((status == 1))
	run export_as oci --base open.json
	((status == 2))
	[[ ! -e docker && ! -e oci ]]
}

@test "label: podman --seccomp-policy=image" {
	export_as label
	grep -q '^io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ERRNO"' label
	image_import "$image-label" --change "LABEL $(cat label)"
	run_image "$image-label" --seccomp-policy image
	is_confined out
}

# crun_run BUNDLE NAME: where only v1 controllers are on /sys/fs/cgroup, crun has to be shown others.
crun_run() {
	local mount='mount -t cgroup2 cgroup2 /sys/fs/cgroup'
	[[ $(cgroup2_mount) != /sys/fs/cgroup ]] || mount=:
	unshare -m --propagation private sh -c \
		"$mount && cd \"\$1\" && exec crun --cgroup-manager=disabled run \"\$2\"" sh "$@"
}

@test "annotation: crun" {
	export_as annotation
	mkdir -p bundle/rootfs/{bin,proc,sys,dev,tmp}
	cp /bin/busybox bundle/rootfs/bin
	(cd bundle && crun spec && mv config.json spec.json)
	jq --arg line "$(cat annotation)" --arg command "$overdo" '
		($line | split("=")[0]) as $key | .annotations[$key] = $line[($key | length) + 1:] |
		.process.terminal = false | .process.args = ["/bin/busybox", "sh", "-c", $command] |
		.root.readonly = false | del(.linux.resources, .linux.seccomp) |
		.linux.namespaces |= map(select(.type != "network" and .type != "cgroup")) |
		.mounts |= map(select(.type != "cgroup" and .type != "sysfs"))' \
		bundle/spec.json >bundle/config.json
	crun_run bundle "tamis-test-formats-$$" >out 2>&1 || true
	is_confined out
}

@test "bpf: bubblewrap" {
	export_as bpf
	bwrap --dev-bind / / --seccomp 9 9<bpf /bin/busybox sh -c "$overdo" >out 2>&1 || true
	is_confined out
}

@test "spo: YAML of the operator's API, and what a runtime makes of it" {
	export_as spo
	python3 - spo >spo.json <<-'END'
		import json, re, sys, yaml
		cr = yaml.safe_load(open(sys.argv[1]))
		assert set(cr) == {"apiVersion", "kind", "metadata", "spec"}, cr.keys()
		assert cr["apiVersion"] == "security-profiles-operator.x-k8s.io/v1"
		assert cr["kind"] == "SeccompProfile"
		assert set(cr["metadata"]) == {"name"}
		label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
		assert re.fullmatch(label + "([.]" + label + ")*", cr["metadata"]["name"])
		spec = cr["spec"]
		assert set(spec) == {"defaultAction", "architectures", "syscalls"}
		for entry in spec["syscalls"]:
		    assert set(entry) <= {"names", "action", "errnoRet", "args"}
		    assert entry["names"] and len(set(entry["names"])) == len(entry["names"])
		    assert all(isinstance(name, str) for name in entry["names"])
		    assert 0 < entry.get("errnoRet", 1) <= 4095
		    for arg in entry.get("args", []):
		        assert set(arg) <= {"index", "op", "value", "valueTwo"}
		        assert all(0 <= arg.get(key, 0) < 2**63 for key in ("value", "valueTwo"))
		json.dump(spec, sys.stdout)
	END
	run_image "$image" --security-opt seccomp=spo.json
	is_confined out
	export_as oci
	tamis diff oci spo.json >differences || (($? == 1))
	lacks '^[+-]' differences
}

@test "systemd: a drop-in that systemd reads without a word" {
	printf '[Service]\nExecStart=/bin/true\nSystemCallFilter=@mount\n' >x.service
	mkdir x.service.d
	export_as systemd
	cp systemd x.service.d/50-tamis.conf
	systemd-analyze verify ./x.service >said 2>&1
	[[ ! -s said ]]
	systemd-analyze security --offline=yes --json=short ./x.service >judged
	jq -e 'map({ key: .json_field, value: .set }) | from_entries | .SystemCallFilter_mount and
		.SystemCallFilter_module and .SystemCallFilter_swap and .SystemCallArchitectures' judged
	grep -q '^tamis: systemd: .* whatever their arguments are: ' systemd.warnings
}

@test "systemd: what it allows by itself is what the limits know" {
	systemd-analyze syscall-filter @default | sed -n 's/^ *\([a-z_0-9]*\)$/\1/p' | sort >theirs
	[[ -s theirs ]]
	export_as oci
	export_as systemd
	{
		sed -n 's/.*allows these by itself: //p' systemd.warnings | tr -d ' ' | tr ',' '\n'
		jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]' oci
	} | sort -u >ours
	# those of other machines aside
	comm -13 ours theirs >missing
	lacks -vxE 'riscv_.*|cacheflush|set_tls|(.*)(32|64)|mmap2|ugetrlimit|sigreturn|getsid' missing
}

@test "guarded calls are pending, and named" {
	local key
	key=$(workload_key guarded)
	tamis export "$key" -f oci -o oci 2>warnings
	grep -q 'pending: guarded calls that were seen and nobody allowed: ptrace, bpf (tamis allow' warnings
	jq -e '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] |
		index("ptrace") == null and index("bpf") == null and index("exit_group") != null' oci
	tamis export "$key" -f text | grep -q 'pending: .*: ptrace, bpf '
	tamis export "$key" -f names -o names 2>/dev/null
	lacks -w ptrace names
	tamis export "$key" -f oci --json 2>/dev/null | jq -e '[.pending[].name] == ["ptrace", "bpf"]'
}

@test "--widen brings in no guarded call" {
	export_as oci
	tamis export "$(workload_key svc)" -f oci -o wide --widen 2>/dev/null
	tamis diff oci wide >differences || (($? == 1))
	grep -qx '+ x86_64 open' differences
	lacks '^-' differences
	lacks -E '(ptrace|bpf|mount|io_uring_setup)$' differences
}

@test "--arch: for the other machine, by name" {
	export_as oci
	tamis export "$(workload_key svc)" -f oci -o arm.json --arch arm64 2>warnings
	jq -e '.architectures == ["SCMP_ARCH_AARCH64"]' arm.json
	jq -e '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] | (index("openat") != null) and
		(index("execve") != null) and (index("arch_prctl") == null) and (index("open") == null)' arm.json
	tamis export "$(workload_key svc)" -f bpf -o arm.bpf --arch aarch64
	[[ -s arm.bpf ]]
	tamis export "$(workload_key svc)" -f oci -o same --arch x86_64
	cmp oci same
	run tamis export "$(workload_key svc)" -f oci --arch i386
	((status == 2))
}

@test "record: the line is the person's word" {
	"$TAMIS" record -o none.json -- "$BATS_FILE_TMPDIR/guarded" 2>warnings
	grep -q 'pending: .*: ptrace, bpf (tamis record --allow CALL)' warnings
	"$TAMIS" record --allow bpf --allow x86_64:ptrace -o both.json -- "$BATS_FILE_TMPDIR/guarded" 2>warnings
	lacks pending warnings
	"$TAMIS" diff none.json both.json >differences || (($? == 1))
	[[ $(sort differences) == $'+ x86_64 bpf\n+ x86_64 ptrace' ]]
	run "$TAMIS" record --allow nonsense -- /bin/true
	((status == 2))
}

# --- all of them -------------------------------------------------------------------------------------

@test "all workloads at once are what each is alone, under podman's profile or none" {
	local key cnt=0
	cp -r "$daemon_dir/state" state
	sqlite3 state/tamis.db "UPDATE workload SET engine = 'podman' WHERE key LIKE '%-guarded'"
	"$TAMIS" export --all -f oci -o all --state state
	while IFS= read -r key; do
		"$TAMIS" export "$key" -f oci -o one.json --state state
		cmp one.json "all/$key.json"
		((++cnt))
	done < <(sqlite3 state/tamis.db 'SELECT key FROM workload')
	((cnt >= 2))
	[[ $(find all -name '*.json' | wc -l) == "$cnt" ]]
	# They are not all the same.
	(($(find all -name '*.json' -exec md5sum {} + | awk '{ print $1 }' | sort -u | wc -l) == cnt))
}
