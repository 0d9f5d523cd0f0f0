#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: the runtime wrapper under docker, under containerd's own client
# and under its CRI plugin. Each container is watched, applied, and started again by its engine.

load ../lib/base.bash
load ../lib/daemon.bash
load guest.bash
load engines.bash
load cri.bash

wrapper=/usr/local/libexec/tamis-runc
# What each container does: enough to be looked at from inside.
serve=(sh -c 'trap "exit 0" TERM; while :; do sleep 1 & wait; done')

setup_file() {
	file_daemon
	"$TAMIS" install wrapper --state "$DIR/daemon/state" --runtime "$(command -v runc)" --as "$wrapper"
	mkdir -p /etc/docker
	jq -n --arg path "$wrapper" '{runtimes: {tamis: {$path}}}' >/etc/docker/daemon.json
	systemctl restart docker
	cri_start
	sed -i "s|SystemdCgroup = true|&\nBinaryName = \"$wrapper\"|" /etc/containerd/config.toml
	systemctl restart containerd
	ctr images import "$DIR/image.tar"
	docker load -q -i "$DIR/image.tar"
}

teardown_file() {
	file_daemon_end
	cri_stop
	docker ps -aq | xargs -r docker rm -f >/dev/null
	systemctl stop docker.service docker.socket
	rm -f /etc/docker/daemon.json "$wrapper" "$wrapper.conf"
}

setup() {
	file_daemon_enter
	cri_setup
	rm -f "$daemon_dir/state/start.log"
}

teardown() {
	cri_teardown
	docker ps -aq | xargs -r docker rm -f >/dev/null
	ctr tasks kill -s KILL vm-ctr 2>/dev/null || true
	ctr tasks rm -f vm-ctr >/dev/null 2>&1 || true
	ctr containers rm vm-ctr >/dev/null 2>&1 || true
}

has_session() {
	tamis show "$1" --json | json_is '[.calls[] | select(.stage == "session")] | length > 10'
}

# applied KEY: what was learned of it is in force at its next start, which is on trial.
applied() {
	wait_for 60 has_session "$1"
	tamis apply "$1"
	tamis list --json | json_is '.workloads[] | select(.key == $key) | .mode == "enforce"' --arg key "$1"
}

# until_started KEY COMMAND...: the command starts it; again where an emulated machine was too slow for the
# time that a start gives tamis, which then leaves it as the engine made it.
until_started() {
	local key=$1 i
	shift
	for i in 1 2 3 4 5; do
		"$@"
		! grep "$key: started under generation" "$daemon_dir/state/start.log" || return 0
		grep -q "$key: the worker: did not answer in time" "$daemon_dir/state/start.log" || return 1
	done
	return 1
}

# confined KEY IN...: IN... runs a command in it. What was learned works, what wasn't doesn't.
confined() {
	local key=$1
	shift
	cat "$daemon_dir/state/start.log"
	grep -q "$key: started under generation 1" "$daemon_dir/state/start.log"
	[[ $("$@" busybox grep Seccomp: /proc/1/status) == *2 ]]
	"$@" ls / >/dev/null
	run "$@" mkdir /tmp/refused
	echo "$output"
	[[ $status != 0 && $output == *'Function not implemented'* ]]
}

open_before() {
	"$@" ls / >/dev/null && "$@" mkdir /tmp/open && "$@" busybox grep Seccomp: /proc/1/status
}

@test "docker: a container under the wrapper runs under its policy once it is restarted" {
	docker run -d --runtime tamis --name vm-open --network none vm:1 "${serve[@]}"
	open_before docker exec vm-open
	docker run -d --runtime tamis --name vm-web --network none vm:1 "${serve[@]}"
	docker exec vm-web ls /
	docker exec vm-web busybox grep Seccomp: /proc/1/status
	applied docker/vm-web
	until_started docker/vm-web docker restart -t 5 vm-web
	confined docker/vm-web docker exec vm-web
	# the other one is as docker made it
	docker restart -t 5 vm-open
	docker exec vm-open mkdir /tmp/again
}

@test "docker: tamis uninstall leaves such a container startable" {
	docker run -d --runtime tamis --name vm-web --network none vm:1 "${serve[@]}"
	docker stop -t 5 vm-web
	cp "$wrapper" "$wrapper.conf" .
	"$TAMIS" uninstall wrapper "$wrapper"
	docker start vm-web
	docker exec vm-web mkdir /tmp/free
	cp -f tamis-runc "$wrapper"
	cp -f tamis-runc.conf "$wrapper.conf"
}

@test "containerd: ctr's own container, by --runc-binary" {
	ctr_run
	ctr tasks exec --exec-id a vm-ctr ls /
	ctr tasks exec --exec-id b vm-ctr busybox grep Seccomp: /proc/1/status
	applied containerd/default/vm-ctr
	until_started containerd/default/vm-ctr ctr_again
	confined containerd/default/vm-ctr ctr_exec
}

ctr_run() {
	ctr run -d --runc-binary "$wrapper" "$engine_image" vm-ctr "${serve[@]}"
}

ctr_again() {
	ctr tasks kill -s KILL vm-ctr
	wait_for 30 ctr_stopped
	ctr tasks rm vm-ctr
	ctr containers rm vm-ctr
	ctr_run
}

ctr_stopped() {
	ctr tasks ls | grep vm-ctr | grep -q STOPPED
}

ctr_exec() {
	ctr tasks exec --exec-id "e$RANDOM$RANDOM" vm-ctr "$@"
}

@test "cri: a pod's container by the handler's BinaryName, over a restart in the same pod" {
	local attempt=0
	pod_start systemd burstable shop-web
	container_start app 0 '{}' "${serve[@]}"
	cri_exec ls /
	cri_exec busybox grep Seccomp: /proc/1/status
	applied kubernetes/shop/shop-web/app
	until_started kubernetes/shop/shop-web/app app_again
	confined kubernetes/shop/shop-web/app cri_exec
}

app_again() {
	container_stop
	container_start app $((++attempt)) '{}' "${serve[@]}"
}

# With the command's own status and output.
cri_exec() {
	local answer
	answer=$(cri ExecSync "$(jq -nc --arg id "$container" '{container_id: $id, cmd: $ARGS.positional,
		timeout: 60}' --args -- "$@")") || return
	jq -r '.stdout, .stderr | select(. != null)' <<<"$answer"
	return "$(jq '.exit_code // 0' <<<"$answer")"
}
