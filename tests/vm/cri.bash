# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# containerd's CRI plugin in a virtual machine, and as much of a kubelet as the tests need. Needs
# base.bash and engines.bash; DIR is the test file's own.

# --- containerd ---------------------------------------------------------------------------------

# Two handlers: runc with its own cgroups, and with systemd's.
containerd_configure() {
	[[ ! -e /etc/containerd/config.toml ]] || cp /etc/containerd/config.toml "$DIR/config.toml"
	mkdir -p /etc/containerd
	cat >/etc/containerd/config.toml <<-'EOT'
		version = 2
		[plugins."io.containerd.grpc.v1.cri"]
		  sandbox_image = "localhost/pause:1"
		  [plugins."io.containerd.grpc.v1.cri".containerd]
		    default_runtime_name = "cgroupfs"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.cgroupfs]
		      runtime_type = "io.containerd.runc.v2"
		    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.systemd]
		      runtime_type = "io.containerd.runc.v2"
		      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.systemd.options]
		        SystemdCgroup = true
	EOT
	systemctl restart containerd
}

# cri_start: containerd with the images, and the client that `cri` talks to.
# shellcheck disable=SC2154 # engines.bash's
cri_start() {
	containerd_configure
	image_archive "$DIR/image.tar" "$engine_image" '{}'
	image_archive "$DIR/pause.tar" localhost/pause:1 '{"Entrypoint": ["/calls", "34"]}'
	ctr -n k8s.io images import "$DIR/image.tar"
	ctr -n k8s.io images import "$DIR/pause.tar"
	mkfifo "$DIR/ask" "$DIR/answer"
	/usr/bin/python3 "$BATS_TEST_DIRNAME/cri/serve.py" /run/containerd/containerd.sock \
		<>"$DIR/ask" 1<>"$DIR/answer" 2>"$DIR/serve.log" 3>&- &
	echo $! >"$DIR/serve.pid"
	cri Version '{"version": "v1"}'
}

cri_stop() {
	kill "$(<"$DIR/serve.pid")"
	rm /etc/containerd/config.toml
	[[ ! -e $DIR/config.toml ]] || cp "$DIR/config.toml" /etc/containerd/config.toml
	systemctl stop containerd
}

# Of each test: the pods that pod_start made.
cri_setup() {
	: >sandboxes
}

cri_teardown() {
	while read -r sandbox; do
		pod_end "$sandbox"
	done <sandboxes
	rm -rf /var/log/containers
}

# cri METHOD JSON: the answer's JSON.
cri() {
	local answer
	kill -0 "$(<"$DIR/serve.pid")" || { cat "$DIR/serve.log" >&2; return 1; }
	echo "$1 ${2//$'\n'/ }" >"$DIR/ask"
	read -r -t 150 answer <"$DIR/answer" || { cat "$DIR/serve.log" >&2; return 1; }
	[[ $answer != '! '* ]] || { echo "$1: $answer" >&2; return 1; }
	echo "$answer"
}

# --- as the kubelet does ----------------------------------------------------------------------

# parent_of DRIVER QOS UID: what the kubelet passes as the pod's cgroup.
parent_of() {
	local qos=$2 at
	if [[ $1 == cgroupfs ]]; then
		[[ $qos == guaranteed ]] && echo "/kubepods/pod$3" || echo "/kubepods/$qos/pod$3"
		return
	fi
	at=/kubepods.slice/kubepods
	[[ $qos == guaranteed ]] || at+=-$qos.slice/kubepods-$qos
	echo "$at-pod${3//-/_}.slice"
}

uid_of() {
	local hex
	hex=$(sha256sum <<<"$1" | cut -c 1-32)
	echo "${hex:0:8}-${hex:8:4}-${hex:12:4}-${hex:16:4}-${hex:20}"
}

# pod_start DRIVER QOS NAME [UID [PID]]: sets pod (its configuration) and sandbox. PID: whose pid
# namespace, 0 the pod's, 1 each container's, 2 the host's.
pod_start() {
	local uid=${4-$(uid_of "$3")}
	pod=$(jq -nc --arg name "$3" --arg uid "$uid" --arg parent "$(parent_of "$1" "$2" "$uid")" \
		--argjson pid "${5-1}" '{metadata: {$name, $uid, namespace: "shop"},
		log_directory: "/var/log/pods/shop_\($name)_\($uid)", labels: {app: "web"},
		linux: {cgroup_parent: $parent, security_context: {
			namespace_options: {network: 2, $pid}, seccomp: {profile_type: 0}}}}')
	mkdir -p "$(jq -r .log_directory <<<"$pod")"
	sandbox=$(cri RunPodSandbox "{\"config\": $pod, \"runtime_handler\": \"$1\"}" |
		jq -r .pod_sandbox_id)
	[[ $sandbox ]] && echo "$sandbox" >>sandboxes
}

pod_end() {
	cri StopPodSandbox "{\"pod_sandbox_id\": \"$1\"}" >/dev/null
	cri RemovePodSandbox "{\"pod_sandbox_id\": \"$1\"}" >/dev/null
}

# container_start NAME ATTEMPT SECURITY COMMAND...: in that pod; sets container (its id) and log.
# SECURITY: JSON, over what a kubelet says of any.
container_start() {
	local name=$1 attempt=$2 config
	config=$(jq -nc --arg name "$name" --argjson attempt "$attempt" --argjson security "$3" \
		--arg image "$engine_image" --argjson pod "$pod" '{metadata: {$name, $attempt},
		image: {$image}, command: $ARGS.positional, log_path: "\($name)/\($attempt).log",
		linux: {security_context: ({seccomp: {profile_type: 0},
			namespace_options: $pod.linux.security_context.namespace_options} + $security)}}' \
		--args -- "${@:4}")
	log=$(jq -r .log_directory <<<"$pod")/$name/$attempt.log
	mkdir -p "${log%/*}"
	container=$(cri CreateContainer "$(jq -nc --arg id "$sandbox" --argjson pod "$pod" \
		--argjson config "$config" '{pod_sandbox_id: $id, $config, sandbox_config: $pod}')" |
		jq -r .container_id)
	[[ $container ]] && cri StartContainer "{\"container_id\": \"$container\"}" >/dev/null
}

has_exited() {
	cri ContainerStatus "{\"container_id\": \"$container\"}" | json_is '.status.state == 2'
}

# container_end: stops it when it doesn't end by itself, and removes it.
container_end() {
	wait_for 60 has_exited
	cri RemoveContainer "{\"container_id\": \"$container\"}" >/dev/null
}

container_stop() {
	cri StopContainer "{\"container_id\": \"$container\", \"timeout\": 0}" >/dev/null
	container_end
}

container_pid() {
	ctr -n k8s.io tasks ls | awk -v id="$container" '$1 == id { print $2 }'
}
