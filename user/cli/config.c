/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <ini.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/daemon.h"
#include "cli/duration.h"
#include "learn/duty.h"

#define WATCH_MAX 256

void daemon_options_done(struct daemon_options *o)
{
	for (size_t i = 0; i < o->watch_cnt; i++)
		free(o->watch[i]);
	free(o->watch);
	free(o->state);
	free(o->bpffs);
	apply_config_done(&o->apply);
	oracle_config_done(&o->oracle);
}

static int set_text(char **field, const char *value)
{
	char *copy = *value ? strdup(value) : NULL;

	if (!copy)
		return *value ? -ENOMEM : -EINVAL;
	free(*field);
	*field = copy;
	return 0;
}

static int add_watch(struct daemon_options *o, const char *pattern)
{
	char **grown;

	if (o->watch_cnt >= WATCH_MAX || !*pattern)
		return -EINVAL;
	grown = reallocarray(o->watch, o->watch_cnt + 2, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	o->watch = grown;
	o->watch[o->watch_cnt] = strdup(pattern);
	if (!o->watch[o->watch_cnt])
		return -ENOMEM;
	o->watch[++o->watch_cnt] = NULL;
	return 0;
}

/* A unit's name is the last part of its cgroup's path. */
static int add_service(struct daemon_options *o, const char *name)
{
	_free_ char *pattern = NULL;

	if (!*name || strchr(name, '/'))
		return -EINVAL;
	pattern = text_format("*/%s%s", name, strchr(name, '.') ? "" : ".service");
	return pattern ? add_watch(o, pattern) : -ENOMEM;
}

/* Seconds, fractions allowed, as milliseconds. */
static int set_ms(uint64_t *field, const char *value)
{
	char *end;
	double s = strtod(value, &end);

	if (end == value || *end || !isfinite(s) || s < 0.01 || s > 3600)
		return -EINVAL;
	*field = (uint64_t)(s * 1000);
	return 0;
}

static int set_number(uint64_t max, const char *value, uint64_t *ret)
{
	uint64_t n;
	int r = text_u64(value, max, &n);

	if (r < 0 || n == 0)
		return -EINVAL;
	*ret = n;
	return 0;
}

static int set_yes(bool *field, const char *value, const char *yes)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return -EINVAL;
	*field = strcmp(value, yes) == 0;
	return 0;
}

static int set_duty(unsigned *field, const char *value)
{
	uint64_t percent = 0;

	if (!strcmp(value, "on"))
		percent = DUTY_PERCENT;
	else if (strcmp(value, "off") != 0 && set_number(99, value, &percent) < 0)
		return -EINVAL;
	*field = (unsigned)percent;
	return 0;
}

int daemon_option(struct daemon_options *o, const char *key, const char *value)
{
	uint64_t n = 0;
	int r;

	if (!strcmp(key, "state"))
		return set_text(&o->state, value);
	if (!strcmp(key, "bpffs"))
		return set_text(&o->bpffs, value);
	if (!strcmp(key, "pin"))
		return set_yes(&o->no_pin, value, "no");
	if (!strcmp(key, "watch-denials"))
		return set_yes(&o->watch_denials, value, "yes");
	if (!strcmp(key, "duty"))
		return set_duty(&o->duty, value);
	if (!strcmp(key, "duty-sample"))
		return set_number(3600, value, &o->duty_sample_s);
	if (!strcmp(key, "interval"))
		return set_ms(&o->interval_ms, value);
	if (!strcmp(key, "unit"))
		return set_number(86400, value, &o->unit_s);
	if (!strcmp(key, "watch"))
		return add_watch(o, value);
	if (!strcmp(key, "service"))
		return add_service(o, value);
	if (!strcmp(key, "map-entries")) {
		r = set_number(1 << 24, value, &n);
		o->map_entries = r < 0 ? o->map_entries : n;
		return r;
	}
	if (!strcmp(key, "cache-slots")) {
		r = set_number(8192, value, &n);
		if (r < 0 || (n & (n - 1)))
			return -EINVAL;
		o->cache_slots = n;
		return 0;
	}
	return -ENOENT;
}

/* Less than a day would fold the day under way. */
static int set_days(int64_t *field, const char *value)
{
	bool never = !strcmp(value, "never");
	int64_t seconds = 0;
	int r = never ? 0 : duration_parse(value, &seconds);

	if (r < 0 || (!never && seconds < 86400))
		return -EINVAL;
	*field = seconds;
	return 0;
}

int daemon_store_option(struct daemon_options *o, const char *key, const char *value)
{
	if (!strcmp(key, "fold-after"))
		return set_days(&o->fold_s, value);
	if (!strcmp(key, "gone-for"))
		return set_days(&o->gone_s, value);
	return -ENOENT;
}

struct reading {
	struct daemon_options *o;
	const char *path;
	bool failed;
};

/* inih's callback: 0 is "this line is wrong". Other sections are other commands'. */
static int on_line(void *arg, const char *section, const char *key, const char *value)
{
	struct reading *reading = arg;
	int r;

	if (!strcmp(section, "daemon"))
		r = daemon_option(reading->o, key, value);
	else if (!strcmp(section, "store"))
		r = daemon_store_option(reading->o, key, value);
	else
		r = apply_config_line(&reading->o->apply, section, key, value);
	if (r == 1)
		r = oracle_config_line(&reading->o->oracle, section, key, value);
	if (r >= 0)
		return 1;
	if (!reading->failed)
		log_err("%s: [%s] %s = %s: %s", reading->path, section, key, value,
			apply_config_why(r));
	reading->failed = true;
	return 0;
}

int daemon_config(struct daemon_options *o, const char *path)
{
	struct reading reading = { o, path, false };
	int r;

	if (access(path, F_OK) < 0)
		return -errno;
	r = ini_parse(path, on_line, &reading);
	if (r > 0 && !reading.failed)
		log_err("%s: line %d is not ini syntax", path, r);
	if (r < 0)
		log_err("%s: can't be read", path);
	return r ? -EINVAL : 0;
}
