/* SPDX-License-Identifier: Apache-2.0 */
/* Runtimes and engines: which there are, and what a runtime says of itself. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/capture.h"
#include "cli/probes.h"

#define TIMEOUT_MS 3000
#define OUTPUT_MAX (64 * 1024)

/* The first line of "NAME --version". */
static int ask_version(char *path, char *buf, size_t size)
{
	char *argv[] = { path, (char[]){ "--version" }, NULL };
	int r = capture_run(argv, TIMEOUT_MS, buf, size);

	buf[strcspn(buf, "\n")] = '\0';
	return r;
}

/* "NAME features" prints a JSON object (runtime-spec, features.md). */
static bool has_features(char *path)
{
	char *argv[] = { path, (char[]){ "features" }, NULL };
	_free_ char *text = malloc(OUTPUT_MAX);
	json_t *json;
	bool is_object;

	if (!text || capture_run(argv, TIMEOUT_MS, text, OUTPUT_MAX) < 0)
		return false;
	json = json_loads(text, 0, NULL);
	is_object = json_is_object(json);
	json_decref(json);
	return is_object;
}

static void probe_runtime(struct findings *f, const char *name, char *path)
{
	char version[80];

	if (ask_version(path, version, sizeof(version)) < 0)
		findings_add(f, name, SUPPORT_DEGRADED, "%s does not answer --version", path);
	else if (has_features(path))
		findings_add(f, name, SUPPORT_FINE, "%s: %s; tells its features", path, version);
	else
		findings_add(f, name, SUPPORT_DEGRADED,
			     "%s: %s; no 'features' command, judged by its version", path, version);
}

static void probe_runtimes(struct findings *f)
{
	static const char *const names[] = { "runc", "crun" };
	size_t before = f->cnt;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = capture_find(names[i]);

		if (path)
			probe_runtime(f, names[i], path);
	}
	if (f->cnt == before)
		findings_add(f, "runtimes", SUPPORT_DEGRADED,
			     "neither runc nor crun: policies take the gates of all known ones");
}

static void probe_engines(struct findings *f)
{
	static const char *const names[] = { "podman", "docker", "containerd", "crio" };
	size_t before = f->cnt;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_free_ char *path = capture_find(names[i]);

		if (path)
			findings_add(f, names[i], SUPPORT_FINE, "%s", path);
	}
	if (f->cnt == before)
		findings_add(f, "engines", SUPPORT_DEGRADED,
			     "none found: services and 'tamis record' only");
}

void probes_tools(struct findings *f)
{
	probe_runtimes(f);
	probe_engines(f);
}
