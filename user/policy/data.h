/* SPDX-License-Identifier: Apache-2.0 */
/* The reviewed data under policies/, embedded in the program at build time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "model/filter.h"
#include "model/learned.h"
#include "model/sysset.h"

/* Fill one set per ABI (TAMIS_ABI_MAX of them). A name that an ABI's table lacks is skipped
 * for that ABI; one that no table has is -EINVAL (the data is wrong; a unit test runs all). */
int data_always(struct sysset ret[TAMIS_ABI_MAX]);
int data_eperm(struct sysset ret[TAMIS_ABI_MAX]);

/* Conditions every engine's default keeps (policies/engine/); sorted. Caller frees. */
int data_fallback(struct filter **ret);

/* The calls a runtime makes between its filter and the container's exec: start and exec, with
 * and without no_new_privs. `spec` is "runc", "crun@1.8", "runc@1.1.5+ds1" (what follows the
 * numbers is ignored); a version between two rows takes the older row's set merged with the
 * newer's; one older or newer than the table gets the union of all rows. NULL: the union over
 * every runtime known. A runtime is a native program: merges into ret[abi_native()] alone.
 * -ENOENT for an unknown runtime, -EINVAL for a malformed spec. */
int data_gate(const char *spec, struct sysset ret[TAMIS_ABI_MAX]);

/* Gate calls that were seen and that no row of any runtime's table has, nor policies/always:
 * a newer runtime's, or a hook's. They are in a policy all the same, because they were seen. */
int data_gate_unknown(const struct learned *l, struct sysset ret[TAMIS_ABI_MAX]);

/* Runtimes the table knows: "runc", "crun", NULL-terminated. */
const char *const *data_runtimes(void);

/* Calls that are learned as pending (model/guard.h). */
int data_guard(struct sysset ret[TAMIS_ABI_MAX]);
/* Groups for model/widen.h; at most WIDEN_GROUPS_MAX. */
struct widen_group;
int data_widen(struct widen_group *ret, size_t *ret_cnt);
/* What a program built with any of the sanitizers calls for its own sake (policies/sanitizer/). */
int data_sanitizer(struct sysset ret[TAMIS_ABI_MAX]);
/* Calls that tests can't show the need of (policies/keep/): no minimising takes them away. */
int data_keep(struct sysset ret[TAMIS_ABI_MAX]);
/* Which group of them a call is of: "durability"; NULL: none. */
const char *data_keep_why(enum tamis_abi abi, uint32_t nr);
/* Known holes in the kernel and the calls they need (policies/risk/), and the guarded calls. */
struct score_risk;
int data_risk(struct score_risk *ret);
void data_risk_done(struct score_risk *r);
/* Which part of the kernel a call belongs to (policies/risk/subsystems): "memory", "files", ...; "other". */
const char *data_subsystem(enum tamis_abi abi, uint32_t nr);
/* How dangerous a call is to allow, for an order alone: more is worse; 0: not known. */
double data_danger(enum tamis_abi abi, uint32_t nr);
/* Calls that are spelled otherwise on another architecture. Caller frees. */
struct translation;
int data_translate(struct translation **ret, size_t *ret_cnt);

/* Units that hold up the host (policies/never/units): PID 1, sshd, container engines, tamis itself.
 * True when a unit of that name is one; *ret_why: a sentence without a period, static. */
bool data_never(const char *unit, const char **ret_why);
/* Of these, one that may be enforced with its descendants: sshd, logins. */
bool data_never_alone(const char *unit);
