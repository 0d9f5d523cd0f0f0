# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The eight services that are mined (tests/mine/NAME/tests), each from Debian's packages: how one is
# started. Needs base.bash, pod.bash and workloads.bash.

# shellcheck disable=SC2034
mined=(redis nginx memcached apache2 lighttpd python postgresql node)

# mined_site DIR PORT: what servers of pages serve, and configurations, for a service on PORT.
mined_site() {
	workloads_site "$1" "$2"
	cp "$ROOT/tests/mine/app.js" "$1"
	cat >"$1/apache2.conf" <<-EOT
		ServerRoot /usr/lib/apache2
		ServerName localhost
		Listen 127.0.0.1:$2
		PidFile /tmp/apache2.pid
		ErrorLog /dev/stderr
		LoadModule mpm_event_module modules/mod_mpm_event.so
		LoadModule authz_core_module modules/mod_authz_core.so
		LoadModule mime_module modules/mod_mime.so
		LoadModule dir_module modules/mod_dir.so
		LoadModule status_module modules/mod_status.so
		DefaultRuntimeDir /tmp
		TypesConfig /etc/mime.types
		User www-data
		Group www-data
		DocumentRoot /site
		<Location /server-status>
			SetHandler server-status
		</Location>
	EOT
	cat >"$1/lighttpd.conf" <<-EOT
		server.document-root = "/site"
		server.port = $2
		server.bind = "127.0.0.1"
		server.modules = ("mod_dirlisting", "mod_staticfile")
		dir-listing.activate = "enable"
		server.username = "www-data"
		server.groupname = "www-data"
		server.pid-file = "/tmp/lighttpd.pid"
		index-file.names = ("index.html")
		mimetype.assign = (".html" => "text/html", ".txt" => "text/plain")
	EOT
	chmod -R a+rX "$1"
}

# mined_command NAME PORT: sets `image`, `command`, `options` (podman's, of run) and `ready` (tamis mine's).
# shellcheck disable=SC2034
mined_command() {
	image=localhost/tamis-$1
	ready=(--ready-port "$2")
	options=("${pod_run_options[@]}" -v "$site:/site:ro")
	case $1 in
	redis) command=(redis-server --port "$2" --bind 127.0.0.1 --save '' --dir /tmp) ;;
	nginx | memcached) workload_command "$1" "$2" ;;
	apache2) command=(apache2 -f /site/apache2.conf -DFOREGROUND) ;;
	lighttpd) command=(lighttpd -D -f /site/lighttpd.conf) ;;
	node) command=(node /site/app.js "$2") ;;
	python)
		image=localhost/tamis-python3
		workload_command wsgi "$2"
		options+=(--stop-signal INT)
		;;
	postgresql)
		options+=(--user 1000 --stop-signal INT --shm-size 64m)
		# it takes connections before it has anything to say
		ready=(--ready-cmd "psql -h 127.0.0.1 -p $2 -U user -d postgres -c '\\q'")
		# shellcheck disable=SC2016
		command=(sh -c 'cd /tmp && PATH=$PATH:/usr/lib/postgresql/15/bin && initdb -D data -A trust -U user --locale=C >/dev/null && exec postgres -D data -k /tmp -c listen_addresses=127.0.0.1 -p "$0"' "$2")
		;;
	esac
}

# mined_images NAME...
mined_images() {
	local name
	for name; do
		"$ROOT/tests/images/build" "${name/#python/python3}" || return
	done
}
