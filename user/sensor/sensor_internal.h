/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by sensor.c (load), pins.c and drain.c alone. */
#pragma once

#include "sensor/sensor.h"

#include "sensor.skel.h" /* names types of bpf/abi.h */

#define SENSOR_LINKS 8

struct sensor {
	struct sensor_bpf *skel;
	struct ring_buffer *ring;
	struct bpf_link *link[SENSOR_LINKS];
	char *pins; /* DIR/vN, or NULL */
	bool was_pinned;
	uint64_t drained; /* state.changes of the last whole drain */
	sensor_event_fn event;
	void *event_arg;
};

static inline struct tamis_state *sensor_state(const struct sensor *s)
{
	return &s->skel->data_state->state;
}

/* pins.c: before load, tell libbpf where maps are pinned; after attach, pin the links over
 * the old ones and drop what other versions left. */
int pins_prepare(struct sensor *s, const char *dir, char **ret_why);
int pins_publish(struct sensor *s, const char *dir);
