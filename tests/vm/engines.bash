# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests of docker and containerd in a virtual machine with systemd. Needs guest.bash.

# shellcheck disable=SC2034
engine_image=docker.io/library/vm:1

# image_archive FILE NAME JSON: as `docker save` writes it: busybox and the program whose calls are
# known, the image's configuration from JSON. Leaves the image's id in FILE.id.
image_archive() {
	local tree=$1.d name=$2 layer applet
	rm -rf "$tree"
	mkdir -p "$tree"/root/{bin,etc,tmp,proc,sys,dev,run,var}
	cp /bin/busybox "$tree/root/bin/"
	cp "$O/tools/calls" "$tree/root/"
	for applet in sh id ls sort tail sleep mkdir uname; do # not all: each is a process
		ln -s busybox "$tree/root/bin/$applet"
	done
	echo root:x:0:0::/:/bin/sh >"$tree/root/etc/passwd"
	tar -C "$tree/root" --sort=name --mtime=@0 -cf "$tree/layer.tar" .
	layer=sha256:$(sha256sum <"$tree/layer.tar" | cut -d ' ' -f 1)
	jq -n --arg layer "$layer" --argjson config "$3" '{architecture: "amd64", os: "linux",
		config: ({Env: ["PATH=/bin"]} + $config), rootfs: {type: "layers", diff_ids: [$layer]}}' \
		>"$tree/config.json"
	jq -n --arg name "$name" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' \
		>"$tree/manifest.json"
	tar -C "$tree" -cf "$1" manifest.json config.json layer.tar
	echo "sha256:$(sha256sum <"$tree/config.json" | cut -d ' ' -f 1)" >"$1.id"
	rm -rf "$tree"
}

# wants ARG...: what the program of that image calls when started so; `wants_killed`: when something
# ends it before it ends itself.
wants() {
	"$O/tools/calls" -n "$@" >wanted
}

wants_killed() {
	"$O/tools/calls" -n "$@" | grep -v ' 231$' >wanted
}

# shellcheck disable=SC2016 # jq's
show_words='
def calls($stage): [.calls[] | select(.stage == $stage)];
def exact: [calls("workload")[] | "\(.abi) \(.nr)"] | unique == ($wanted | split("\n")[:-1] | unique);
def has($stage; $name):
	any(calls($stage)[]; .name == $name);
def made: has("setup"; "mount") and has("setup"; "pivot_root");
def execs: ([calls("session")[].name] | contains(["sched_yield", "getpriority", "uname"])) and
	(has("session"; "setns") or has("session"; "mount") | not);
def once: .starts == 1 and .instances == 1 and .partial == false;'

# must_show WORKLOAD FILTER: what `tamis show` says satisfies the jq expression. In it also:
# exact (the workload's calls are those wanted), once (one whole start), made (what the runtime did is
# setup's), execs (session: the program with 24 and 140, a shell with uname, and no runtime),
# has(STAGE; CALL).
must_show() {
	[[ -s wanted ]] || : >wanted
	tamis show "$1" --json >shown || return
	json_is "$show_words $2" --rawfile wanted wanted <shown && return
	echo "$1: not: $2"
	jq -r '.calls[] | select(.stage == "workload") | "\(.abi) \(.nr)"' shown | diff -u wanted - || true
	jq 'del(.calls)' shown
	return 1
}

# must_end WORKLOAD FILTER: the same once its last calls are read.
must_end() {
	workload_ended "$1" && must_show "$@"
}

has_starts() {
	tamis show "$1" --json | json_is ".starts >= $2"
}

# Of the process: the cgroup it is in.
cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# How many workloads have a key that matches.
workloads_like() {
	tamis list --json | jq --arg like "$1" '[.workloads[] | select(.key | test($like))] | length'
}

# What a policy is learned of, and the same with a call more, which the policy then refuses.
# shellcheck disable=SC2034
engine_work='id; (sleep 0.1; echo child) & wait; ls / | sort | tail -n 1; echo end'
# shellcheck disable=SC2034
engine_more="mkdir /made 2>/dev/null && echo open; $engine_work"
