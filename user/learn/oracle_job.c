/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of engines, step by step, and replays. */
#include <errno.h>
#include <string.h>

#include "learn/oracle_internal.h"

bool oracle_is_command(const char *hardened)
{
	return *hardened == '/' || strpbrk(hardened, " \t") != NULL;
}

bool oracle_is_twin(const char *key)
{
	const char *slash = strrchr(key, '/');

	return strncmp(slash ? slash + 1 : key, ORACLE_TWIN_PREFIX, strlen(ORACLE_TWIN_PREFIX)) ==
	       0;
}

/* --- actions ---------------------------------------------------------------------------------- */

void oracle_job_end(struct oracle_job *j)
{
	oracle_child_free(j->run.child);
	*j = (struct oracle_job){ 0 };
}

/* 0: its child runs. 1: it may be asked for the next step. */
static int look_at_child(struct oracle_job *j)
{
	if (!j->run.child)
		return 1;
	if (!oracle_child_ended(j->run.child, &j->run.code))
		return 0;
	oracle_child_free(TAKE_PTR(j->run.child));
	j->run.step++;
	return 1;
}

int oracle_job_go(struct oracle_job *j, const struct oracle_machine *m, const char *dir,
		  enum oracle_action action)
{
	int r = 1;

	if (j->on && j->run.action != action)
		oracle_job_end(j);
	if (!j->on)
		*j = (struct oracle_job){
			.on = true,
			.run = { .o = &m->row, .dir = dir, .action = action },
		};
	j->run.o = &m->row; /* the list of machines may have moved */
	/* steps that are done at once follow each other at once */
	while (r > 0 && look_at_child(j)) {
		r = m->engine->go(&j->run);
		if (!j->run.child)
			break;
	}
	if (r <= 0)
		oracle_job_end(j);
	return r;
}

/* --- replay ----------------------------------------------------------------------------------- */

int oracle_replay_go(struct oracle_machine *m)
{
	static const struct oracle_child_out nowhere;
	const char *const argv[] = { "/bin/sh", "-c", m->row.replay, NULL };
	int r;

	if (!m->replay) {
		r = oracle_child_run(argv, &nowhere, &m->replay);
		return r < 0 ? r : 1;
	}
	return !oracle_child_ended(m->replay, NULL);
}
