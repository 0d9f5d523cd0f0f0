/* SPDX-License-Identifier: Apache-2.0 */
/* Any name of a link in /var/log/containers, any labels of a pod: "NAME\nLABELS". */
#include "fuzz.h"

#include "identity/kube.h"

static void check_link(const char *name)
{
	char *pod = NULL, *namespace = NULL, *container = NULL;
	int r = kube_parse_log_link(name, "0123456789abcdef0123456789abcdef", &pod, &namespace,
				    &container);

	must(r == 0 ? pod && namespace && container : !pod && !namespace && !container);
	if (r == 0)
		must(strlen(pod) + strlen(namespace) + strlen(container) + 2 < strlen(name));
	free(pod);
	free(namespace);
	free(container);
}

static void check_owner(const char *pod, struct slice labels)
{
	const struct kube_evidence e = { labels, labels, "2023-12-25T00:00:02Z", "node1", true };
	char *owner = kube_owner(pod, &e);

	must(owner && strncmp(pod, owner, strlen(owner)) == 0);
	must(*owner || !*pod);
	free(owner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *name = fuzz_text(data, size), *labels = strchr(name, '\n');
	struct slice json = { 0 };

	if (labels) {
		*labels++ = '\0';
		json = (struct slice){ labels, size - (size_t)(labels - name) };
	}
	check_link(name);
	check_owner(name, json);
	free(name);
	return 0;
}
