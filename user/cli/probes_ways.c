/* SPDX-License-Identifier: Apache-2.0 */
/* Ways in: whether the starts of the engines that are here lead through tamis-start. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "apply/applied.h"
#include "apply/features.h"
#include "apply/kubelet.h"
#include "apply/reach.h"
#include "apply/ways.h"
#include "base/cleanup.h"
#include "cli/capture.h"
#include "cli/cmd.h"
#include "cli/probes.h"
#include "cli/wayin.h"

#define FEATURES_WAIT_MS 2000
#define KEEPER_WAIT_MS	 200

static void probe_start(struct findings *f)
{
	_free_ char *path = NULL;

	if (ways_start_path(&path) == 0)
		findings_add(f, "tamis-start", SUPPORT_FINE, "%s", path);
	else
		findings_add(f, "tamis-start", SUPPORT_DEGRADED,
			     "neither beside this program nor in ../libexec: nothing is applied to "
			     "containers");
}

static void probe_starts(struct findings *f, const char *name, const char *engine)
{
	const char *missing = wayin_missing("", engine, false);

	if (missing)
		findings_add(f, name, SUPPORT_DEGRADED,
			     "stay as they are, whatever is applied: '%s'", missing);
	else
		findings_add(f, name, SUPPORT_FINE, "ask what is applied");
}

static bool has_program(const char *name)
{
	_free_ char *path = capture_find(name);

	return path;
}

static void probe_runtimes(struct findings *f)
{
	struct features have;

	if (features_of_installed(DEFAULT_STATE_DIR, FEATURES_WAIT_MS, &have) < 0)
		return;
	if (!have.notify)
		findings_add(f, "probation", SUPPORT_DEGRADED,
			     "not to be had: a runtime that is installed can't let a call ask");
	else if (!have.wait_killable)
		findings_add(f, "probation", SUPPORT_DEGRADED,
			     "a signal may interrupt a call that asks: not every runtime here has "
			     "WAIT_KILLABLE_RECV");
	else
		findings_add(f, "probation", SUPPORT_FINE, "every runtime here lets calls ask");
}

static void probe_keeper(struct findings *f)
{
	int r = reach_keeper(KEEPER_SOCKET, KEEPER_WAIT_MS);

	if (r < 0)
		findings_add(f, "tamis-keeper", SUPPORT_DEGRADED,
			     "%s: %s: nothing starts in probation", KEEPER_SOCKET, strerror(-r));
	else
		findings_add(f, "tamis-keeper", SUPPORT_FINE, "listens at %s", KEEPER_SOCKET);
}

void probes_ways(struct findings *f)
{
	probe_start(f);
	if (has_program("podman"))
		probe_starts(f, "podman's starts", "podman");
	if (has_program("docker") || has_program("containerd") || has_program("crio"))
		probe_starts(f, "other engines' starts", "docker");
	if (access("/var/lib/kubelet", F_OK) == 0 && access(KUBELET_DIR, F_OK) < 0)
		findings_add(f, "the kubelet's profiles", SUPPORT_DEGRADED,
			     "not written: 'tamis install kubelet'");
	else if (access(KUBELET_DIR, F_OK) == 0)
		findings_add(f, "the kubelet's profiles", SUPPORT_FINE, "%s", KUBELET_DIR);
	probe_runtimes(f);
	probe_keeper(f);
}
