/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by sensor.c (load), rest.c, pins.c, drain.c and mark.c alone. */
#pragma once

#include <pthread.h>

#include "sensor/sensor.h"

#include "sensor.skel.h" /* names types of bpf/abi.h */

/* In the order of attaching: what names tasks comes before what records them. */
enum sensor_link {
	LINK_EXIT,
	LINK_EXEC,
	LINK_FORK,
	LINK_ATTACH,
	LINK_MKDIR,
	LINK_RMDIR,
	LINK_ENTER,
	LINK_FEED, /* DOOR_STEADY's alone */
	SENSOR_LINKS,
};

/* In the order they are tried. */
enum sensor_door_kind {
	DOOR_STEADY, /* where it is needed */
	DOOR_FAST,
	DOOR_PORTABLE,
	DOOR_LEGACY,
	DOORS,
};

struct sensor {
	struct sensor_bpf *skel;
	enum sensor_door_kind door;
	uint32_t enter_event; /* DOOR_STEADY's */
	struct ring *ring;
	struct bpf_link *link[SENSOR_LINKS];
	struct bpf_link *denials; /* sensor_watch_denials, */
	bool has_watched;	  /* at any time */
	bool enter_published;	  /* link[LINK_ENTER] is pinned, or needn't be */
	pthread_mutex_t lock;  /* link[LINK_ENTER], denials: the ring's thread changes them too */
	struct missed *missed; /* with pins alone */
	char *pins;	       /* DIR/vN, DIR/vN-legacy, or NULL */
	bool was_pinned, was_napping;
	uint64_t drained, drained_notes; /* state.changes and .notes of the last whole drain */
};

static inline struct tamis_state *sensor_state(const struct sensor *s)
{
	return &s->skel->data_state->state;
}

/* pins.c: before load, tell libbpf where maps are pinned; after attach, pin the links over
 * the old ones and drop what other versions left. */
int pins_prepare(struct sensor *s, const char *dir, char **ret_why);
int pins_publish(struct sensor *s, const char *dir);
/* One of them alone; without pins nothing happens. */
int pins_publish_link(struct sensor *s, enum sensor_link i);
int pins_remove_link(struct sensor *s, enum sensor_link i);
/* Where it is pinned. Caller frees. */
char *pins_link_path(const struct sensor *s, enum sensor_link i);

/* missed.c: before the links are published: what an earlier daemon's programs were left out for, and
 * nobody told, counts as ours. */
int missed_take_over(struct sensor *s);
void missed_free(struct missed *m);

/* rest.c: what a link attaches; attaches the front door that was loaded; takes it away. */
struct bpf_program *sensor_program(const struct sensor *s, enum sensor_link i);
int sensor_enter_attach(struct sensor *s);
void sensor_enter_detach(struct sensor *s);
/* After sensor_open's attaching: whatever an earlier daemon left, this one is awake. */
void sensor_awake(struct sensor *s);
