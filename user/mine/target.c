/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/target.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"
#include "identity/cgroups.h"
#include "mine/stop.h"
#include "mine/target_internal.h"

static const struct target_ops *const kinds[] = {
	[TARGET_IMAGE] = &target_image,
	[TARGET_CONTAINER] = &target_container,
	[TARGET_UNIT] = &target_unit,
};

/* --- beginning and end ---------------------------------------------------------------------- */

static int make_dir(struct target *t, char **ret_why)
{
	const char *tmp = getenv("TMPDIR");
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	t->dir = text_format("%s/tamis-mine.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	t->token = text_format("%d-%" PRId64 "%03ld", (int)getpid(), (int64_t)now.tv_sec,
			       now.tv_nsec / 1000000);
	if (!t->dir || !t->token)
		return -ENOMEM;
	if (mkdtemp(t->dir))
		return 0;
	free(t->dir);
	t->dir = NULL;
	return text_why(-errno, ret_why, "no directory for temporary files: %s", strerror(errno));
}

int target_new(const struct target_options *o, struct target **ret, char **ret_why)
{
	_cleanup_(target_free) struct target *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return -ENOMEM;
	t->o = *o;
	t->ops = kinds[o->kind];
	t->pidfd = -1;
	t->identity = IDENTITY_INIT;
	r = make_dir(t, ret_why);
	if (r == 0)
		r = t->ops->open(t, ret_why);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(t);
	return 0;
}

static void forget_life(struct target *t)
{
	cleanup_closep(&t->pidfd);
	t->pidfd = -1;
	t->pid = 0;
	t->running = false;
	free(t->cgroup);
	t->cgroup = NULL;
	identity_done(&t->identity);
	t->identity = IDENTITY_INIT;
	inspected_done(&t->facts);
}

int target_clean(struct target *t, char **ret_why)
{
	if (!t->cleaned) {
		t->clean_r = t->ops->clean(t, &t->clean_why);
		t->cleaned = true;
		forget_life(t);
	}
	if (t->clean_r < 0 && t->clean_why)
		*ret_why = strdup(t->clean_why);
	return t->clean_r;
}

void target_free(struct target *t)
{
	_free_ char *why = NULL;

	if (!t)
		return;
	(void)target_clean(t, &why);
	if (t->dir)
		(void)rmdir(t->dir);
	oracle_argv_done(&t->owned);
	oracle_argv_done(&t->podman);
	oracle_argv_done(&t->create);
	free(t->dir);
	free(t->token);
	free(t->profile);
	free(t->id);
	free(t->unit);
	free(t->drop_in);
	free(t->pattern);
	free(t->clean_why);
	free(t);
}

const char *target_dir(const struct target *t)
{
	return t->dir;
}

/* Only slices are above a unit of the system's: who has a cgroup tree of his own can name his cgroups
 * like any unit, but below a scope or a service. */
static bool is_unit_of(const char *cgroup, const char *unit)
{
	static const char slice[] = ".slice";
	size_t len = strlen(unit);
	const char *part = cgroup, *end;

	for (; *part == '/'; part = end) {
		end = strchrnul(part + 1, '/');
		if ((size_t)(end - part) == len && memcmp(part, unit, len) == 0)
			return true;
		if (end - part < (ptrdiff_t)sizeof(slice) ||
		    memcmp(end - strlen(slice), slice, strlen(slice)) != 0)
			return false;
	}
	return false;
}

bool target_owns(const struct target *t, const char *cgroup)
{
	for (size_t i = 0; i < t->owned.cnt; i++) {
		const char *word = t->owned.word[i];

		if (*word == '/' ? is_unit_of(cgroup, word) : strstr(cgroup, word) != NULL)
			return true;
	}
	return false;
}

const char *const *target_watch(const struct target *t)
{
	return t->watch[0] ? t->watch : NULL;
}

/* --- a life --------------------------------------------------------------------------------- */

static int cgroup_of(pid_t pid, char **ret)
{
	_free_ char *path = text_format("/proc/%d/cgroup", (int)pid), *text = NULL;
	const char *line;
	int r = path ? file_read(path, 65536, &text, NULL) : -ENOMEM;

	if (r < 0)
		return r;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return -ENOENT;
	line += *line == '\n' ? 4 : 3;
	*ret = strndup(line, strcspn(line, "\n"));
	return *ret ? 0 : -ENOMEM;
}

/* One that ended at once has none of these, and that is what is said of it later. */
static void begin_life(struct target *t)
{
	const struct identity_options host = { .watch = target_watch(t) };

	t->running = true;
	t->pidfd = t->pid > 0 ? pidfd_open(t->pid, 0) : -1;
	if (t->pidfd >= 0 && cgroup_of(t->pid, &t->cgroup) == 0)
		(void)identity_of_path(&host, t->cgroup, &t->identity);
}

static int keep_profile(struct target *t, const char *profile)
{
	char *copy = profile ? strdup(profile) : NULL;

	if (profile && !copy)
		return -ENOMEM;
	free(t->profile);
	t->profile = copy;
	return 0;
}

int target_start(struct target *t, const char *profile, char **ret_why)
{
	int r = profile == t->profile ? 0 : keep_profile(t, profile);

	if (r < 0)
		return r;
	forget_life(t);
	r = t->ops->start(t, t->profile, ret_why);
	if (r < 0)
		return stop_asked(t->o.stop_fd) ? -EINTR : r;
	begin_life(t);
	return 0;
}

int target_stop(struct target *t, char **ret_why)
{
	int r = t->ops->stop(t, ret_why);

	if (r < 0)
		return stop_asked(t->o.stop_fd) ? -EINTR : r;
	forget_life(t);
	return 0;
}

int target_restart(struct target *t, char **ret_why)
{
	int r = target_stop(t, ret_why);

	return r < 0 ? r : target_start(t, t->profile, ret_why);
}

static bool has_ended(const struct target *t)
{
	struct pollfd p = { .fd = t->pidfd, .events = POLLIN };

	return t->pidfd < 0 || (poll(&p, 1, 0) > 0 && p.revents);
}

int target_runs(struct target *t, int *ret_status)
{
	if (t->running && !has_ended(t))
		return 1;
	if (ret_status)
		*ret_status = t->ops->status(t);
	return 0;
}

/* The directory of its cgroup; NULL: not known. */
static char *cgroup_dir(const struct target *t)
{
	_free_ char *mount = NULL;

	if (cgroups_find(&mount) < 0 || !mount || !t->cgroup)
		return NULL;
	return text_format("%s%s", mount, t->cgroup);
}

uint64_t target_work(struct target *t)
{
	_free_ char *dir = cgroup_dir(t);
	uint64_t ticks = 0;

	if (dir && target_works(dir, &ticks))
		t->worked++;
	return ticks + t->worked;
}

int target_look(struct target *t, struct target_facts *ret)
{
	_free_ char *dir = NULL;

	if (!t->running || has_ended(t))
		return -ESRCH;
	*ret = (struct target_facts){
		.id = t->id,
		.key = t->identity.key,
		.pid = t->pid,
		.image = t->facts.image,
		.runtime = t->facts.runtime,
		.program = t->facts.program,
		.host = t->facts.host ?: "127.0.0.1",
		.exposes = t->facts.exposes,
		.health = t->facts.health,
	};
	dir = cgroup_dir(t);
	if (dir)
		ret->port_cnt = target_ports(dir, t->pid, ret->port, ARRAY_SIZE(ret->port));
	return 0;
}

/* --- what is done to it --------------------------------------------------------------------- */

int target_exec(struct target *t, const char *const *argv, int64_t limit_ms, struct run_result *ret)
{
	return t->ops->exec(t, argv, limit_ms, ret);
}

int target_signal(struct target *t, int signal)
{
	if (t->pidfd < 0)
		return -ESRCH;
	return pidfd_send_signal(t->pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int target_log(struct target *t, char **ret)
{
	return t->ops->log(t, ret);
}

int target_healthy(struct target *t)
{
	return t->ops->healthy(t);
}

int target_netns(struct target *t)
{
	_free_ char *path = text_format("/proc/%d/ns/net", (int)t->pid);
	int fd = path && t->pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	return fd < 0 ? -ESRCH : fd;
}
