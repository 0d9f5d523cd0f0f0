# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Tests that any server of static pages passes.
# shellcheck source=tests/mine/lib.bash
. "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/lib.bash"

web_pages() {
	expect 'it works' curl -m 20 -sf "$url/index.html"
	expect one curl -m 20 -sf "$url/sub/one.txt"
	status 200 -I "$url/index.html"
}

web_large() {
	expect 300000 curl -m 20 -s -o /dev/null -w '%{size_download}' "$url/large.bin"
	expect 11 curl -m 20 -s -o /dev/null -w '%{size_download}' -r 10-20 "$url/large.bin"
}

web_none() {
	status 404 "$url/none"
	status 404 "$url/sub/../../etc/passwd" --path-as-is || status 400 "$url/sub/../../etc/passwd" --path-as-is
}

web_load() {
	wrk -t1 -c20 -d1s "$url/index.html" | grep_all Requests/sec
	wrk -t1 -c4 -d1s "$url/large.bin" | grep_all Requests/sec
}

web_kept_alive() {
	talk_s=2 talk 'GET /index.html HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET /sub/one.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | grep -c '^HTTP/1.1 200' | grep_all -x 2
}

web_broken() {
	talk_s=2 talk 'NOT HTTP\r\n\r\n' >/dev/null
	(exec 3<>"/dev/tcp/$host/$port" && printf 'GET /index' >&3 && exec 3>&-)
	head -c 20000 /dev/zero | tr '\0' a | (exec 3<>"/dev/tcp/$host/$port" && cat >&3; timeout 2 cat <&3) >/dev/null 2>&1 || true
	expect 'it works' curl -m 20 -sf "$url/index.html"
}

web_slow() {
	exec 3<>"/dev/tcp/$host/$port"
	printf 'GET /index.html HT' >&3
	sleep 1
	printf 'TP/1.0\r\n\r\n' >&3
	timeout 5 cat <&3 | grep_all 'it works'
}
