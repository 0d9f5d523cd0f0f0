/* SPDX-License-Identifier: Apache-2.0 */
/* The socket, and what else the service manager kept. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>

#include "apply/note.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "keeper/fdstore.h"
#include "keeper/keeper_internal.h"
#include "keeper/peer.h"

static int take_listener(struct keeper *k, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = &k->listener };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &e) < 0)
		return -errno;
	k->listener = (struct source){ SOURCE_LISTENER, fd };
	return 0;
}

/* --- what was kept -------------------------------------------------------------------------- */

static void inherit(struct keeper *k, int fd, const char *name)
{
	uint64_t number = 0;
	int r = -EINVAL;

	if (fdstore_number(name, "notify", &number) && number && peer_is_filter(fd)) {
		r = filters_add(k, fd, number);
		fd = -1;
	} else if (fdstore_number(name, "conn", &number) && number &&
		   sd_is_socket_unix(fd, SOCK_STREAM, 0, NULL, 0) > 0) {
		conns_restore(k, fd, number);
		return;
	} else if (k->listener.fd < 0 && sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0) {
		r = take_listener(k, fd);
	}
	if (r == 0)
		return;
	log_err_errno(r, "what was handed on as \"%s\" isn't used", name ? name : "");
	if (fd >= 0)
		close(fd);
}

static void free_names(char ***names)
{
	for (char **n = *names; n && *n; n++)
		free(*n);
	free(*names);
}

/* Filters before connections, and both before new ones, so that no number is used twice and a filter
 * is known when it comes again. */
void listen_inherit(struct keeper *k)
{
	__attribute__((cleanup(free_names))) char **names = NULL;
	int cnt = sd_listen_fds_with_names(1, &names);
	uint64_t number;

	for (int i = 0; i < cnt; i++)
		if ((fdstore_number(names[i], "notify", &number) ||
		     fdstore_number(names[i], "conn", &number)) &&
		    number >= k->next_number)
			k->next_number = number + 1;
	for (int i = 0; i < cnt; i++)
		inherit(k, SD_LISTEN_FDS_START + i, names[i]);
	if (k->filter_cnt > 0)
		log_info("%zu filters are kept on", k->filter_cnt);
}

/* --- a socket of our own -------------------------------------------------------------------- */

/* One that a keeper which was killed left: nobody answers there. */
static int remove_stale(const struct sockaddr_un *sa)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (lstat(sa->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 || errno != ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(sa->sun_path) < 0 ? -errno : 0;
}

static int check_dir(const char *path)
{
	_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	_close_ int fd = dir ? note_open_dir(AT_FDCWD, *dir ? dir : "/", false) : -ENOMEM;

	return fd < 0 ? fd : 0;
}

static int make(const struct sockaddr_un *sa)
{
	_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask;
	int r;

	if (fd < 0)
		return -errno;
	mask = umask(0177);
	r = bind(fd, (const struct sockaddr *)sa, sizeof(*sa)) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == 0 && listen(fd, SOMAXCONN) < 0)
		r = -errno;
	return r < 0 ? r : TAKE_FD(fd);
}

int listen_make(struct keeper *k)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	_free_ char *own = text_format("%s/keeper.sock", k->options.run);
	const char *path = k->options.socket ? k->options.socket : own;
	int r = path ? 0 : -ENOMEM;

	if (r == 0 && (*path != '/' || strlen(path) >= sizeof(sa.sun_path)))
		r = *path != '/' ? -EINVAL : -ENAMETOOLONG;
	if (r == 0)
		r = check_dir(path);
	if (r == 0) {
		memcpy(sa.sun_path, path, strlen(path) + 1);
		r = remove_stale(&sa);
	}
	if (r == 0)
		r = make(&sa);
	if (r >= 0)
		r = take_listener(k, r);
	if (r == 0)
		k->own_socket = strdup(path);
	return r < 0 && path ? log_err_errno(r, "%s", path) : r;
}

void listen_end(struct keeper *k)
{
	if (k->own_socket)
		(void)unlink(k->own_socket);
	free(k->own_socket);
	k->own_socket = NULL;
}
