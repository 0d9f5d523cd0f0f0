/* SPDX-License-Identifier: Apache-2.0 */
/* Any record of the ring, any value of a map: the first byte says which. */
#include "fuzz.h"

#include "learn/origin.h"
#include "sensor/readback.h"

static void check_origin(const struct tamis_event *e, const char *text)
{
	struct origin o;
	size_t len;

	if (origin_read(e, text, &o) < 0)
		return;
	must(readback_key(&o.key) && o.nr < TAMIS_CALLS);
	must(strnlen(o.comm, sizeof(o.comm)) < sizeof(o.comm));
	len = strnlen(o.exe, sizeof(o.exe));
	must(len < sizeof(o.exe) && len <= strlen(text) + 1);
	must(len == 0 ? text[0] == '\0' : o.exe[0] == '/');
}

static void check_record(const uint8_t *data, size_t size)
{
	char text[TAMIS_TEXT_PATH + 1];
	struct tamis_event e;

	if (!readback_event(data, size, &e, text))
		return;
	must(e.kind > 0 && e.kind < TAMIS_EV_MAX);
	must(strnlen(text, sizeof(text)) == e.text_len && e.text_len <= size - sizeof(e));
	must(strnlen(e.comm, TAMIS_COMM) < TAMIS_COMM);
	check_origin(&e, text);
}

/* Not even what readback_event promises. */
static void check_event(const uint8_t *data, size_t size)
{
	struct tamis_event e;
	char *text;

	if (size < sizeof(e))
		return;
	memcpy(&e, data, sizeof(e));
	e.abi %= TAMIS_ABI_MAX + 1;
	e.stage %= TAMIS_STAGE_MAX + 1;
	e.nr %= TAMIS_CALLS + 1;
	text = fuzz_text(data + sizeof(e), size - sizeof(e));
	check_origin(&e, text);
	free(text);
}

static void check_path(const uint8_t *data, size_t size)
{
	struct tamis_path *path = malloc(sizeof(*path));
	char *copy = NULL;

	must(path != NULL);
	memset(path, 0, sizeof(*path));
	memcpy(path, data, size < sizeof(*path) ? size : sizeof(*path));
	if (readback_path(path, &copy) == 0)
		must(copy[0] == '/' && strlen(copy) <= TAMIS_PATH);
	free(copy);
	free(path);
}

static void check_leave(const uint8_t *data, size_t size)
{
	struct tamis_leave leave = { 0 }, left;

	memcpy(&leave, data, size < sizeof(leave) ? size : sizeof(leave));
	if (!readback_leave(&leave, &left))
		return;
	must(left.count > 0 && left.count <= READBACK_COUNT_MAX);
	must(strnlen(left.comm, sizeof(left.comm)) < sizeof(left.comm));
}

static void check_loss(const uint8_t *data, size_t size)
{
	struct tamis_loss loss = { 0 };

	memcpy(&loss, data, size < sizeof(loss) ? size : sizeof(loss));
	loss = readback_loss(&loss);
	must(loss.range <= READBACK_COUNT_MAX && loss.full <= READBACK_COUNT_MAX);
	must(loss.ring <= READBACK_COUNT_MAX && loss.task <= READBACK_COUNT_MAX);
	must(loss.rest <= READBACK_COUNT_MAX);
}

static void check_denied(const uint8_t *data, size_t size)
{
	struct {
		struct tamis_denied_key key;
		struct tamis_denied denied;
	} in = { 0 };
	struct tamis_denied d;

	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	if (!readback_denied(&in.key, &in.denied, &d))
		return;
	must(in.key.abi < TAMIS_ABI_MAX && in.key.nr < TAMIS_CALLS);
	must(d.count > 0 && d.count <= READBACK_COUNT_MAX && d.first_ms <= d.last_ms);
	must(strnlen(d.comm, sizeof(d.comm)) < sizeof(d.comm));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const check[])(const uint8_t *, size_t) = { check_record, check_event,
								  check_path,	check_leave,
								  check_loss,	check_denied };

	if (size)
		check[data[0] % (sizeof(check) / sizeof(check[0]))](data + 1, size - 1);
	return 0;
}
