/* SPDX-License-Identifier: Apache-2.0 */
#include "mine/test.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/stream.h"
#include "base/text.h"
#include "mine/explore.h"
#include "mine/run.h"
#include "mine/target.h"

#define TESTS_MAX 4096
#define SKIPPED	  77
#define WHY_MAX	  300
#define ENV_CNT	  6

/* --- lists ---------------------------------------------------------------------------------- */

static void test_done(struct mine_test *t)
{
	for (char **word = t->argv; word && *word; word++)
		free(*word);
	free(t->argv);
	free(t->name);
}

void mine_tests_done(struct mine_tests *t)
{
	for (size_t i = 0; i < t->cnt; i++)
		test_done(&t->test[i]);
	free(t->test);
	*t = (struct mine_tests){ 0 };
}

static char **copy_words(const char *const *argv)
{
	size_t cnt = 0;
	char **ret;

	while (argv[cnt])
		cnt++;
	ret = calloc(cnt + 1, sizeof(*ret));
	for (size_t i = 0; ret && i < cnt; i++) {
		ret[i] = strdup(argv[i]);
		if (ret[i])
			continue;
		while (i > 0)
			free(ret[--i]);
		free(ret);
		return NULL;
	}
	return ret;
}

int mine_tests_add(struct mine_tests *t, const char *name, const char *const *argv)
{
	struct mine_test new = { 0 }, *more;

	if (t->cnt >= TESTS_MAX)
		return -E2BIG;
	more = reallocarray(t->test, t->cnt + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	t->test = more;
	new.name = strdup(name);
	new.argv = copy_words(argv);
	if (!new.name || !new.argv) {
		test_done(&new);
		return -ENOMEM;
	}
	t->test[t->cnt++] = new;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct mine_test *x = a, *y = b;

	return strverscmp(x->name, y->name);
}

static int add_file(struct mine_tests *t, const char *dir, int fd, const char *name)
{
	_free_ char *path = NULL;
	struct stat st;

	if (name[0] == '.' || fstatat(fd, name, &st, 0) < 0 || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & 0111))
		return 0;
	path = text_format("%s/%s", dir, name);
	return path ? mine_tests_add(t, name, (const char *const[]){ path, NULL }) : -ENOMEM;
}

int mine_tests_dir(const char *dir, struct mine_tests *ret)
{
	_free_ char *full = realpath(dir, NULL);
	_mine_tests_ struct mine_tests t = { 0 };
	DIR *d = full ? opendir(full) : NULL;
	struct dirent *e;
	int r = 0;

	if (!d)
		return -errno;
	while (r == 0 && (e = readdir(d)))
		r = add_file(&t, full, dirfd(d), e->d_name);
	closedir(d);
	if (r == 0 && t.cnt == 0)
		r = -ENODATA;
	if (r < 0)
		return r;
	qsort(t.test, t.cnt, sizeof(*t.test), compare);
	*ret = t;
	t = (struct mine_tests){ 0 };
	return 0;
}

/* --- where the service is ------------------------------------------------------------------- */

struct environment {
	char *variable[ENV_CNT + 1];
};

static void environment_done(struct environment *e)
{
	for (size_t i = 0; i < ENV_CNT; i++)
		free(e->variable[i]);
}

static char *ports_text(const struct target_facts *f)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = stream_open(&text, &len);

	if (!out)
		return NULL;
	fputs("TAMIS_PORTS=", out);
	for (unsigned i = 0; i < f->port_cnt; i++)
		fprintf(out, "%s%" PRIu16, i ? " " : "", f->port[i]);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

static int make_environment(struct target *t, struct environment *e)
{
	struct target_facts f = { 0 };
	size_t i = 0;

	(void)target_look(t, &f);
	e->variable[i++] = text_format("TAMIS_HOST=%s", f.host ?: "");
	if (f.port_cnt)
		e->variable[i++] = text_format("TAMIS_PORT=%" PRIu16, f.port[0]);
	else
		e->variable[i++] = strdup("TAMIS_PORT=");
	e->variable[i++] = ports_text(&f);
	e->variable[i++] = text_format("TAMIS_CONTAINER=%s", f.id ?: "");
	e->variable[i++] = text_format("TAMIS_PID=%" PRId64, f.pid);
	e->variable[i++] = text_format("TAMIS_IMAGE=%s", f.image ?: "");
	for (i = 0; i < ENV_CNT; i++)
		if (!e->variable[i])
			return -ENOMEM;
	return 0;
}

/* --- what came of it ------------------------------------------------------------------------ */

void mine_outcome_done(struct mine_outcome *o)
{
	free(o->why);
	*o = (struct mine_outcome){ 0 };
}

int mine_outcome_compare(struct mine_outcome *o, const struct mine_outcome *before)
{
	if (o->outcome != MATRIX_PASS || before->outcome != MATRIX_PASS ||
	    o->excused <= before->excused)
		return 0;
	free(o->why);
	o->outcome = MATRIX_FAIL;
	o->why = text_format("%u skipped or excused, %u without the policy", o->excused,
			     before->excused);
	return o->why ? 0 : -ENOMEM;
}

static char *why_status(const struct run_result *r)
{
	_free_ char *line = run_last_line(r, WHY_MAX);
	const char *sep = line && *line ? ": " : "";

	if (!line)
		return NULL;
	if (WIFSIGNALED(r->status))
		return text_format("ended by signal %d (%s)%s%s", WTERMSIG(r->status),
				   sigabbrev_np(WTERMSIG(r->status)) ?: "?", sep, line);
	return text_format("exit status %d%s%s", WEXITSTATUS(r->status), sep, line);
}

static char *why_tap(const struct tap *t)
{
	if (t->first_failed)
		return strndup(t->first_failed, t->first_len > WHY_MAX ? WHY_MAX : t->first_len);
	if (t->bailed)
		return strdup("it bailed out");
	return text_format("%u tests were planned, %u ran", t->planned, t->ok + t->failed);
}

/* Of output that was cut nobody knows how many ran. */
static bool tap_is_bad(const struct tap *t, bool cut)
{
	return t->failed > 0 || t->bailed ||
	       (t->has_plan && !cut && t->planned != t->ok + t->failed);
}

static int judge(const struct run_result *r, int64_t limit_ms, struct mine_outcome *o)
{
	bool exited = WIFEXITED(r->status);
	struct tap tap = { 0 };
	bool is_bad = r->out && tap_read(r->out, r->out_len, &tap) && tap_is_bad(&tap, r->cut);

	o->took_ms = r->took_ms;
	o->tap_ok = tap.ok;
	o->tap_failed = tap.failed;
	o->excused = tap.excused + (tap.has_plan && tap.planned == 0) +
		     (exited && WEXITSTATUS(r->status) == SKIPPED);
	o->outcome = MATRIX_PASS;
	if (r->hung) {
		o->outcome = MATRIX_HUNG;
		o->why = text_format("no end after %" PRId64 " s", limit_ms / 1000);
		return o->why ? 0 : -ENOMEM;
	}
	if (exited && WEXITSTATUS(r->status) == SKIPPED)
		return 0;
	if (exited && WEXITSTATUS(r->status) == 0 && !is_bad)
		return 0;
	o->outcome = MATRIX_FAIL;
	o->why = is_bad ? why_tap(&tap) : why_status(r);
	return o->why ? 0 : -ENOMEM;
}

/* One that can't be run at all has failed. */
static int judge_error(int error, struct mine_outcome *o)
{
	o->outcome = MATRIX_FAIL;
	o->why = text_format("can't be run: %s", strerror(-error));
	return o->why ? 0 : -ENOMEM;
}

int mine_test_run(const struct mine_test *t, struct target *target, int64_t limit_ms, int stop_fd,
		  struct mine_outcome *ret)
{
	__attribute__((cleanup(environment_done))) struct environment env = { 0 };
	_run_result_ struct run_result result = { 0 };
	const struct run_options o = {
		.argv = (const char *const *)t->argv,
		.env = (const char *const *)env.variable,
		.limit_ms = limit_ms,
		.stop_fd = stop_fd,
	};
	int r;

	if (t->explore)
		return exploration_run(t->explore, target, limit_ms, stop_fd, ret);
	r = make_environment(target, &env);
	if (r < 0)
		return r;
	*ret = (struct mine_outcome){ 0 };
	r = run_program(&o, &result);
	if (r == -EINTR || r == -ENOMEM)
		return r;
	return r < 0 && !result.hung ? judge_error(r, ret) : judge(&result, limit_ms, ret);
}
