/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MHD's callbacks: a request is collected, answered under the lock, and delivered without it.
 */
#include "server.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "deliver.h"
#include "endpoints.h"
#include "xmalloc.h"
#include "reply.h"

#define CONNECTIONS_MAX 4096

static void request_free(struct request *r)
{
	free(r->path);
	free(r->query);
	free(r->body);
	free(r->customer);
	free(r->address);
	free(r->principal);
	reply_free(&r->reply);
	free(r);
}

/* MHD's first callback for a request, and the only one with the whole raw URI. */
static void *server_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct request *r = xcalloc(sizeof *r);
	const char *query = strchr(uri, '?');

	(void)cls;
	(void)connection;
	r->path = query ? xstrndup(uri, (size_t)(query - uri)) : xstrdup(uri);
	r->query = query ? xstrdup(query + 1) : NULL;
	return r;
}

static void server_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	enum MHD_RequestTerminationCode how)
{
	(void)cls;
	(void)connection;
	(void)how;
	if (*con_cls)
		request_free(*con_cls);
	*con_cls = NULL;
}

static void server_connected(void *cls, struct MHD_Connection *mhd, void **socket_context,
	enum MHD_ConnectionNotificationCode what)
{
	struct emulator *e = cls;
	struct connection *connection;

	(void)mhd;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*socket_context);
		*socket_context = NULL;
		return;
	}
	connection = xcalloc(sizeof *connection);
	pthread_mutex_lock(&e->lock);
	connection->id = ++e->connections;
	pthread_mutex_unlock(&e->lock);
	*socket_context = connection;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void request_headers(struct request *r, struct MHD_Connection *mhd, const char *method)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	r->connection = info->socket_context;
	r->earlier = r->connection->served++;
	snprintf(r->method, sizeof r->method, "%s", method);
	r->authorization = header(mhd, "Authorization");
	r->content_type = header(mhd, "Content-Type");
	r->content_length = header(mhd, "Content-Length");
	r->user_agent = header(mhd, "User-Agent");
	r->flavor = header(mhd, "Metadata-Flavor");
	r->forwarded = header(mhd, "X-Forwarded-For");
}

static void request_body(struct request *r, const char *bytes, size_t n)
{
	if (r->body_size + n > REQUEST_BODY_MAX) {
		r->body_too_large = true;
		return;
	}
	if (r->body_size + n + 1 > r->body_room) {
		r->body_room = 2 * (r->body_size + n) + 256;
		r->body = xnonnull(realloc(r->body, r->body_room));
	}
	memcpy(r->body + r->body_size, bytes, n);
	r->body_size += n;
	r->body[r->body_size] = '\0';
}

static void request_tell(const struct request *r, int status)
{
	char at[TIMESTAMP_TEXT_SIZE];

	printf("%s %-6s %3d %s %s%s%s%s\n", timestamp_rfc3339(r->at, at), route_words[r->route],
		status, r->method, r->path, r->address ? " " : "", r->address ? r->address : "",
		action_drops_connection(r->action) ? " (cut)" : "");
	fflush(stdout);
}

static void request_answer(struct emulator *e, struct request *r)
{
	const struct fault *fault =
		faults_match(&e->tenant->faults, (int)r->route, r->address, r->earlier > 0);
	int status;

	if (!fault || !fault_prevents_effect(fault))
		r->answer(e, r, &r->reply);
	if (fault)
		fault_apply(fault, e, r);
	r->delay_ms += e->tenant->latency_ms[r->route];
	status = action_drops_connection(r->action) ? 0 : r->reply.status;
	e->counts[r->route]++;
	if (e->tenant->switches.log)
		request_log_add(&e->log, r, status);
	if (!e->quiet)
		request_tell(r, status);
}

/* The control endpoints ignore faults: a test must be able to remove them. */
static void request_serve(struct listener *listener, struct request *r)
{
	struct emulator *e = listener->emulator;

	r->at_ms = monotonic_ms();
	r->at = timestamp_now();
	listener->find(r);
	pthread_mutex_lock(&e->lock);
	if (r->body_too_large)
		reply_error(e, &r->reply, 413, "Request payload size exceeds the limit.");
	else if (r->route == ROUTE_CONTROL)
		r->answer(e, r, &r->reply);
	else
		request_answer(e, r);
	pthread_mutex_unlock(&e->lock);
}

/* MHD calls this once with the headers, for every piece of the body, at its end, and again when a
 * suspended connection continues. */
static enum MHD_Result server_handle(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *bytes, size_t *n, void **con_cls)
{
	struct listener *listener = cls;
	struct emulator *e = listener->emulator;
	struct request *r = *con_cls;

	(void)url;
	(void)version;
	if (!r->connection) {
		request_headers(r, connection, method);
		return MHD_YES;
	}
	if (*n > 0) {
		request_body(r, bytes, *n);
		*n = 0;
		return MHD_YES;
	}
	if (r->phase == REQUEST_RECEIVING) {
		request_serve(listener, r);
		if (r->delay_ms > 0) {
			r->phase = REQUEST_WAITING;
			timer_wait(e->timer, connection, r->delay_ms);
			return MHD_YES;
		}
	}
	/* MHD may call again if a reply could not be queued because the peer has gone. */
	if (r->phase == REQUEST_DELIVERED)
		return MHD_NO;
	r->phase = REQUEST_DELIVERED;
	return deliver(e, r, connection);
}

static struct addrinfo *address_read(const struct server_address *address, const char *option)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *out = NULL;
	int error = getaddrinfo(address->host, address->port, &hints, &out);

	if (error != 0)
		fprintf(stderr,
			"cloudinvite-emulator: %s %s:%s: %s; write an IP address and a port, like "
			"127.0.0.1:8443 or [::1]:0\n",
			option, address->host, address->port, gai_strerror(error));
	return error == 0 ? out : NULL;
}

/* Not epoll: libmicrohttpd asks it for 128 events at a time. If it gets exactly that many it asks
 * again, without a time limit, before it handles the first ones (seen with 0.9.75). Then 128
 * clients that all wait for their replies wait for ever. */
static unsigned int listener_flags(bool tls, const struct addrinfo *at)
{
	unsigned int flags = MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_SUPPRESS_DATE_NO_CLOCK;

	if (tls)
		flags |= MHD_USE_TLS;
	if (at->ai_family == AF_INET6)
		flags |= MHD_USE_IPv6;
	return flags;
}

static struct MHD_Daemon *listener_daemon(
	struct listener *listener, bool tls, unsigned int threads, const struct addrinfo *at)
{
	struct emulator *e = listener->emulator;
	struct MHD_OptionItem secure[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, e->keyring.server_pem},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, e->keyring.server_key_pem},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem more[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(listener_flags(tls, at), 0, NULL, NULL, server_handle, listener,
		MHD_OPTION_SOCK_ADDR, at->ai_addr, MHD_OPTION_URI_LOG_CALLBACK, server_begin, e,
		MHD_OPTION_NOTIFY_COMPLETED, server_completed, e, MHD_OPTION_NOTIFY_CONNECTION,
		server_connected, e, MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX,
		MHD_OPTION_ARRAY, threads > 1 ? more : more + 1, MHD_OPTION_ARRAY,
		tls ? secure : secure + 2, MHD_OPTION_END);
}

static bool listener_open(struct listener *listener, bool tls, unsigned int threads,
	const struct server_address *address, const char *option)
{
	struct addrinfo *at = address_read(address, option);
	bool v6;

	if (!at)
		return false;
	v6 = at->ai_family == AF_INET6;
	listener->daemon = listener_daemon(listener, tls, threads, at);
	freeaddrinfo(at);
	if (!listener->daemon) {
		fprintf(stderr, "cloudinvite-emulator: cannot listen on %s:%s: %s\n", address->host,
			address->port, strerror(errno));
		return false;
	}
	listener->port = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
	snprintf(listener->base, sizeof listener->base, "%s://%s%s%s:%u", tls ? "https" : "http",
		v6 ? "[" : "", address->host, v6 ? "]" : "", (unsigned int)listener->port);
	return true;
}

bool server_start(struct emulator *e, const struct server_options *options)
{
	e->timer = timer_start();
	e->google = (struct listener){.emulator = e, .find = route_find};
	e->metadata = (struct listener){.emulator = e, .find = route_find_metadata};
	if ((!options->metadata.host ||
		    listener_open(&e->metadata, false, 1, &options->metadata, "--metadata")) &&
		listener_open(
			&e->google, options->tls, options->threads, &options->google, "--listen"))
		return true;
	server_stop(e);
	return false;
}

void server_stop(struct emulator *e)
{
	timer_stop(e->timer);
	if (e->google.daemon)
		MHD_stop_daemon(e->google.daemon);
	if (e->metadata.daemon)
		MHD_stop_daemon(e->metadata.daemon);
	timer_free(e->timer);
}
