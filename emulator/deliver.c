/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending a reply through MHD: at once, slowly, cut short, or not at all. The lock of the emulator
 * is not held meanwhile.
 */
#include "deliver.h"

#include <strings.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "xmalloc.h"

/* A body that is not sent in one piece. MHD frees it with its response. */
struct drip {
	struct timer *timer;
	struct MHD_Connection *connection;
	char *body;
	size_t size;
	size_t stop;	 /* where it ends early; `size`: it does not */
	int64_t slow_ms; /* between bytes; 0: all at once */
	bool rested;
};

bool action_drops_connection(enum fault_action action)
{
	return action == FAULT_DROP_BEFORE || action == FAULT_DROP_AFTER || action == FAULT_GARBAGE;
}

/* Sends no byte of a valid reply, then closes the connection. */
static enum MHD_Result deliver_cut(struct MHD_Connection *connection, enum fault_action action)
{
	static const char garbage[] = "\x16\x03\x03 this is neither HTTP nor TLS\r\n\r\n";
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (info && action == FAULT_GARBAGE)
		send(info->connect_fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (info)
		shutdown(info->connect_fd, SHUT_RDWR);
	return MHD_NO;
}

static ssize_t drip_read(void *cls, uint64_t position, char *out, size_t max)
{
	struct drip *drip = cls;
	size_t at = (size_t)position, n = drip->stop - at;

	if (at >= drip->stop)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (drip->slow_ms > 0 && !drip->rested) {
		drip->rested = true;
		timer_wait(drip->timer, drip->connection, drip->slow_ms);
		return 0;
	}
	drip->rested = false;
	if (n > max)
		n = max;
	if (drip->slow_ms > 0)
		n = 1;
	memcpy(out, drip->body + at, n);
	return (ssize_t)n;
}

static void drip_free(void *cls)
{
	struct drip *drip = cls;

	free(drip->body);
	free(drip);
}

static struct MHD_Response *drip_response(
	struct emulator *e, struct request *r, struct MHD_Connection *connection)
{
	struct drip *drip = xcalloc(sizeof *drip);

	drip->timer = e->timer;
	drip->connection = connection;
	drip->body = r->reply.body;
	drip->size = r->reply.size;
	drip->stop = r->action == FAULT_TRUNCATE ? drip->size / 2 : drip->size;
	drip->slow_ms = r->slow_ms;
	return MHD_create_response_from_callback(drip->size, 1024, drip_read, drip, drip_free);
}

/* The response takes ownership of the body. */
static struct MHD_Response *deliver_response(
	struct emulator *e, struct request *r, struct MHD_Connection *connection)
{
	struct MHD_Response *response;

	if (r->action == FAULT_TRUNCATE || r->action == FAULT_SLOW)
		response = drip_response(e, r, connection);
	else
		response = MHD_create_response_from_buffer(
			r->reply.size, r->reply.body, MHD_RESPMEM_MUST_FREE);
	r->reply.body = NULL;
	return xnonnull(response);
}

/* `Date` is the emulator's clock at the moment of sending. */
static void deliver_headers(struct emulator *e, struct request *r, struct MHD_Response *response)
{
	char date[TIMESTAMP_TEXT_SIZE];
	int64_t now;
	const char *key;
	json_t *value;

	pthread_mutex_lock(&e->lock);
	now = tenant_now(e->tenant);
	pthread_mutex_unlock(&e->lock);
	MHD_add_response_header(response, "Content-Type", r->reply.content_type);
	json_object_foreach(r->reply.headers, key, value)
	{
		if (strcasecmp(key, "Content-Type") == 0 || strcasecmp(key, "Date") == 0)
			MHD_del_response_header(response, key, r->reply.content_type);
		MHD_add_response_header(response, key, json_string_value(value));
	}
	if (!MHD_get_response_header(response, "Date"))
		MHD_add_response_header(response, "Date", timestamp_http(now, date));
}

enum MHD_Result deliver(struct emulator *e, struct request *r, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (action_drops_connection(r->action))
		return deliver_cut(connection, r->action);
	response = deliver_response(e, r, connection);
	deliver_headers(e, r, response);
	result = MHD_queue_response(connection, (unsigned int)r->reply.status, response);
	MHD_destroy_response(response);
	return result;
}
