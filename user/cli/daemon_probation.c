/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_probation.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "apply/ways.h"
#include "base/log.h"
#include "cli/complain.h"
#include "learn/keeper_news.h"
#include "learn/probation.h"
#include "model/calls.h"

struct daemon_probation {
	struct ways ways;
	struct keeper_news_options news;
	struct probation *probation;
	time_t complained;
};

static void fail(struct daemon_probation *p, int r, const char *what)
{
	complain(&p->complained, r, what, p->news.store, "trying again");
}

static void on_hot(void *arg, const char *key, enum tamis_abi abi, uint32_t nr, uint64_t per_minute)
{
	char name[CALLS_NAME_MAX];

	log_info("%s: %s was asked for %" PRIu64 " times a minute: restart it to make it free", key,
		 calls_print(abi, nr, name), per_minute);
}

static void on_news(void *arg, const char *key, const struct store_denial *d, bool learned)
{
	char name[CALLS_NAME_MAX];

	calls_print(d->abi, d->nr, name);
	if (learned)
		log_info("%s: learned %s of %s (pid %" PRIu32 ") in probation", key, name,
			 d->comm ?: "somebody", d->pid);
	else
		log_warn("%s: refused %s to %s (pid %" PRIu32 ")%s", key, name,
			 d->comm ?: "somebody", d->pid,
			 d->kind == DENIAL_ASKED ? "; 'tamis allow' lets it pass" : "");
}

static void on_followed(void *arg, const char *key, const char *line)
{
	log_info("%s: %s", key, line);
}

int daemon_probation_new(const struct daemon_options *o, struct store *store,
			 struct daemon_probation **ret)
{
	_cleanup_(daemon_probation_free) struct daemon_probation *p = calloc(1, sizeof(*p));
	struct probation_options po = { .store = store, .say = on_followed };
	int r;

	if (!p)
		return -ENOMEM;
	p->ways = (struct ways){
		.state = o->state,
		.kubelet_dir = o->apply.kubelet_dir,
		.trial_s = o->apply.trial_s,
		.listener = o->apply.keeper,
	};
	p->news = (struct keeper_news_options){
		.store = store,
		.state = o->state,
		.hot = on_hot,
		.news = on_news,
	};
	po.ways = &p->ways;
	r = probation_new(&po, &p->probation);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

void daemon_probation_free(struct daemon_probation *p)
{
	if (!p)
		return;
	probation_free(p->probation);
	free(p);
}

void daemon_probation_interval(struct daemon_probation *p)
{
	struct keeper_news news = { 0 };
	time_t now = time(NULL);
	int r = keeper_news_take(&p->news, now, &news);

	if (news.bad)
		log_warn("%" PRIu64 " lines of the keeper's journal make no sense", news.bad);
	if (r >= 0)
		r = probation_follow(p->probation, now);
	if (r < 0)
		fail(p, r, "can't take what the keeper answered");
}
