# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the tests of services share: where the service is, and how to say that it isn't so.
set -euo pipefail
host=${TAMIS_HOST:-127.0.0.1} port=${TAMIS_PORT:?}
# shellcheck disable=SC2034
url=http://$host:$port

# expect WANTED COMMAND...: its output is that, whole.
expect() {
	local got
	got=$("${@:2}") || { printf 'failed: %s\n' "${*:2}"; return 1; }
	[[ $got == "$1" ]] || { printf '%s: %q, not %q\n' "${*:2}" "$got" "$1"; return 1; }
}

# status CODE CURL_ARGUMENTS...: of the answer.
status() {
	expect "$1" curl -m 20 -s -o /dev/null -w '%{http_code}' "${@:2}"
}

# talk LINE...: on one connection, which the service ends or a second does.
talk() {
	exec 3<>"/dev/tcp/$host/$port"
	printf '%b' "$@" >&3
	timeout "${talk_s:-5}" cat <&3 || true
	exec 3>&-
}

# As grep -q, but reads to the end: who writes to it is not ended by SIGPIPE.
grep_all() {
	grep "$@" >/dev/null
}
