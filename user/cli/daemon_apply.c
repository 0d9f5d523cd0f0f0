/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/daemon_apply.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "cli/calls_text.h"
#include "cli/complain.h"
#include "learn/settle.h"
#include "learn/shadow_news.h"

#define CALLS_TOLD 40 /* in one line */

struct daemon_apply {
	struct ways ways;
	struct settle_options settle;
	struct auto_options rules;
	struct auto_wait wait;
	struct shadow_news *shadows;
	time_t complained;
};

static void on_settled(void *arg, bool bad, const char *key, const char *line)
{
	if (bad)
		log_warn("%s: %s", key, line);
	else
		log_info("%s: %s", key, line);
}

static void on_auto(void *arg, const char *key, const char *line)
{
	log_info("%s: %s", key, line);
}

static void on_shadow(void *arg, const char *key, uint32_t generation, const struct sysset *calls)
{
	_free_ char *list = calls_text(calls, CALLS_TOLD);

	if (list)
		log_warn("%s: generation %u would have refused %s (in shadow)", key, generation,
			 list);
}

static void fail(struct daemon_apply *a, int r, const char *what)
{
	complain(&a->complained, r, what, a->settle.store, "trying again");
}

int daemon_apply_new(const struct daemon_options *o, struct store *store, const char *mount,
		     struct daemon_apply **ret)
{
	_cleanup_(daemon_apply_free) struct daemon_apply *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->ways = (struct ways){
		.state = o->state,
		.kubelet_dir = o->apply.kubelet_dir,
		.trial_s = o->apply.trial_s,
		.listener = o->apply.keeper,
	};
	a->settle = (struct settle_options){
		.store = store,
		.ways = &a->ways,
		.mount = mount,
		.say = on_settled,
	};
	a->rules = (struct auto_options){
		.store = store,
		.ways = &a->ways,
		.rules = &o->apply.rules,
		.wait = &a->wait,
		.keep_new_image = o->apply.keep_new_image,
		.probe_new_image = o->apply.probe_new_image,
		.probation = &o->apply.probation,
		.say = on_auto,
	};
	r = shadow_news_new(&a->shadows);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(a);
	return 0;
}

void daemon_apply_begin(struct daemon_apply *a)
{
	int r = settle_files(&a->settle);

	if (r < 0)
		fail(a, r, "can't put in place what is applied");
	daemon_apply_interval(a);
}

void daemon_apply_free(struct daemon_apply *a)
{
	if (!a)
		return;
	auto_wait_done(&a->wait);
	shadow_news_free(a->shadows);
	free(a);
}

void daemon_apply_started(struct daemon_apply *a, const struct observed_start *s)
{
	int r = settle_start(&a->settle, s);

	if (r < 0)
		fail(a, r, "can't note a start");
}

void daemon_apply_exited(struct daemon_apply *a, const struct observed_exit *e)
{
	int r = settle_exit(&a->settle, e);

	if (r < 0)
		fail(a, r, "can't note an end");
}

void daemon_apply_interval(struct daemon_apply *a)
{
	int r = settle_trials(&a->settle, time(NULL));

	if (r < 0)
		fail(a, r, "can't settle a trial");
}

void daemon_apply_unit(struct daemon_apply *a)
{
	int r = shadow_news_look(a->shadows, a->settle.store, on_shadow, NULL);

	if (r >= 0)
		r = auto_apply(&a->rules, time(NULL));
	if (r < 0)
		fail(a, r, "can't follow a rule");
}
