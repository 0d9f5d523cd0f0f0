/* SPDX-License-Identifier: Apache-2.0 */
/* docker: both cgroup drivers, rootless, compose and swarm. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "identity/engine.h"
#include "identity/key.h"
#include "identity/names.h"
#include "identity/project.h"
#include "identity/shim.h"

#define DAEMON_JSON_MAX (1U << 20)

static enum match match(const struct identity_options *o, const struct place *p, struct claim *ret)
{
	const char *id = place_id64(p, "docker-", ".scope");
	bool bare = !id;

	if (bare)
		id = place_id64(p, "", "");
	if (!id)
		return MATCH_NONE;
	engine_claim(p, id, PLACE_ID_LEN, ret);
	ret->home = p->depth == 1 && place_top_is(p, "docker");
	ret->proof = bare && !ret->home;
	return MATCH_CONTAINER;
}

static void take_text(struct slice json, const char *const where[], char **ret)
{
	struct slice s;

	if (slice_at(json, where, &s) == 0)
		(void)slice_text(s, IDENTITY_TEXT_MAX, ret);
}

#define AT(...) ((const char *const[]){ __VA_ARGS__, NULL })

static char *data_root_in(const char *root, uid_t uid, const char *dir)
{
	_free_ char *text = NULL;
	char *found = NULL;
	size_t len;

	if (state_read_at(root, uid, dir, "daemon.json", DAEMON_JSON_MAX, &text, &len) == 0)
		take_text((struct slice){ text, len }, AT("data-root"), &found);
	return found;
}

static char *data_root(const char *root, uid_t uid)
{
	_free_ char *home = NULL, *conf = NULL;
	char *found;

	if (uid == 0) {
		found = data_root_in(root, 0, "/etc/docker");
		return found ? found : strdup("/var/lib/docker");
	}
	if (state_home(root, uid, &home) < 0)
		return NULL;
	conf = text_format("%s/.config/docker", home);
	found = conf ? data_root_in(root, uid, conf) : NULL;
	return found ? found : text_format("%s/.local/share/docker", home);
}

/* What docker itself keeps of a container. */
struct config {
	char *text;
	struct slice json;
	char *project, *service, *swarm;
};

static void config_done(struct config *c)
{
	free(c->text);
	free(c->project);
	free(c->service);
	free(c->swarm);
}

static void take_config(struct config *c, struct identity *i)
{
	_free_ char *policy = NULL;
	char *name = NULL;

	take_text(c->json, AT("Name"), &name);
	if (name && *name == '/')
		memmove(name, name + 1, strlen(name));
	i->name = name;
	take_text(c->json, AT("Config", "Image"), &i->image);
	take_text(c->json, AT("Image"), &i->image_digest);
	take_text(c->json, AT("Config", "Labels", "com.docker.compose.project"), &c->project);
	take_text(c->json, AT("Config", "Labels", "com.docker.compose.service"), &c->service);
	take_text(c->json, AT("Config", "Labels", "com.docker.swarm.service.name"), &c->swarm);
	take_text(c->json, AT("Config", "Labels", BUNDLE_OPT_OUT), &policy);
	i->opted_out |= bundle_is_off(policy);
}

static void check_runtime(const struct state *s, const char *id, struct identity *i)
{
	_free_ char *path = text_format("containers/%s/hostconfig.json", id);
	_free_ char *text = NULL, *runtime = NULL;
	size_t len;

	if (!path || state_read(s, path, STATE_FILE_MAX, &text, &len) < 0)
		return;
	take_text((struct slice){ text, len }, AT("Runtime"), &runtime);
	if (runtime && shim_is_vm(runtime))
		engine_refuse(i, ENGINE_OTHER_KERNEL);
}

static int read_config(const char *root, uid_t uid, struct identity *i, struct config *ret)
{
	_free_ char *top = data_root(root, uid), *path = NULL;
	_state_ struct state s = STATE_INIT;
	size_t len;
	int r = top ? state_open(root, uid, top, &s) : -ENOENT;

	if (r < 0)
		return 0;
	path = text_format("containers/%s/config.v2.json", i->container);
	if (!path)
		return -ENOMEM;
	if (state_read(&s, path, STATE_FILE_MAX, &ret->text, &len) < 0)
		return 0;
	ret->json = (struct slice){ ret->text, len };
	take_config(ret, i);
	check_runtime(&s, i->container, i);
	return 0;
}

static int make_key(struct identity *i, uid_t uid, const struct config *c, const char *entry)
{
	if (i->name && c->project && c->service && project_made(i->name, c->project, c->service))
		return key_parts(i->engine, uid, AT(c->project, c->service), &i->key);
	if (i->name && c->swarm && project_is_task(i->name, c->swarm))
		return key_parts(i->engine, uid, AT("swarm:service", c->swarm), &i->key);
	return engine_key(i, uid, i->name && names_is_made(i->name), entry);
}

static int fill(const struct identity_options *o, const struct place *p, const struct claim *c,
		struct identity *ret, enum proof *ret_proof)
{
	_bundle_ struct bundle bundle = BUNDLE_INIT;
	_free_ char *entry = NULL;
	struct config config = { 0 };
	uid_t uid = engine_uid(p);
	bool vm = false;
	int r = shim_ask(o, p, "moby", ret->container, &bundle, &vm, NULL);

	if (r == -ENOMEM)
		return r;
	if (vm)
		engine_refuse(ret, ENGINE_OTHER_KERNEL);
	*ret_proof = bundle_proof(&bundle, p);
	ret->opted_out = bundle_opts_out(&bundle);
	(void)bundle_entry(&bundle, &entry);
	r = read_config(o->root, uid, ret, &config);
	if (!entry)
		take_text(config.json, AT("Path"), &entry);
	if (r == 0)
		r = make_key(ret, uid, &config, entry);
	config_done(&config);
	return r;
}

const struct engine engine_docker = { "docker", true, match, fill };
