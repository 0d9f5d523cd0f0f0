/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of containers that a compose file or a swarm made. Labels can come with an image, from
 * anybody: they count only when the container's name is made of them. */
#pragma once

#include <stdbool.h>

/* NAME is what compose calls a container of that service: "PROJECT-SERVICE-1",
 * "PROJECT_SERVICE_1", "PROJECT-SERVICE-run-0123abcd". */
bool project_made(const char *name, const char *project, const char *service);

/* NAME is what a swarm calls a task of that service: "SERVICE.SLOT.ID". */
bool project_is_task(const char *name, const char *service);
