/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints: which part of the emulator answers a request. An endpoint owns the paths below its
 * prefix and finds the route among them. A new endpoint is one file, one line here and one in the
 * table of endpoints.c. The metadata server has a listener of its own (server.h), which knows only
 * the paths of that server.
 */
#ifndef CLOUDINVITE_EMULATOR_ENDPOINTS_H
#define CLOUDINVITE_EMULATOR_ENDPOINTS_H

struct request;

struct endpoint {
	const char *prefix;
	/* Sets r->route, r->answer and what the path names. */
	void (*dispatch)(struct request *r);
};

/* Finds the endpoint of r->path and its route; ROUTE_OTHER if there is none. */
void route_find(struct request *r);
/* The same for the metadata server's listener. */
void route_find_metadata(struct request *r);

void invitations_dispatch(struct request *r); /* /v1/…, /v1beta1/… */
void token_dispatch(struct request *r);	      /* /token */
void consent_dispatch(struct request *r);     /* /o/oauth2/… */
void iam_dispatch(struct request *r);	      /* /v1/projects/… */
void sts_dispatch(struct request *r);	      /* /v1/token */
void metadata_dispatch(struct request *r);    /* all paths of the metadata server */
void control_dispatch(struct request *r);     /* /emulator/… */

#endif
