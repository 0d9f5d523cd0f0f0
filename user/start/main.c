/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "start/start.h"
#include "start/stream.h"

#define NAME "tamis-start"

/* What follows a subcommand. */
struct options {
	const char *state, *format, *subject;
};

static int run_precreate(const struct options *o)
{
	return start_precreate(o->state);
}

static int run_poststop(const struct options *o)
{
	return start_poststop(o->state);
}

static int run_unit_started(const struct options *o)
{
	return start_unit(o->state, o->subject, false);
}

static int run_unit_stopped(const struct options *o)
{
	return start_unit(o->state, o->subject, true);
}

static int run_file(const struct options *o)
{
	return start_file(o->state, o->subject, o->format);
}

static const struct subcommand {
	const char *name, *args;
	bool subject, format; /* what it must be given */
	int (*run)(const struct options *o);
	int (*run_own)(int argc, char **argv); /* it reads its line itself */
} subcommands[] = {
	{ "precreate", "[--state DIR]", .run = run_precreate },
	{ "poststop", "[--state DIR]", .run = run_poststop },
	{ "prestart", "[OPTION]...", .run_own = start_prestart },
	{ "unit-started", "NAME [--state DIR]", .subject = true, .run = run_unit_started },
	{ "unit-stopped", "NAME [--state DIR]", .subject = true, .run = run_unit_stopped },
	{ "file", "KEY -f FORMAT [--state DIR]", .subject = true, .format = true, .run = run_file },
};

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; name && i < ARRAY_SIZE(subcommands); i++) {
		if (strcmp(subcommands[i].name, name) == 0)
			return &subcommands[i];
	}
	return NULL;
}

static int usage(const struct subcommand *c)
{
	if (c) {
		fprintf(stderr, "usage: " NAME " %s %s\n", c->name, c->args);
		return 2;
	}
	fputs("usage: " NAME " SUBCOMMAND ..., one of", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(subcommands); i++)
		fprintf(stderr, "%s %s", i ? "," : "", subcommands[i].name);
	fputs("; tamis(1) installs them\n", stderr);
	return 2;
}

static bool read_options(const struct subcommand *c, int argc, char **argv, struct options *ret)
{
	for (int i = 2; i < argc; i++) {
		const char **value = strcmp(argv[i], "--state") == 0 ? &ret->state
				     : strcmp(argv[i], "-f") == 0    ? &ret->format
								     : NULL;

		if (value && i + 1 < argc)
			*value = argv[++i];
		else if (!value && argv[i][0] != '-' && !ret->subject)
			ret->subject = argv[i];
		else
			return false;
	}
	return c->subject == !!ret->subject && c->format == !!ret->format;
}

/* oci-seccomp-bpf-hook's users change one path in its JSON: the arguments stay that hook's. */
static bool is_prestart(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strcmp(slash ? slash + 1 : name, "oci-seccomp-bpf-hook") == 0;
}

static int run(int argc, char **argv)
{
	const struct subcommand *c = argc > 1 ? find_subcommand(argv[1]) : NULL;
	struct options o = { .state = START_STATE };

	if (argc > 0 && is_prestart(argv[0]))
		return start_prestart(argc, argv);
	if (!c)
		return usage(NULL);
	if (c->run_own)
		return c->run_own(argc - 1, argv + 1);
	if (read_options(c, argc, argv, &o))
		return c->run(&o);
	/* A hook whose line somebody has spoiled starts containers all the same. */
	if (c->run == run_precreate) {
		fputs(NAME ": precreate: the command line is not understood\n", stderr);
		stream_pass(STDIN_FILENO, STDOUT_FILENO);
		return 0;
	}
	return usage(c);
}

/* Where this program lies; an upgrade may have replaced it since. */
static const char *find_self(char *buf, size_t size)
{
	static const char deleted[] = " (deleted)";
	ssize_t n = readlink("/proc/self/exe", buf, size - 1);
	char *end;

	if (n <= 0)
		return (const char *)getauxval(AT_EXECFN);
	buf[n] = '\0';
	end = buf + n - strlen(deleted);
	if (end > buf && strcmp(end, deleted) == 0)
		*end = '\0';
	return buf;
}

/* Under another name it is a runtime for engines, configured or not: one that can't be read
 * still has a container to start. */
static bool is_wrapper(const char *self, int argc, char **argv)
{
	const char *slash = strrchr(self, '/'), *name = slash ? slash + 1 : self;
	char conf[4200];

	if (strcmp(name, NAME) == 0)
		return false;
	snprintf(conf, sizeof(conf), "%s.conf", self);
	return access(conf, F_OK) == 0 || !find_subcommand(argc > 1 ? argv[1] : NULL);
}

int main(int argc, char **argv)
{
	char buf[4096];
	const char *self;

	stream_ensure();
	self = find_self(buf, sizeof(buf));
	if (self && is_wrapper(self, argc, argv))
		return start_wrapper(self, argc, argv);
	return run(argc, argv);
}
