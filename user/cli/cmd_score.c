/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "cli/lookup.h"
#include "cli/options.h"
#include "cli/policy_side.h"
#include "cli/print.h"
#include "cli/score_calls.h"
#include "model/calls.h"

#define POLICIES_MAX 64
#define CVES_SHOWN   4	/* on a line; --json has all */
#define MORE_SHOWN   10 /* lines of calls that would open something */

struct scored {
	const char *name; /* as it was given */
	struct policy_side side;
	struct score_call *call;
	size_t cnt;
};

struct score_command {
	struct policy_options policy;
	struct scoring scoring;
	struct scored *scored;
	size_t cnt;
	bool json;
};

static void command_done(struct score_command *c)
{
	for (size_t i = 0; c->scored && i < c->cnt; i++) {
		policy_side_done(&c->scored[i].side);
		score_calls_free(c->scored[i].call, c->scored[i].cnt);
	}
	free(c->scored);
	scoring_done(&c->scoring);
}

/* --- for people --------------------------------------------------------------------------- */

static void add_row(struct print_table *t, const struct score_risk *risk, const char *name,
		    const struct filter *f)
{
	char text[64];
	struct score s;

	score_filter(f, risk, &s);
	print_cell(t, name);
	snprintf(text, sizeof(text), "%u/%u", s.calls, s.of);
	print_cell(t, text);
	print_cell_u64(t, s.abis);
	snprintf(text, sizeof(text), "%u/%u", s.blocked, s.cves);
	print_cell(t, text);
	snprintf(text, sizeof(text), "%u/%u", s.blocked_execve, s.cves_execve);
	print_cell(t, text);
	print_cell_u64(t, s.guarded);
}

static int print_figures(const struct score_command *c)
{
	static const char *const headings[] = { "POLICY",  "CALLS",  "ABIS",
						"BLOCKED", "EXECVE", "GUARDED" };
	__attribute__((cleanup(print_table_donep))) struct print_table t =
		PRINT_TABLE(ARRAY_SIZE(headings));
	const struct score_risk *risk = &c->scoring.risk;

	for (size_t i = 0; i < ARRAY_SIZE(headings); i++)
		print_cell(&t, headings[i]);
	for (size_t i = 0; i < c->cnt; i++)
		add_row(&t, risk, c->scored[i].name, policy_side_filter(&c->scored[i].side));
	add_row(&t, risk, c->scoring.usual_name, c->scoring.usual);
	add_row(&t, risk, "no filter", NULL);
	return print_table_write(&t, stdout);
}

static void print_cves(const struct score_risk *risk, const struct score_call *call)
{
	for (size_t i = 0; i < call->cnt && i < CVES_SHOWN; i++)
		printf("%s%s", i ? ", " : " ", risk->cve[call->cve[i]].id);
	if (call->cnt > CVES_SHOWN)
		printf(" and %zu more", call->cnt - CVES_SHOWN);
}

/* "splice alone keeps CVE-2022-0847 reachable; first used by test X" */
static void print_call(const struct score_risk *risk, const struct score_call *call)
{
	printf("  %s %s", calls_name(call->abi, call->nr),
	       call->more ? "would open" : "alone keeps");
	print_cves(risk, call);
	if (!call->more)
		fputs(" reachable", stdout);
	if (call->first) {
		fputs("; first used by ", stdout);
		text_escape(stdout, call->first, 160);
	}
	fputc('\n', stdout);
}

static void print_guarded(const struct score_risk *risk, const struct filter *f)
{
	enum tamis_abi abi = score_machine(f);
	const char *before = "  guarded calls that pass: ";

	for (unsigned nr = 0; nr < calls_end(abi); nr++) {
		if (!sysset_has(&risk->guard[abi], nr) || !score_passes(f, abi, nr))
			continue;
		printf("%s%s", before, calls_name(abi, nr));
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', stdout);
}

static void print_policy(const struct score_risk *risk, const struct scored *s)
{
	size_t more = 0;

	fputc('\n', stdout);
	text_escape(stdout, s->name, 160);
	fputs(":\n", stdout);
	print_guarded(risk, policy_side_filter(&s->side));
	for (size_t i = 0; i < s->cnt; i++) {
		more += s->call[i].more;
		if (more <= MORE_SHOWN)
			print_call(risk, &s->call[i]);
	}
	if (more > MORE_SHOWN)
		printf("  %zu more would open one or a few\n", more - MORE_SHOWN);
}

static int print_all(const struct score_command *c)
{
	int r = print_figures(c);

	for (size_t i = 0; r == 0 && i < c->cnt; i++)
		print_policy(&c->scoring.risk, &c->scored[i]);
	return r;
}

/* --- JSON --------------------------------------------------------------------------------- */

static json_t *json_guarded(const struct score_risk *risk, const struct filter *f)
{
	enum tamis_abi abi = score_machine(f);
	json_t *list = json_array();

	for (unsigned nr = 0; nr < calls_end(abi); nr++)
		if (sysset_has(&risk->guard[abi], nr) && score_passes(f, abi, nr))
			json_array_append_new(list, json_string(calls_name(abi, nr)));
	return list;
}

static json_t *json_open(const struct score_risk *risk, const struct filter *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < risk->cnt; i++) {
		const struct score_cve *c = &risk->cve[i];

		if (!score_blocks(f, c))
			json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:b}", "cve", c->id,
							      "subsystem", c->group, "source",
							      c->source, "execve", c->execve));
	}
	return list;
}

static json_t *json_call(const struct score_risk *risk, const struct score_call *call)
{
	json_t *cves = json_array();

	for (size_t i = 0; i < call->cnt; i++)
		json_array_append_new(cves, json_string(risk->cve[call->cve[i]].id));
	return json_pack("{s:s,s:s,s:b,s:o,s:o}", "abi", abi_name(call->abi), "call",
			 calls_name(call->abi, call->nr), "guarded", call->guarded, "cves", cves,
			 "first", print_json_text(call->first));
}

static json_t *json_calls(const struct score_risk *risk, const struct scored *s, bool more)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->cnt; i++)
		if (s->call[i].more == more)
			json_array_append_new(list, json_call(risk, &s->call[i]));
	return list;
}

static json_t *json_policy(const struct scoring *scoring, const struct scored *s)
{
	const struct filter *f = policy_side_filter(&s->side);
	const struct score_risk *risk = &scoring->risk;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "policy", print_json_text(s->name),
			 "workload", print_json_text(s->side.loaded.row.key), "score",
			 scoring_json(scoring, f), "open", json_open(risk, f), "guarded",
			 json_guarded(risk, f), "less", json_calls(risk, s, false), "more",
			 json_calls(risk, s, true));
}

static int print_json_all(const struct score_command *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->cnt; i++)
		json_array_append_new(list, json_policy(&c->scoring, &c->scored[i]));
	return print_json(json_pack("{s:i,s:o,s:o,s:o,s:o}", "version", 1, "policies", list,
				    "default", scoring_json(&c->scoring, c->scoring.usual),
				    "default_name", print_json_text(c->scoring.usual_name), "none",
				    scoring_json(&c->scoring, NULL)),
			  stdout);
}

/* --- command ------------------------------------------------------------------------------ */

static int find_first(const struct score_command *c, struct scored *s)
{
	_cleanup_(store_close) struct store *store = NULL;
	int r;

	if (s->side.file)
		return 0;
	r = lookup_open(c->policy.state ?: DEFAULT_STATE_DIR, STORE_READ, &store);
	if (r < 0)
		return r;
	r = score_calls_first(store, s->side.loaded.row.id, s->call, s->cnt);
	return r < 0 ? lookup_failed(store, r) : 0;
}

static int score_one(const struct score_command *c, const char *name, struct scored *s)
{
	int r = policy_side_load(name, &c->policy, &s->side);

	s->name = name;
	if (r < 0)
		return r;
	r = score_calls(&c->scoring, policy_side_filter(&s->side), &s->call, &s->cnt);
	return r < 0 ? log_err_errno(r, "%s", name) : find_first(c, s);
}

static int score(struct score_command *c, char **names)
{
	int r;

	c->scored = calloc(c->cnt, sizeof(*c->scored));
	if (!c->scored) {
		(void)log_err_errno(-ENOMEM, "score");
		return EXIT_FAIL;
	}
	r = scoring_load(&c->policy, &c->scoring);
	for (size_t i = 0; r == 0 && i < c->cnt; i++)
		r = score_one(c, names[i], &c->scored[i]);
	if (r < 0)
		return EXIT_FAIL;
	r = c->json ? print_json_all(c) : print_all(c);
	if (r < 0)
		(void)log_err_errno(r, "score");
	return r < 0 ? EXIT_FAIL : EXIT_OK;
}

static int run(int argc, char **argv)
{
	__attribute__((cleanup(command_done))) struct score_command c = { 0 };
	const struct option_row options[] = {
		OPTION_JSON(&c.json),
		OPTION_STATE(&c.policy.state),
		{ "engine-profile", .text = &c.policy.engine_profile },
		{ 0 },
	};
	struct arguments args = { .min = 1, .max = POLICIES_MAX };

	if (options_parse(&cmd_score, options, argc, argv, &args) != EXIT_OK)
		return EXIT_USAGE;
	c.cnt = (size_t)args.cnt;
	return score(&c, args.arg);
}

const struct cmd cmd_score = {
	.name = "score",
	.args = "POLICY... [--engine-profile FILE] [--json] [--state DIR]",
	.help = "what policies would have stopped of known attacks: workloads or files",
	.run = run,
};
