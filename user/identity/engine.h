/* SPDX-License-Identifier: Apache-2.0 */
/* The table of engines, and what they have in common. One file per engine. */
#pragma once

#include "identity/bundle.h"
#include "identity/identity.h"
#include "identity/place.h"

enum match {
	MATCH_NONE,
	MATCH_MONITOR, /* an engine's own helper: nothing on this path is a workload */
	MATCH_CONTAINER,
};

/* What an engine reads out of the shape of a path. */
struct claim {
	size_t len;	/* the owner's part of the path */
	const char *id; /* within the path */
	size_t id_len;
	bool home;  /* below the engine's own directory at the top of the tree */
	bool proof; /* counts only where the engine's files say so */
	bool vague; /* any name would do: the shape alone says nothing */
};

struct engine {
	const char *name;
	bool oci; /* its containers are started by an OCI runtime */
	/* Does the component begin a container of this engine, or a watched unit? Looks at nothing but
	 * the path. */
	enum match (*match)(const struct identity_options *o, const struct place *p,
			    struct claim *ret);
	/* Reads the engine's files into ret (empty before; engine and enforceable are set) and
	 * tells whether they prove the place. 1: where they do, it is the engine's own and nobody's
	 * workload. -ENOMEM alone is an error. */
	int (*fill)(const struct identity_options *o, const struct place *p, const struct claim *c,
		    struct identity *ret, enum proof *ret_proof);
};

extern const struct engine engine_podman, engine_crio, engine_cri, engine_docker, engine_containerd,
	engine_lxc, engine_nspawn, engine_bare, engine_systemd;

/* All of them, in the order they are asked; NULL-terminated. */
extern const struct engine *const engines[];

/* Which of them owns a path: 1 and *ret filled, 0 when none does, as identity_of_path else. */
int engine_of_path(const struct identity_options *o, const char *path, struct identity *ret);

/* The claim of a component that is a container by itself. */
enum match engine_claim(const struct place *p, const char *id, size_t id_len, struct claim *ret);

/* Whose files count there: 0, or the user below whose manager it lies. */
uid_t engine_uid(const struct place *p);

/* Sets i->key by the rule of all engines: the name when somebody chose it; else, when the engine
 * made it up or there is none, image and entry, which then are the name too; else the id, which
 * can't be enforced and has no name. */
int engine_key(struct identity *i, uid_t uid, bool made, const char *entry);

/* What its calls are those of a virtual machine, or of a kernel in user space. */
#define ENGINE_OTHER_KERNEL "it runs on another kernel than this one"

/* Marks it as not enforceable; the first reason stays. */
void engine_refuse(struct identity *i, const char *why);

/* Some path of i->watch matches path[0, len). */
bool engine_watched(const struct identity_options *o, const char *path, size_t len);
