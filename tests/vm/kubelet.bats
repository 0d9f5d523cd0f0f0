#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# In a virtual machine with systemd: a pod that names a file below the kubelet's directory, whose
# containers get what is applied when they next start. containerd is asked as a kubelet asks it.

load ../lib/base.bash
load ../lib/daemon.bash
load guest.bash
load engines.bash
load cri.bash

profiles=/var/lib/kubelet/seccomp/tamis

setup_file() {
	mkdir -p /etc/tamis
	printf '[apply]\nkubelet-dir = %s\ntrial = 5\n' "$profiles" >/etc/tamis/tamis.conf
	cri_start
	file_daemon --config /etc/tamis/tamis.conf
}

teardown_file() {
	file_daemon_end
	cri_stop
	rm -rf /etc/tamis
}

setup() {
	file_daemon_enter
	cri_setup
}

teardown() {
	cri_teardown
	rm -rf "$profiles"
}

# local_start NAME ATTEMPT COMMAND...: under the file of that name, as a pod's localhostProfile is.
local_start() {
	container_start "$1" "$2" "{\"seccomp\": {\"profile_type\": 2,
		\"localhost_ref\": \"$profiles/shop/$pod_name/$1.json\"}}" "${@:3}"
}

file_of() {
	echo "$profiles/shop/$pod_name/$1.json"
}

inode_of() {
	stat -c %i "$1"
}

under() {
	[[ $(awk '$1 == "Seccomp:" { print $2 }' "/proc/$(container_pid)/status") == "$1" ]]
}

@test "kubelet: a placeholder, then the policy from the next start on, then the placeholder" {
	local key=kubernetes/shop/web/app attempt=0 placeholder
	pod_name=web
	pod_start systemd burstable web
	# without the file no container starts: this is what the placeholder is for
	run local_start app 0 sh -c "$engine_work"
	[[ $status != 0 ]]
	tamis_install kubelet "$key" --kubelet-dir "$profiles"
	placeholder=$(<"$(file_of app)")
	local_start app "$((++attempt))" sh -c "$engine_work; sleep 600"
	under 2
	cri ExecSync "{\"container_id\": \"$container\", \"timeout\": 60, \"cmd\":
		[\"sh\", \"-c\", \"echo inside\"]}" | json_is '.stdout == "inside\n"'
	container_stop
	wait_for 60 has_starts "$key" 1
	workload_ended "$key"
	# the file is looked at all the while: it is never gone, and never half
	watch_file "$(file_of app)" &
	tamis apply "$key"
	[[ $(<"$(file_of app)") != "$placeholder" ]]
	local_start app "$((++attempt))" sh -c "$engine_more; sleep 600"
	wait_for 60 grep -q 'F end$' "$log"
	under 2
	cat "$log"
	grep -q 'F child$' "$log"
	[[ $(<"$log") != *'F open'* ]]
	container_stop
	wait_for 60 has_starts "$key" 2
	tamis release "$key"
	[[ $(<"$(file_of app)") == "$placeholder" ]]
	local_start app "$((++attempt))" sh -c "$engine_more"
	container_end
	grep -q 'F open$' "$log"
	touch stop
	wait
	[[ $(<watched) == ok ]]
}

tamis_install() {
	"$TAMIS" install "$@"
}

# watch_file FILE: `watched` says ok when it was a whole profile whenever somebody looked.
watch_file() {
	local looks=0
	while [[ ! -e stop ]]; do
		json_is '.defaultAction | startswith("SCMP_ACT_")' <"$1" || { echo bad; break; }
		((++looks))
		sleep 0.2
	done >watched 2>&1
	[[ -s watched ]] || ((looks < 3)) || echo ok >watched
}

@test "kubelet: keys and links that lead elsewhere" {
	local key
	for key in kubernetes/shop/../../etc kubernetes/shop/web podman/web kubernetes/shop/web/a/b; do
		run tamis_install kubelet "$key" --kubelet-dir "$profiles"
		[[ $status == 1 && ${#lines[@]} == 1 ]]
	done
	mkdir -p "$profiles" elsewhere
	ln -s "$PWD/elsewhere" "$profiles/shop"
	run tamis_install kubelet kubernetes/shop/web/app --kubelet-dir "$profiles"
	echo "$output"
	[[ $status == 1 && $output == *'a link'* ]]
	[[ -z $(ls elsewhere) ]]
}
