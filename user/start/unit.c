/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit's trial, from the commands in its drop-in (apply/unit.h). The one place in tamis-start that
 * reads the environment, which is systemd's here: $INVOCATION_ID tells starts apart, $SERVICE_RESULT,
 * $EXIT_CODE and $EXIT_STATUS how one ended; each at most ENV_MAX bytes, and never printed. A unit that
 * sets one of them itself (Environment=) spoils its own trial, not another's.
 *
 * That systemd calls a unit ready doesn't end its trial: a refused call may come with the first
 * request.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "apply/applied.h"
#include "apply/trial.h"
#include "apply/unit.h"
#include "base/file.h"
#include "identity/key.h"
#include "start/report.h"
#include "start/start.h"
#include "start/unit_end.h"

#define ENV_MAX	     64
#define CGROUP_MAX   (16u << 10)
#define ALARM_S	     60 /* systemd's own patience is 90 s */
#define REPORT_IDENT "tamis-start"

struct unit {
	const char *state;
	char *key;
	struct applied applied;
};

static void unit_donep(struct unit *u)
{
	applied_done(&u->applied);
	free(u->key);
}

static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s && strnlen(s, ENV_MAX) < ENV_MAX ? s : NULL;
}

/* 32 hex digits; anything else isn't systemd's. */
static const char *invocation(void)
{
	const char *s = env("INVOCATION_ID");

	return s && strlen(s) == 32 && s[strspn(s, "0123456789abcdef")] == '\0' ? s : NULL;
}

/* --- back to what was good --------------------------------------------------------------- */

/* By descriptor, so that the daemon takes its calls for a start's, not for the unit's. */
static int run_systemctl(void)
{
	static char *const argv[] = { "systemctl", "daemon-reload", NULL }, *const none[] = {
		NULL
	};
	_close_ int fd = open("/usr/bin/systemctl", O_RDONLY | O_CLOEXEC);
	int status = 0;
	pid_t pid;

	if (fd < 0)
		fd = open("/bin/systemctl", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		fexecve(fd, argv, none);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

static int take_back(const struct unit *u, const struct trial_said *said)
{
	const struct applied *a = &u->applied;
	const struct unit_options o = { .state = u->state };
	const struct generation *good = a->has_good ? &a->good : NULL;
	_free_ char *text = NULL, *why = NULL;
	int r = unit_text(a, good, &o, &text, &why);

	if (r == 0)
		r = unit_place(u->key, text, &o, &why);
	if (r < 0) {
		report_fault(u->key, "generation %u failed (%s), and is still there: %s",
			     a->now.number, said->why, why ? why : strerror(-r));
		return r;
	}
	r = run_systemctl();
	if (r < 0)
		report_fault(u->key,
			     "generation %u failed (%s); systemd has to be told: systemctl "
			     "daemon-reload",
			     a->now.number, said->why);
	else if (good)
		report_fault(u->key, "generation %u failed (%s): back to generation %u",
			     a->now.number, said->why, good->number);
	else
		report_fault(u->key, "generation %u failed (%s): the unit is as it was",
			     a->now.number, said->why);
	return r;
}

static int judge(const struct unit *u)
{
	struct trial t = { 0 };
	struct trial_said said;
	int r = trial_read(u->state, u->key, u->applied.now.number, NULL, &t);

	if (r < 0) {
		report_fault(u->key, "its trial can't be read: %s", strerror(-r));
		return r;
	}
	said = trial_judge(t.start, t.cnt, u->applied.trial_s);
	trial_done(&t);
	return said.verdict == TRIAL_FAILED ? take_back(u, &said) : 0;
}

/* --- a start, an end --------------------------------------------------------------------- */

/* The unit's cgroup: where this process is, without a part of a delegated unit's. Caller frees. */
static char *own_cgroup(void)
{
	_free_ char *text = NULL;
	char *line, *end, *last;
	size_t len;

	if (file_read("/proc/self/cgroup", CGROUP_MAX, &text, &len) < 0)
		return NULL;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	end = line + strcspn(line, "\n");
	*end = '\0';
	last = strrchr(line, '/');
	if (strcmp(last, "/.control") == 0)
		*last = '\0';
	return strdup(line);
}

static int note_start(const struct unit *u)
{
	_free_ char *cgroup = own_cgroup();
	const char *id = invocation();
	int r = trial_add_start(u->state, u->key, u->applied.now.number, id ? id : "", cgroup);

	if (r < 0)
		report_fault(u->key, "its trial can't be noted: %s", strerror(-r));
	return r < 0 ? r : judge(u);
}

static int note_end(const struct unit *u)
{
	const char *id = invocation();
	enum trial_end end;
	int code = 0, r;

	end = unit_end_read(env("SERVICE_RESULT"), env("EXIT_CODE"), env("EXIT_STATUS"), &code);
	r = trial_add_end(u->state, u->key, id ? id : "", end, code);
	if (r < 0)
		report_fault(u->key, "its end can't be noted: %s", strerror(-r));
	return r < 0 ? r : judge(u);
}

static int find(const char *state, const char *name, struct unit *ret)
{
	const char *parts[] = { name, NULL };
	_free_ char *why = NULL;
	int r = key_parts("systemd", 0, parts, &ret->key);

	ret->state = state;
	if (r == 0)
		r = applied_read(state, ret->key, &ret->applied, &why);
	if (r < 0 && r != -ENOENT)
		report_fault(ret->key ? ret->key : "?", "%s", why ? why : strerror(-r));
	return r;
}

int start_unit(const char *state, const char *unit, bool stopped)
{
	__attribute__((cleanup(unit_donep))) struct unit u = { 0 };
	int r;

	alarm(ALARM_S);
	report_to(state, REPORT_IDENT);
	r = find(state, unit, &u);
	if (r == -ENOENT)
		return EXIT_SUCCESS;
	if (r == 0 && u.applied.mode == MODE_ENFORCE && u.applied.now.state == GENERATION_TRIAL)
		r = stopped ? note_end(&u) : note_start(&u);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
