/* SPDX-License-Identifier: Apache-2.0 */
/* From a notification to its answer. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "keeper/caller.h"
#include "keeper/faults.h"
#include "keeper/keeper_internal.h"
#include "model/calls.h"

#define SAY_MS 60000

/* --- the journal ---------------------------------------------------------------------------- */

/* Once a minute: calls are answered all the same. */
static void journal_failed(struct keeper *k, int r)
{
	int64_t now = keeper_now();

	if (now - k->journal_failed < SAY_MS)
		return;
	k->journal_failed = now;
	log_err_errno(r, "the journal can't be written, calls are answered all the same%s",
		      r == -ENOBUFS ? "; they are counted" : "");
}

static bool has_journal(struct keeper *k)
{
	int r = k->journal ? 0 : journal_open(k->options.state, &k->journal);

	if (r < 0)
		journal_failed(k, r);
	return r == 0;
}

/* False: it isn't kept. */
static bool journal(struct keeper *k, struct journal_entry e)
{
	int r;

	if (!has_journal(k))
		return false;
	e.time = time(NULL);
	r = journal_add(k->journal, &e);
	if (r < 0)
		journal_failed(k, r);
	return r != -ENOBUFS;
}

bool serve_told(void *keeper, const struct journal_entry *e)
{
	char name[CALLS_NAME_MAX];

	if (e->kind == JOURNAL_HOT)
		log_info("%s asks for %s more than %d times a minute: restart it to make it free",
			 *e->key ? e->key : "somebody", calls_print(e->abi, e->nr, name),
			 KEEPER_HOT);
	return journal(keeper, *e);
}

void serve_tell(struct keeper *k)
{
	int r;

	tally_tell(k->tally);
	r = has_journal(k) ? journal_flush(k->journal) : 0;
	if (r < 0)
		journal_failed(k, r);
	k->behind = k->journal && journal_is_behind(k->journal);
}

bool serve_waits(const struct keeper *k)
{
	return (k->journal && journal_waits(k->journal)) || tally_waits(k->tally);
}

/* --- answers -------------------------------------------------------------------------------- */

/* The caller still waits, so what was read of its number was its own. */
static bool is_valid(const struct kept *f, uint64_t id)
{
	return ioctl(f->source.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

static void send_answer(const struct kept *f, uint64_t id, int error)
{
	struct seccomp_notif_resp a = {
		.id = id,
		.error = -error,
		.flags = error ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	if (ioctl(f->source.fd, SECCOMP_IOCTL_NOTIF_SEND, &a) == 0 || errno == ENOENT ||
	    errno == EINPROGRESS)
		return;
	/* A kernel that can't let a call go on: at least it doesn't wait. */
	a.flags = 0;
	a.error = -ENOSYS;
	(void)ioctl(f->source.fd, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

/* The first time of a call is journalled, before it is answered. */
static void note(struct keeper *k, const struct kept *f, const struct seccomp_notif *n,
		 struct journal_entry *e)
{
	_caller_ struct caller c = { 0 };

	if (!tally_add(k->tally, e, keeper_now()))
		return;
	caller_read((pid_t)n->pid, &c);
	if (!is_valid(f, n->id)) {
		/* Its number may be somebody else's by now. */
		caller_done(&c);
		c.pid = n->pid;
	}
	e->pid = c.pid;
	e->comm = c.comm;
	e->exe = c.exe;
	if (!journal(k, *e))
		tally_lost(k->tally, e);
}

static void answer(struct keeper *k, const struct kept *f, const struct seccomp_notif *n)
{
	struct whose_answer whose = { .key = "", .cgroup = "" };
	struct journal_entry e = { .kind = JOURNAL_CALL };
	struct decision d;
	int r;

	if (decide_call(&n->data, &e.abi, &e.nr) < 0) {
		send_answer(f, n->id, ENOSYS);
		return;
	}
	/* Its engine may not have written yet whose it is. */
	if (handover_is(&k->handover, keeper_now(), e.abi, e.nr, (pid_t)n->pid)) {
		send_answer(f, n->id, 0);
		return;
	}
	/* Of a pid namespace that isn't below ours it has none. */
	r = n->pid ? whose_ask_of(k->whose, f->number, (pid_t)n->pid, &whose) : 0;
	if (r <= 0 && !is_valid(f, n->id))
		return;
	d = decide_answer(&k->decide, whose.applied, e.abi, e.nr);
	e.answer = d.answer;
	e.key = (char *)whose.key;
	e.cgroup = (char *)whose.cgroup;
	e.cgroup_id = whose.cgroup_id;
	fault_at("decided");
	note(k, f, n, &e);
	fault_at("journalled");
	send_answer(f, n->id, d.error);
	fault_at("answered");
}

void serve_filter(struct keeper *k, const struct kept *f)
{
	slot_take(k->slot, f->number);
	if (ioctl(f->source.fd, SECCOMP_IOCTL_NOTIF_RECV, &k->slot->notif) == 0) {
		fault_at("received");
		answer(k, f, &k->slot->notif);
	}
	slot_release(k->slot);
}

void serve_slot(struct keeper *k)
{
	const struct kept *f;

	if (k->slot->busy && k->slot->notif.id) {
		f = filters_find(k, k->slot->filter);
		if (f)
			answer(k, f, &k->slot->notif);
	}
	slot_release(k->slot);
}
