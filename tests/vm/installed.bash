# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# tamis as `make install` leaves it, for tests in a virtual machine with systemd. Needs base.bash.

state=/var/lib/tamis

# installed: with the configuration from standard input, and started.
installed() {
	install -D "$O/tamis" /usr/local/sbin/tamis
	install -D -t /usr/local/libexec "$O/tamis-start" "$O/tamis-keeper"
	install -m 644 -t /etc/systemd/system "$ROOT"/user/systemd/tamis*
	mkdir -p /etc/tamis /etc/systemd/system/tamis.service.d
	cat >/etc/tamis/tamis.conf
	# an emulated machine, whose host has other work, too
	printf '[Service]\nTimeoutStartSec=600\n' >/etc/systemd/system/tamis.service.d/vm.conf
	systemctl daemon-reload
	systemctl start tamis-keeper.socket tamis
}

# uninstalled NAME: among the results are NAME.journal and NAME.start.log then.
uninstalled() {
	systemctl stop tamis tamis-keeper.socket tamis-keeper
	/usr/local/sbin/tamis daemon --unpin
	journalctl -o short-monotonic --no-pager >"/run/results/$1.journal"
	cp "$state/start.log" "/run/results/$1.start.log" || true
	rm -rf /etc/tamis "$state" /etc/systemd/system/tamis*
}

# The installed one, on its own store.
tamis() {
	/usr/local/sbin/tamis "$@"
}

# main_pid UNIT: of a service that runs.
main_pid() {
	local pid
	pid=$(systemctl show -P MainPID "$1")
	((pid > 1)) && echo "$pid"
}

other_pid() {
	local pid
	pid=$(main_pid "$1") && [[ $pid != "$2" ]]
}

# killed UNIT: its first process, and it is started again by systemd.
killed() {
	local before
	before=$(main_pid "$1")
	kill -KILL "$before"
	wait_for 60 other_pid "$1" "$before"
}

# under UNIT MODE: what the kernel says of its main process: 0 no filter, 2 filters.
under() {
	local pid
	pid=$(main_pid "$1") || return
	[[ $(awk '$1 == "Seccomp:" { print $2 }' "/proc/$pid/status") == "$2" ]]
}
